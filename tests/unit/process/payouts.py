"""A small bank that pays out to other banks: what the tests of processes have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from actum import App, Command, Effect, Event, Process, Refused, Running, State, Tag, Timer
from actum.decision.outcome import CommandRefused
from actum.journal.clock import to_microseconds
from actum.process.effect import Attempt, Perform, Unknown
from actum.testing.clocks import SetClock

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

AccountId = Annotated[str, Tag("account")]
PayoutId = Annotated[str, Tag("payout")]


class Deposited(Event):
    account: AccountId
    amount: Decimal


class Requested(Event):
    payout: PayoutId
    account: AccountId
    amount: Decimal


class Reserved(Event):
    payout: PayoutId
    account: AccountId
    amount: Decimal


class Released(Event):
    payout: PayoutId
    account: AccountId
    amount: Decimal


class SendMoney(Effect):
    payout: PayoutId
    amount: Decimal


class Sent(Event):
    payout: PayoutId
    receipt: str


class Bounced(Event):
    payout: PayoutId


class Overdue(Event):
    payout: PayoutId


class Reminded(Event):
    payout: PayoutId


class Deposit(Command):
    account: AccountId
    amount: Decimal


class Request(Command):
    payout: PayoutId
    account: AccountId
    amount: Decimal


class Reserve(Command):
    payout: PayoutId
    account: AccountId
    amount: Decimal


class Release(Command):
    payout: PayoutId
    account: AccountId
    amount: Decimal


class Remind(Command):
    payout: PayoutId


class Account(State):
    account: AccountId
    balance: Decimal = Decimal(0)

    def evolve(self, event: Deposited | Reserved | Released) -> None:
        self.balance += -event.amount if isinstance(event, Reserved) else event.amount


def deposit(command: Deposit) -> Deposited:
    return Deposited(account=command.account, amount=command.amount)


def request(command: Request) -> Requested:
    return Requested(payout=command.payout, account=command.account, amount=command.amount)


def reserve(command: Reserve, account: Account) -> Reserved:
    if account.balance < command.amount:
        raise Refused("insufficient funds", balance=account.balance)
    return Reserved(payout=command.payout, account=command.account, amount=command.amount)


def release(command: Release) -> Released:
    return Released(payout=command.payout, account=command.account, amount=command.amount)


def remind(command: Remind) -> Reminded:
    return Reminded(payout=command.payout)


class Payout(Process, starts=Requested):
    payout: PayoutId
    undo: list[Command] = []

    def evolve(self, event: Requested | Reserved | Released | Sent | CommandRefused) -> None:
        match event:
            case Reserved():
                self.undo.append(Release(payout=self.payout, account=event.account, amount=event.amount))
            case Released():
                self.undo.pop()
            case Requested() | Sent() | CommandRefused():
                pass
        self.ended = isinstance(event, Released | Sent | CommandRefused)

    def react(self, event: Requested | Reserved | Bounced | Overdue) -> Iterator[Command | Effect | Timer]:
        match event:
            case Requested():
                yield Reserve(payout=self.payout, account=event.account, amount=event.amount)
                yield Timer("overdue", after=timedelta(days=2), then=Overdue(payout=self.payout))
                yield Timer("reminder", after=timedelta(days=1), then=Remind(payout=self.payout))
            case Reserved():
                yield SendMoney(payout=self.payout, amount=event.amount)
            case Bounced() | Overdue():
                yield from reversed(self.undo)


class OtherBank:
    """Stands for the world outside: knows which keys it has seen, and fails as it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []
        self.paid: dict[Any, Decimal] = {}
        self.troubles: list[Exception | str] = []

    def send(self, request: SendMoney, attempt: Attempt) -> Sent | Bounced:
        """Pay once for each key; before or after, something may go wrong."""
        self.calls.append((request.payout, attempt.number))
        trouble = self.troubles.pop(0) if self.troubles else None
        if isinstance(trouble, Exception) and not isinstance(trouble, TimeoutError):
            raise trouble
        if trouble == "bounce":
            return Bounced(payout=request.payout)
        self.paid[attempt.key] = request.amount
        if trouble is not None:
            raise TimeoutError("no answer")
        return Sent(payout=request.payout, receipt=str(attempt.key))

    def find(self, request: SendMoney, attempt: Attempt) -> Sent | None:
        """Whether it was paid."""
        self.calls.append((f"find {request.payout}", attempt.number))
        return Sent(payout=request.payout, receipt="found") if attempt.key in self.paid else None


def a_bank(
    outside: OtherBank | None = None,
    *,
    unknown: Unknown = Unknown.REPEAT,
    ask: bool = False,
    attempts: int = 10,
    payout: type[Process] = Payout,
) -> App:
    """The bank, with the outside that it pays into."""
    outside = outside or OtherBank()
    bank = App("bank")
    for rule in (deposit, request, reserve, release, remind):
        bank.decides(rule)
    bank.process(payout)

    def send(request: SendMoney, attempt: Attempt) -> Sent | Bounced:
        return outside.send(request, attempt)

    def find(request: SendMoney, attempt: Attempt) -> Sent | None:
        return outside.find(request, attempt)

    finds: Perform | None = find if ask else None
    bank.effect(unknown=unknown, ask=finds, attempts=attempts)(send)
    return bank


class Bench:
    """A bank that is open, under a clock that is set by hand."""

    def __init__(self, address: str | Path, app: App, clock: SetClock | None = None) -> None:
        self.address = address
        self.app = app
        self.clock = clock or SetClock(to_microseconds(START))
        self.running: Running = app.open(address, actor="teller", follow=False, clock=self.clock)

    def pass_time(self, **time: float) -> None:
        """Let it be later, and let the processes do what there is to do then."""
        self.clock.set(self.clock.now() + round(timedelta(**time).total_seconds() * 1_000_000))
        self.running.processes.catch_up()

    def do(self, *commands: Command) -> None:
        """Give commands, and let the processes do what there is to do."""
        for command in commands:
            self.running.execute(command)
        self.running.processes.catch_up()

    def types(self, *without: str) -> list[str]:
        """The types of all events, in order."""
        return [event.type for event in self.running.events() if event.type not in without]

    def again(self, app: App | None = None) -> Bench:
        """Closed and opened again, perhaps with other code."""
        self.running.close()
        return Bench(self.address, app or self.app, self.clock)


def lose_the_read_database(bench: Bench) -> None:
    """As if it were deleted, as far as the followers of the processes are concerned."""
    database = bench.running.processes._agenda._database
    for follower in bench.running.processes._worker._followers:
        database.drop(follower._shape.table)
        follower._let_go()


Open = Callable[[App], Bench]

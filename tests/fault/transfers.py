"""Money between two banks, each a context with a journal of its own: a process, its time-out, and what takes it back.

The bank of the sender reserves the money, then asks the other bank, which is outside, to credit it. If that says no, the money
is released; if nothing is heard of it in time, the other bank is asked to void the transfer, and only then it is released.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, TypeAlias

from actum import App, Command, Effect, Event, Process, Refused, Running, State, Tag, Timer
from actum.process.effect import Attempt

AccountId = Annotated[str, Tag("account")]
TransferId = Annotated[str, Tag("transfer")]


class Deposited(Event):
    account: AccountId
    amount: Decimal


class Deposit(Command):
    account: AccountId
    amount: Decimal


def deposit(command: Deposit) -> Deposited:
    return Deposited(account=command.account, amount=command.amount)


# The bank of the one who receives.


class Credited(Event):
    transfer: TransferId
    account: AccountId
    amount: Decimal


class Voided(Event):
    transfer: TransferId
    account: AccountId
    amount: Decimal
    """What is taken back of what was credited."""


class Credit(Command):
    transfer: TransferId
    account: AccountId
    amount: Decimal


class Void(Command):
    transfer: TransferId
    account: AccountId


class Received(State):
    transfer: TransferId
    amount: Decimal = Decimal(0)
    void: bool = False

    def evolve(self, event: Credited | Voided) -> None:
        match event:
            case Credited(amount=amount):
                self.amount = amount
            case Voided():
                self.void = True


class Known(State):
    account: AccountId
    open: bool = False

    def evolve(self, event: Deposited) -> None:
        self.open = True


def credit(command: Credit, received: Received, account: Known) -> Credited:
    if received.void:
        raise Refused("the transfer is void")
    if not account.open:
        raise Refused("there is no such account")
    return Credited(transfer=command.transfer, account=command.account, amount=command.amount)


def void(command: Void, received: Received) -> Voided | None:
    if received.void:
        return None
    return Voided(transfer=command.transfer, account=command.account, amount=received.amount)


def receiving_bank() -> App:
    bank = App("south")
    for rule in (deposit, credit, void):
        bank.decides(rule)
    return bank


# The bank of the one who sends.


class Asked(Event):
    transfer: TransferId
    source: AccountId
    target: str
    amount: Decimal


class Reserved(Event):
    transfer: TransferId
    account: AccountId
    amount: Decimal


class Released(Event):
    transfer: TransferId
    account: AccountId
    amount: Decimal


class Settled(Event):
    transfer: TransferId
    amount: Decimal


class CreditThere(Effect):
    transfer: TransferId
    target: str
    amount: Decimal


class CreditedThere(Event):
    transfer: TransferId


class TurnedDown(Event):
    transfer: TransferId
    because: str


class VoidThere(Effect):
    transfer: TransferId
    target: str


class VoidedThere(Event):
    transfer: TransferId


class Overdue(Event):
    transfer: TransferId


class Ask(Command):
    transfer: TransferId
    source: AccountId
    target: str
    amount: Decimal


class Reserve(Command):
    transfer: TransferId
    account: AccountId
    amount: Decimal


class Release(Command):
    transfer: TransferId
    account: AccountId
    amount: Decimal


class Settle(Command):
    transfer: TransferId
    amount: Decimal


class Account(State):
    account: AccountId
    balance: Decimal = Decimal(0)

    def evolve(self, event: Deposited | Reserved | Released) -> None:
        self.balance += -event.amount if isinstance(event, Reserved) else event.amount


def ask(command: Ask) -> Asked:
    return Asked(transfer=command.transfer, source=command.source, target=command.target, amount=command.amount)


def reserve(command: Reserve, account: Account) -> Reserved:
    if account.balance < command.amount:
        raise Refused("insufficient funds", balance=account.balance)
    return Reserved(transfer=command.transfer, account=command.account, amount=command.amount)


def release(command: Release) -> Released:
    return Released(transfer=command.transfer, account=command.account, amount=command.amount)


def settle(command: Settle) -> Settled:
    return Settled(transfer=command.transfer, amount=command.amount)


class Transfer(Process, starts=Asked):
    transfer: TransferId
    target: str = ""
    amount: Decimal = Decimal(0)
    undo: list[Command] = []
    giving_up: bool = False

    def evolve(self, event: Asked | Reserved | Overdue | Settled | Released) -> None:
        match event:
            case Asked(target=target, amount=amount):
                self.target, self.amount = target, amount
            case Reserved(account=account, amount=amount):
                self.undo.append(Release(transfer=self.transfer, account=account, amount=amount))
            case Overdue():
                self.giving_up = True
            case Settled() | Released():
                self.ended = True

    def react(
        self, event: Asked | Reserved | CreditedThere | TurnedDown | Overdue | VoidedThere
    ) -> Iterator[Command | Effect | Timer]:
        match event:
            case Asked(source=source, amount=amount):
                yield Reserve(transfer=self.transfer, account=source, amount=amount)
            case Reserved():
                yield CreditThere(transfer=self.transfer, target=self.target, amount=self.amount)
                yield Timer("overdue", after=timedelta(days=1), then=Overdue(transfer=self.transfer))
            case CreditedThere():
                if not self.giving_up:
                    yield Settle(transfer=self.transfer, amount=self.amount)
            case Overdue():
                yield VoidThere(transfer=self.transfer, target=self.target)
            case TurnedDown():
                if not self.giving_up:
                    yield from reversed(self.undo)
            case VoidedThere():
                yield from reversed(self.undo)


There: TypeAlias = Callable[[], Running]
"""The other bank, as it is at work just now."""


def sending_bank(there: There, *, reachable: Callable[[Attempt], bool] = lambda attempt: True) -> App:
    """The bank of the sender; `reachable` says of each attempt to credit whether its answer comes back."""
    bank = App("north")
    for rule in (deposit, ask, reserve, release, settle):
        bank.decides(rule)
    bank.process(Transfer)

    @bank.effect
    def credit_there(request: CreditThere, attempt: Attempt) -> CreditedThere | TurnedDown:
        command = Credit(transfer=request.transfer, account=request.target, amount=request.amount)
        try:
            there().execute(command, id=attempt.key, actor="north")
        except Refused as refused:
            return TurnedDown(transfer=request.transfer, because=refused.reason)
        if not reachable(attempt):
            raise TimeoutError("the line went dead")
        return CreditedThere(transfer=request.transfer)

    @bank.effect
    def void_there(request: VoidThere, attempt: Attempt) -> VoidedThere:
        there().execute(Void(transfer=request.transfer, account=request.target), id=attempt.key, actor="north")
        return VoidedThere(transfer=request.transfer)

    return bank


# Where the money is.


class Purse:
    """Where all the money is, folded from the events of both banks by nobody's code but this."""

    def __init__(self) -> None:
        self.north: dict[str, Decimal] = {}
        self.south: dict[str, Decimal] = {}
        self.reserved: dict[str, Decimal] = {}
        self.credited: dict[str, Decimal] = {}
        self.settled: set[str] = set()
        self.deposited = Decimal(0)

    def take(self, bank: str, event: Event) -> None:
        """What the event says of the money."""
        accounts = self.north if bank == "north" else self.south
        match event:
            case Deposited(account=account, amount=amount):
                accounts[account] = accounts.get(account, Decimal(0)) + amount
                self.deposited += amount
            case Reserved(transfer=transfer, account=account, amount=amount):
                accounts[account] -= amount
                self.reserved[transfer] = self.reserved.get(transfer, Decimal(0)) + amount
            case Released(transfer=transfer, account=account, amount=amount):
                accounts[account] += amount
                self.reserved[transfer] -= amount
            case Credited(transfer=transfer, account=account, amount=amount):
                accounts[account] += amount
                self.credited[transfer] = self.credited.get(transfer, Decimal(0)) + amount
            case Voided(transfer=transfer, account=account, amount=amount):
                accounts[account] = accounts.get(account, Decimal(0)) - amount
                self.credited[transfer] = self.credited.get(transfer, Decimal(0)) - amount
            case Settled(transfer=transfer):
                self.settled.add(transfer)
            case _:
                pass

    def wrong(self) -> list[str]:
        """Whatever is not as it must be, now that both journals have come so far."""
        on_the_way = sum(
            (amount - self.credited.get(one, Decimal(0)) for one, amount in self.reserved.items()), Decimal(0)
        )
        total = sum(self.north.values()) + sum(self.south.values()) + on_the_way
        lines = [f"{self.deposited} was deposited, and {total} is there"] * (total != self.deposited)
        for name, there in self.credited.items():
            here = self.reserved.get(name, Decimal(0))
            if there not in (0, here):
                lines.append(f"{name}: {here} left the one bank, {there} came to the other")
        for name in self.settled:
            if self.credited.get(name) != self.reserved[name]:
                lines.append(f"{name} is settled, and the money is not there")
        negative = [name for name, balance in (*self.north.items(), *self.south.items()) if balance < 0]
        return lines + [f"{name} is overdrawn" for name in negative]

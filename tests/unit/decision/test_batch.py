"""What commands of one batch know of each other."""

from __future__ import annotations

from decimal import Decimal

import pytest

from actum.decision.acting import Acting
from actum.decision.command import command_id_of
from actum.decision.desk import Desk, Job, Order
from actum.decision.lane import Ticket
from actum.decision.outcome import Decided
from actum.journal.clock import SYSTEM_IDS
from actum.journal.errors import OutcomeUnknown, Refused, Unavailable
from actum.journal.store import Append, Outcome
from actum.service.app import App
from actum.service.counter import Counter
from actum.stores.memory import MemoryStore
from tests.unit.decision.bank import Account, Deposit, Open, Withdraw, Withdrawn, a_bank


class Bench:
    """A desk, and a way to lay several commands on it at once."""

    def __init__(self, bank: App, store: MemoryStore) -> None:
        self.store = store
        self._counter = Counter(bank, store, ids=SYSTEM_IDS, acting=Acting("t"))
        self._desk = Desk(store, bank.codec, ids=SYSTEM_IDS)

    def decide(self, *commands: tuple[object, str | None]) -> list[Decided | Exception]:
        tickets: list[Ticket[Job, Decided]] = [
            Ticket(self._counter._order(command, name, Acting(), None), None)  # type: ignore[arg-type]
            for command, name in commands
        ]
        self._desk.work(tickets)
        return [outcome(ticket) for ticket in tickets]


def outcome(ticket: Ticket[Job, Decided]) -> Decided | Exception:
    try:
        return ticket.answer()
    except Exception as wrong:
        return wrong


def test_a_command_sees_what_the_one_before_it_in_the_batch_led_to() -> None:
    bench = Bench(a_bank(), MemoryStore())
    outcomes = bench.decide(
        (Open(account="A", email="a"), None),
        (Deposit(account="A", amount=Decimal(5)), None),
        (Withdraw(account="A", amount=Decimal(4)), None),
        (Withdraw(account="A", amount=Decimal(4)), None),
    )
    assert [type(one).__name__ for one in outcomes] == ["Decided", "Decided", "Decided", "Refused"]
    assert bench.store.head() == 4


def test_the_same_command_twice_in_one_batch_is_decided_once() -> None:
    bench = Bench(a_bank(), MemoryStore())
    bench.decide((Open(account="A", email="a"), None))
    first, second = bench.decide(
        (Deposit(account="A", amount=Decimal(5)), "d"), (Deposit(account="A", amount=Decimal(5)), "d")
    )
    assert isinstance(first, Decided)
    assert isinstance(second, Decided)
    assert (second.repeated, second.position) == (True, first.position)
    (refused,) = bench.decide((Withdraw(account="A", amount=Decimal(6)), None))
    assert isinstance(refused, Refused), "the second deposit did not happen"


def test_a_narrow_conflict_does_not_let_a_decision_rest_on_what_did_not_happen() -> None:
    """The deposit of the batch is a repetition, so it is not written; the withdrawal must not have counted on it."""
    bank = a_bank()
    narrow = App("bank")
    for command in (Open, Deposit):
        narrow.decides(bank.handler(command).decide)

    @narrow.decides(conflicts=[Withdrawn])
    def withdraw(command: Withdraw, account: Account) -> Withdrawn:
        if account.balance < command.amount:
            raise Refused("insufficient funds", balance=account.balance)
        return Withdrawn(account=command.account, amount=command.amount)

    bench = Bench(narrow, MemoryStore())
    bench.decide((Open(account="A", email="a"), None))
    bench.decide((Deposit(account="A", amount=Decimal(5)), "d"))
    repeated, refused = bench.decide(
        (Deposit(account="A", amount=Decimal(5)), "d"), (Withdraw(account="A", amount=Decimal(8)), None)
    )
    assert isinstance(repeated, Decided)
    assert repeated.repeated
    assert isinstance(refused, Refused)
    assert refused.facts == {"balance": Decimal(5)}


class BreaksOff(MemoryStore):
    """Commits, and then does not say so; or does not commit, and does not say that either."""

    def __init__(self, *, writes: bool, times: int = 1) -> None:
        super().__init__()
        self.writes = writes
        self.times = times

    def append(self, *batch: Append) -> list[Outcome]:
        if self.times == 0:
            return super().append(*batch)
        self.times -= 1
        if self.writes:
            super().append(*batch)
        raise OutcomeUnknown("the connection broke")


@pytest.mark.parametrize("writes", [True, False])
def test_a_commit_that_breaks_off_is_found_out_by_the_command_id(writes: bool) -> None:
    bench = Bench(a_bank(), BreaksOff(writes=writes))
    opened, deposited = bench.decide(
        (Open(account="A", email="a"), None), (Deposit(account="A", amount=Decimal(5)), None)
    )
    assert isinstance(opened, Decided)
    assert isinstance(deposited, Decided)
    assert (opened.repeated, deposited.repeated) == (writes, writes)
    assert (opened.position, deposited.position, bench.store.head()) == (1, 2, 2)


def test_a_journal_that_always_breaks_off_leaves_the_outcome_unknown_and_says_so() -> None:
    bench = Bench(a_bank(), BreaksOff(writes=False, times=100))
    (unknown,) = bench.decide((Open(account="A", email="a"), None))
    assert isinstance(unknown, OutcomeUnknown)
    assert "same command id" in str(unknown)


class Gone(BreaksOff):
    """Breaks off, and cannot be asked any more."""

    def decision(self, command: bytes) -> None:
        raise Unavailable("the server is gone")


def test_where_nobody_can_be_asked_the_outcome_is_unknown() -> None:
    (unknown,) = Bench(a_bank(), Gone(writes=True)).decide((Open(account="A", email="a"), None))
    assert isinstance(unknown, OutcomeUnknown)


def test_a_text_names_one_command_for_ever() -> None:
    assert command_id_of("invoice-7").hex() == "8b71ef72c7a3896bad6e537f0e72a27a"
    assert command_id_of("invoice-8") != command_id_of("invoice-7")

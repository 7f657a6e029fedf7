"""Commands are decided: once, on all that matters, on record."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from actum.decision.acting import Acting, acting
from actum.decision.command import Command, command_id_of
from actum.decision.desk import ATTEMPTS, Desk
from actum.decision.handler import Exists
from actum.decision.lane import Ticket
from actum.decision.order import Job
from actum.decision.outcome import CommandRefused, Decided, NothingChanged
from actum.journal.clock import SYSTEM_IDS
from actum.journal.errors import Busy, Conflict, Invalid, OutcomeUnknown, Refused, Reused, Unavailable
from actum.journal.query import AppendCondition, Query
from actum.journal.store import Append, Outcome
from actum.service.app import App
from actum.service.counter import Counter
from actum.service.running import Running
from actum.stores.memory import MemoryStore
from actum.testing.builders import positions
from tests.unit.decision.bank import (
    Account,
    AccountId,
    Deposit,
    Deposited,
    Open,
    Opened,
    Sweep,
    Tidy,
    Transfer,
    Transferred,
    Withdraw,
    Withdrawn,
    a_bank,
    narrow_withdrawals,
)


@pytest.fixture(params=["memory", "sqlite"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    journal = "memory:" if request.param == "memory" else tmp_path / "bank.db"
    with a_bank().open(journal, actor="teller") as running:
        yield running


def test_a_decision_is_appended_and_its_position_returned(running: Running) -> None:
    decided = running.execute(Open(account="A", email="a@x"))
    assert decided.position == 1 == running.head()
    assert decided.events == (Opened(account="A", email="a@x"),)
    assert not decided.repeated


def test_a_decision_over_two_entities_is_one_commit_under_one_condition(running: Running) -> None:
    running.execute(Open(account="A", email="a@x"))
    running.execute(Open(account="B", email="b@x"))
    running.execute(Deposit(account="A", amount=Decimal(10)))
    decided = running.execute(Transfer(source="A", target="B", amount=Decimal(7)))
    record = running.store.decision(decided.command or b"")
    assert record is not None
    assert record.handler == "transfer@1"
    assert record.condition is not None
    assert record.condition.after == 3
    assert {tag for item in record.condition.fail_if_events_match.items for tag in item.tags} == {
        "account:A",
        "account:B",
    }
    assert next(iter(running.store.read(after=3))).tags == ("account:A", "account:B")


def test_a_refusal_is_raised_and_on_record_with_who_what_and_why(running: Running) -> None:
    running.execute(Open(account="A", email="a@x"))
    with pytest.raises(Refused, match="insufficient funds") as refused:
        running.execute(Withdraw(account="A", amount=Decimal(5)), actor="alice", reason="rent")
    stored = next(iter(running.store.read(after=refused.value.position - 1)))
    (event,) = running.app.codec.decode(stored)
    assert isinstance(event, CommandRefused)
    assert (event.reason, event.facts, bytes(event.said)) == (
        "insufficient funds",
        {"balance": "0"},
        b'{"account":"A","amount":"5"}',
    )
    assert (stored.metadata.actor, stored.metadata.reason) == ("alice", "rent")
    assert stored.tags == ("account:A",)


def test_a_refusal_leaves_the_state_as_it_was(running: Running) -> None:
    running.execute(Open(account="A", email="a@x"))
    running.execute(Deposit(account="A", amount=Decimal(3)))
    for _ in range(3):
        with pytest.raises(Refused):
            running.execute(Withdraw(account="A", amount=Decimal(5)))
    running.execute(Withdraw(account="A", amount=Decimal(3)))


def test_a_command_with_the_same_id_is_decided_once(running: Running) -> None:
    running.execute(Open(account="A", email="a@x"))
    first = running.execute(Deposit(account="A", amount=Decimal(3)), id="invoice-7")
    again = running.execute(Deposit(account="A", amount=Decimal(3)), id="invoice-7")
    assert (again.position, again.events, again.command_id) == (first.position, first.events, first.command_id)
    assert again.repeated
    assert running.head() == first.position


def test_a_refused_command_stays_refused_under_its_id(running: Running) -> None:
    running.execute(Open(account="A", email="a@x"))
    with pytest.raises(Refused) as first:
        running.execute(Withdraw(account="A", amount=Decimal(1)), id="w")
    running.execute(Deposit(account="A", amount=Decimal(3)))
    with pytest.raises(Refused) as again:
        running.execute(Withdraw(account="A", amount=Decimal(1)), id="w")
    assert (again.value.reason, again.value.position) == (first.value.reason, first.value.position)


def test_an_id_does_not_stand_for_two_commands(running: Running) -> None:
    running.execute(Open(account="A", email="a@x"))
    running.execute(Deposit(account="A", amount=Decimal(3)), id="i")
    head = running.head()
    for other in (Deposit(account="A", amount=Decimal(4)), Withdraw(account="A", amount=Decimal(3))):
        with pytest.raises(Reused, match="already stands for another command"):
            running.execute(other, id="i")
    assert running.head() == head


def test_the_first_answer_is_given_again_after_a_restart(tmp_path: Path) -> None:
    command, id = Open(account="A", email="a@x"), uuid4()
    with a_bank().open(tmp_path / "j.db", actor="t") as running:
        first = running.execute(command, id=id)
    with a_bank().open(tmp_path / "j.db", actor="t") as running:
        again = running.execute(command, id=id)
    assert again.repeated
    assert (again.position, again.events, again.recorded) == (first.position, first.events, first.recorded)


def test_nothing_to_do_is_on_record_and_repeats_as_nothing(running: Running) -> None:
    decided = running.execute(Tidy(account="A"), id="t")
    assert decided.events == ()
    (event,) = running.app.codec.decode(next(iter(running.store.read())))
    assert isinstance(event, NothingChanged)
    assert running.execute(Tidy(account="A"), id="t").repeated


def test_several_events_of_one_decision_are_whole(running: Running) -> None:
    for name in ("A", "B", "C"):
        running.execute(Open(account=name, email=f"{name}@x"))
        running.execute(Deposit(account=name, amount=Decimal(2)))
    decided = running.execute(Sweep(accounts=["A", "B"], target="C"))
    assert [type(event) for event in decided.events] == [Transferred, Transferred]
    running.execute(Withdraw(account="C", amount=Decimal(6)))


def test_uniqueness_is_guarded_without_a_state(running: Running) -> None:
    running.execute(Open(account="A", email="a@x"))
    with pytest.raises(Refused, match="the address has an account"):
        running.execute(Open(account="B", email="a@x"))
    running.execute(Open(account="B", email="b@x"))


def test_a_guard_holds_whatever_the_rule_says_of_its_conflicts(tmp_path: Path) -> None:
    bank = a_bank()
    narrow = App("bank")

    @narrow.decides(conflicts=[Withdrawn], unless=Exists(Opened, by="email", because="the address has an account"))
    def open_account(command: Open, account: Account) -> Opened:
        return Opened(account=command.account, email=command.email)

    with narrow.open(tmp_path / "j.db", actor="t") as one, bank.open(tmp_path / "j.db", actor="t") as other:
        one.execute(Open(account="A", email="a@x"))
        with pytest.raises(Refused):
            one.execute(Open(account="B", email="a@x"))
        with pytest.raises(Refused):
            other.execute(Open(account="C", email="a@x"))
        record = one.store.decision(one.execute(Open(account="D", email="d@x")).command or b"")
    assert record is not None
    assert record.condition is not None
    assert {tag for item in record.condition.fail_if_events_match.items for tag in item.tags} >= {"email:d@x"}


def test_a_guard_sees_what_another_process_wrote_since_it_looked(tmp_path: Path) -> None:
    narrow = App("bank")
    path = tmp_path / "j.db"
    others: list[str] = []

    @narrow.decides(conflicts=[Withdrawn], unless=Exists(Opened, by="email", because="the address has an account"))
    def open_account(command: Open, account: Account) -> Opened:
        if not others:  # Between looking and appending, somebody else takes the address.
            others.append("B")
            with a_bank().open(path, actor="t") as other:
                other.execute(Open(account="B", email=command.email))
        return Opened(account=command.account, email=command.email)

    with narrow.open(path, actor="t") as one, pytest.raises(Refused, match="the address has an account"):
        one.execute(Open(account="A", email="a@x"))


def test_a_command_that_is_overtaken_again_and_again_is_decided_alone(tmp_path: Path) -> None:
    hot = a_bank()
    path = tmp_path / "j.db"
    overtaken: list[str] = []

    class Close(Command):
        account: AccountId

    with a_bank().open(path, actor="t", timeout=0.1) as other:

        def close(command: Close, account: Account) -> Withdrawn:
            try:
                other.execute(Deposit(account="A", amount=Decimal(1)))
                overtaken.append("overtaken")
            except Busy:
                overtaken.append("alone")
            return Withdrawn(account=command.account, amount=account.balance)

        close.__annotations__ = {"command": Close, "account": Account, "return": Withdrawn}
        hot.decides(close)
        with hot.open(path, actor="t") as one:
            one.execute(Open(account="A", email="a@x"))
            decided = one.execute(Close(account="A"))
    assert overtaken == ["overtaken"] * (ATTEMPTS - 1) + ["alone"]
    assert decided.events == (Withdrawn(account="A", amount=Decimal(ATTEMPTS - 1)),)


@pytest.mark.parametrize("wrong", ["Open", 7, None, Opened(account="A", email="a"), Open])
def test_what_is_no_command_is_said_to_be_none(running: Running, wrong: object) -> None:
    with pytest.raises(Invalid, match="expected a command, found"):
        running.execute(wrong)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="append: expected events, found"):
        running.append(Open(account="A", email="a") if isinstance(wrong, Opened) else wrong)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="expected a query of the journal"):
        running.events(wrong)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="expected a class of states or views, found"):
        running.state(wrong, "A")  # type: ignore[type-var]
    assert running.head() == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"states_kept": -1}, "states_kept: expected 0 or more, found -1"),
        ({"states_kept": "x"}, "states_kept: expected 0 or more, found 'x'"),
        ({"durability": "power-loss"}, "durability: expected Durability.POWER_LOSS or .* found 'power-loss'"),
        ({"timeout": -1}, "timeout: expected 0 to 86,400 seconds, found -1"),
        ({"payload_limit": 0}, "payload_limit: expected"),
        ({"actor": ""}, "actor: expected text of 1 to 2000 characters, found ''"),
        ({"actor": 7}, "actor: expected text of 1 to 2000 characters, found 7"),
    ],
)
@pytest.mark.parametrize("journal", ["memory:", "bank.db"])
def test_settings_are_checked_before_anything_runs(
    tmp_path: Path, journal: str, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        a_bank().open(journal if journal == "memory:" else tmp_path / journal, **settings)


def test_an_application_runs_on_a_store_that_somebody_else_has_opened() -> None:
    store = MemoryStore()
    with a_bank().open(store, actor="t") as running:
        running.execute(Open(account="A", email="a@x"))
        assert store.head() == 1


def test_uniqueness_holds_for_commands_of_one_moment(running: Running) -> None:
    outcomes: list[str] = []

    def register(number: int) -> None:
        try:
            running.execute(Open(account=f"A{number}", email="same@x"))
            outcomes.append("accepted")
        except Refused:
            outcomes.append("refused")

    threads = [threading.Thread(target=register, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["accepted"] + ["refused"] * 15
    assert len(list(running.store.read(Query.of(types=["Opened"])))) == 1


def test_nobody_acting_is_an_error_and_nothing_is_written() -> None:
    with a_bank().open("memory:") as running:
        with pytest.raises(Invalid, match="nobody is acting"):
            running.execute(Open(account="A", email="a@x"))
        assert running.head() == 0
        with acting("alice", reason="by phone"), acting(on_behalf_of="bob"):
            running.execute(Open(account="A", email="a@x"))
        metadata = next(iter(running.store.read())).metadata
    assert (metadata.actor, metadata.reason, metadata.on_behalf_of) == ("alice", "by phone", "bob")


def test_the_envelope_says_who_what_why_and_with_which_code(running: Running) -> None:
    story, cause, moment = uuid4(), uuid4(), datetime(2020, 2, 29, 12, tzinfo=UTC)
    decided = running.execute(
        Open(account="A", email="a@x"),
        id=UUID(int=7),
        actor="alice",
        on_behalf_of="bob",
        reason="r",
        correlation=story,
        causation=cause,
        effective_at=moment,
    )
    stored = next(iter(running.store.read(after=decided.position - 1)))
    metadata = stored.metadata
    assert (metadata.actor, metadata.on_behalf_of, metadata.reason) == ("alice", "bob", "r")
    assert (metadata.command_id, metadata.command_type, metadata.producer) == (UUID(int=7), "Open", "bank@1.2+abc")
    assert (metadata.correlation_id, metadata.causation_id) == (story, cause)
    assert stored.effective_at == moment
    assert stored.recorded_at != moment


def test_the_story_begins_with_the_command_where_none_is_named(running: Running) -> None:
    decided = running.execute(Open(account="A", email="a@x"))
    metadata = next(iter(running.store.read())).metadata
    assert metadata.correlation_id == metadata.causation_id == metadata.command_id == decided.command_id


class Break(Deposit):
    """Its rule changes what it looks at, and fails."""


def add_breaking(bank: App) -> None:
    """With a rule that fails."""

    @bank.decides
    def breaks(command: Break, account: Account) -> Deposited:
        account.balance += 1_000_000
        raise ZeroDivisionError


def test_a_rule_that_fails_writes_nothing_and_spoils_nothing() -> None:
    bank = a_bank()

    add_breaking(bank)
    with bank.open("memory:", actor="t") as running:
        running.execute(Open(account="A", email="a@x"))
        with pytest.raises(ZeroDivisionError):
            running.execute(Break(account="A", amount=Decimal(1)))
        assert running.head() == 1
        with pytest.raises(Refused, match="insufficient"):
            running.execute(Withdraw(account="A", amount=Decimal(1)))


def test_facts_without_a_rule_are_appended_under_their_condition(running: Running) -> None:
    running.append(Opened(account="A", email="a@x"), Deposited(account="A", amount=Decimal(5)))
    condition = AppendCondition(Query.of(tags=["account:A"]), after=1)
    with pytest.raises(Conflict) as conflict:
        running.append(Deposited(account="A", amount=Decimal(1)), condition=condition)
    assert (conflict.value.position, conflict.value.type, conflict.value.after) == (2, "Deposited", 1)
    assert "position 2" in str(conflict.value)
    running.execute(Withdraw(account="A", amount=Decimal(5)))


def test_a_payload_over_the_limit_is_refused_alone(tmp_path: Path) -> None:
    with a_bank().open(tmp_path / "j.db", actor="t", payload_limit=200) as running:
        failures: list[BaseException] = []
        start = threading.Barrier(8)

        def register(number: int) -> None:
            start.wait()
            try:
                running.execute(Open(account=f"A{number}", email="x" * (300 if number == 3 else 3) + str(number)))
            except Invalid as wrong:
                failures.append(wrong)

        threads = [threading.Thread(target=register, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(failures) == 1
        assert "at most 200 bytes" in str(failures[0])
        assert running.head() == 7


def test_a_decision_sees_what_another_process_wrote(tmp_path: Path) -> None:
    with a_bank().open(tmp_path / "j.db", actor="t") as one, a_bank().open(tmp_path / "j.db", actor="t") as other:
        one.execute(Open(account="A", email="a@x"))
        one.execute(Deposit(account="A", amount=Decimal(10)))
        other.execute(Withdraw(account="A", amount=Decimal(10)))
        with pytest.raises(Refused, match="insufficient funds"):
            one.execute(Withdraw(account="A", amount=Decimal(1)))
        other.execute(Deposit(account="A", amount=Decimal(4)))
        one.execute(Withdraw(account="A", amount=Decimal(4)))


@pytest.mark.parametrize("states_kept", [0, 3, 10_000])
def test_money_is_conserved_under_threads_whatever_is_kept(tmp_path: Path, states_kept: int) -> None:
    bank, names = a_bank(), ["A", "B", "C", "D", "E"]
    with bank.open(tmp_path / "j.db", actor="t", states_kept=states_kept) as running:
        for name in names:
            running.execute(Open(account=name, email=name))
            running.execute(Deposit(account=name, amount=Decimal(5)))

        def move(seed: int) -> None:
            for step in range(25):
                source, target = names[(seed + step) % 5], names[(seed * 3 + step * 2 + 1) % 5]
                if source != target:
                    try:
                        running.execute(Transfer(source=source, target=target, amount=Decimal(step % 4 + 1)))
                    except Refused:
                        continue

        threads = [threading.Thread(target=move, args=(seed,)) for seed in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        balances: dict[str, Decimal] = dict.fromkeys(names, Decimal(0))
        for stored in running.store.read():
            for event in bank.codec.decode(stored):
                match event:
                    case Deposited():
                        balances[event.account] += event.amount
                    case Transferred():
                        balances[event.source] -= event.amount
                        balances[event.target] += event.amount
                        assert balances[event.source] >= 0, f"overdrawn at position {stored.position}"
    assert sum(balances.values()) == 25


def test_an_import_that_is_run_again_gets_all_its_first_answers(running: Running) -> None:
    running.execute(Open(account="A", email="a@x"))

    def imported() -> list[object]:
        answers: list[object] = []
        for number in range(5):
            try:
                decided = running.execute(Deposit(account="A", amount=Decimal(number + 1)), id=f"D-{number}")
                answers.append((decided.position, decided.events))
            except Refused as refused:
                answers.append((refused.position, refused.reason))
        return answers

    first, head = imported(), running.head()
    assert imported() == imported() == first
    assert running.head() == head
    with pytest.raises(Reused):
        running.execute(Deposit(account="A", amount=Decimal(99)), id="D-4")
    assert running.execute(Deposit(account="A", amount=Decimal(1)), id="D-5").position == head + 1
    assert running.state(Account, "A").balance == Decimal(16)


# What commands of one batch know of each other.


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
    except Exception as wrong:  # noqa: BLE001 - whatever it is, it is the answer
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


def test_a_rule_that_fails_in_a_batch_fails_alone() -> None:
    bank = a_bank()
    add_breaking(bank)
    bench = Bench(bank, MemoryStore())
    bench.decide((Open(account="A", email="a"), None))
    failing = [(Break(account="A", amount=Decimal(1)), None)] * (ATTEMPTS + 1)
    outcomes = bench.decide(
        (Deposit(account="A", amount=Decimal(5)), None),
        *failing,
        (Withdraw(account="A", amount=Decimal(4)), None),
        (Withdraw(account="A", amount=Decimal(4)), None),
    )
    assert [type(one) for one in outcomes] == [Decided, *[ZeroDivisionError] * (ATTEMPTS + 1), Decided, Refused]
    assert positions(bench.store.read()) == [1, 2, 3, 4]


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
    bench = Bench(narrow_withdrawals(lambda: None), MemoryStore())
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
def test_a_commit_that_breaks_off_is_found_out_by_the_command_id(*, writes: bool) -> None:
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

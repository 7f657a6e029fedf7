"""What cannot be taken is parked; what comes after it waits, in order; the others do not notice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actum import App, Busy, Command, Event, Misdeclared, Process, Refused, Timer
from actum.journal.upcast import split
from actum.process.parking import PARKS
from actum.process.record import Discarded, Forgone, Parked, Retried, Served, Waiting
from actum.subscription.policy import park, skip, stop
from tests.unit.process.payouts import (
    Bench,
    Deposit,
    Deposited,
    Open,
    PayoutId,
    Remind,
    Reminded,
    Request,
    Requested,
    a_bank,
    deposit,
    lose_the_read_database,
    remind,
    request,
)

PAUSES = [PARKS.pause * 2**number for number in range(PARKS.attempts - 1)]
HOPELESS = sum(PAUSES) + 60
"""Seconds after which everything that is tried again by itself has been."""

moods: dict[str, Exception] = {}
"""What befalls the reaction of an instance; read by the code under test, so that it can be mended."""


class Counting(Process, starts=Requested):
    payout: PayoutId
    seen: int = 0

    def evolve(self, event: Requested | Reminded) -> None:
        self.seen += 1

    def react(self, event: Requested | Reminded) -> Iterator[Command]:
        if self.payout in moods:
            raise moods[self.payout]
        yield Deposit(account=f"{self.payout}-{self.seen}", amount=Decimal(self.seen))


@pytest.fixture(autouse=True)
def _good_mood() -> None:
    moods.clear()


def ask(name: str) -> Request:
    return Request(payout=name, account="A", amount=Decimal(1))


def deposits(bench: Bench) -> list[str]:
    return [event.event.account for event in bench.running.events() if isinstance(event.event, Deposited)]


def test_what_fails_is_parked_with_its_error_and_the_others_go_on(at_work: Open):
    bench = at_work(a_bank(payout=Counting))
    moods["P"] = ZeroDivisionError("no")
    bench.do(ask("P"), ask("Q"))
    assert deposits(bench) == ["Q-1"]
    row = bench.running.processes.instances().get("Counting/P")
    assert row is not None
    assert (row.status, row.error, row.process) == ("parked", "ZeroDivisionError: no", "Counting")
    (parked,) = [event for event in bench.running.events() if isinstance(event.event, Parked)]
    cause = next(event for event in bench.running.events() if event.type == "Requested")
    assert parked.event.event == parked.metadata.causation == cause.id
    assert parked.event.position == row.parked_at == cause.position


def test_what_comes_later_for_the_same_instance_waits_in_order(at_work: Open):
    bench = at_work(a_bank(payout=Counting))
    moods["P"] = ZeroDivisionError("no")
    bench.do(ask("P"), Remind(payout="P"), Remind(payout="P"))
    assert deposits(bench) == []
    moods.clear()
    bench.pass_time(seconds=PAUSES[0])
    assert deposits(bench) == ["P-1", "P-2", "P-3"]
    assert bench.running.processes.instances().get("Counting/P").status == "open"
    kinds = [type(e.event) for e in bench.running.events() if isinstance(e.event, Parked | Waiting | Served)]
    assert kinds == [Parked, Waiting, Waiting, Served, Served, Served]
    bench.do(Remind(payout="P"))
    assert deposits(bench)[-1] == "P-4"


def test_it_is_tried_again_a_little_later_each_time_and_then_left_to_a_person(at_work: Open):
    bench = at_work(a_bank(payout=Counting))
    moods["P"] = ZeroDivisionError("no")
    bench.do(ask("P"))
    for pause in PAUSES:
        bench.pass_time(seconds=pause * 0.9)
        bench.pass_time(seconds=pause * 0.1)
    parked = [event.event for event in bench.running.events() if isinstance(event.event, Parked)]
    assert [one.attempt for one in parked] == [1, 2, 3, 4, 5]
    assert parked[-1].again is None
    bench.pass_time(days=365)
    assert bench.types().count("actum.parked") == 5


class Patient(Counting, starts=Requested, on_failure=park(attempts=3, pause=60)):
    """As often, and after such pauses, as it says."""


def test_a_process_says_how_often_and_after_which_pauses_it_is_tried_again(at_work: Open):
    bench = at_work(a_bank(payout=Patient))
    moods["P"] = ZeroDivisionError("no")
    bench.do(ask("P"))
    for seconds in (29, 31, 59, 61):
        bench.pass_time(seconds=seconds)
    parked = [event for event in bench.running.events() if isinstance(event.event, Parked)]
    waits = [one.event.again - one.recorded_at for one in parked if one.event.again is not None]  # type: ignore[attr-defined]
    assert [one.event.attempt for one in parked] == [1, 2, 3]  # type: ignore[attr-defined]
    assert all(most / 2 <= wait.total_seconds() <= most for wait, most in zip(waits, (60, 120), strict=True))


def test_a_process_neither_stands_still_nor_passes_over():
    for policy in (stop(), skip("never mind"), park):
        with pytest.raises(Misdeclared, match="Hasty: on_failure: expected park"):
            type(Process)("Hasty", (Counting,), {}, starts=Requested, on_failure=policy)


def test_a_person_retries_with_a_reason_once_the_code_is_mended(at_work: Open):
    bench = at_work(a_bank(payout=Counting))
    moods["P"] = ZeroDivisionError("no")
    bench.do(ask("P"), Remind(payout="P"))
    for _ in PAUSES:
        bench.pass_time(seconds=HOPELESS)
    bench.running.processes.retry(Counting, "P", reason="have another look", actor="ops")
    bench.pass_time(seconds=0)
    assert deposits(bench) == []
    moods.clear()
    bench.running.processes.retry(Counting, "P", reason="mended", actor="ops")
    bench.pass_time(seconds=0)
    assert deposits(bench) == ["P-1", "P-2"]
    last = [event for event in bench.running.events() if isinstance(event.event, Retried)][-1]
    assert (last.event.reason, last.metadata.actor, last.metadata.reason) == ("mended", "ops", "mended")


def test_what_was_parked_before_a_program_began_is_retried_by_it(tmp_path: Path):
    moods["P"] = ZeroDivisionError("no")
    app = a_bank(payout=Counting)
    with app.open(tmp_path / "bank.db", actor="web", follow=False) as running:
        running.execute(ask("P"))
        running.processes.catch_up()
    moods.clear()
    with app.open(tmp_path / "bank.db", actor="web", follow=False) as running:
        running.processes.retry(Counting, "P", reason="mended", actor="ops")
        running.processes.catch_up()
        assert [event.event.account for event in running.events() if isinstance(event.event, Deposited)] == ["P-1"]


def test_what_is_taken_after_all_says_up_to_where_everything_was_reacted_to(tmp_path: Path):
    """So without its read database a process goes on from there, and never from the past that it left alone."""
    before = App("bank")
    before.decides(request)
    bench = Bench(tmp_path / "bank.db", before)
    bench.running.execute(ask("past"))
    bench = bench.again(a_bank(payout=Counting))
    moods["P"] = ZeroDivisionError("no")
    bench.do(ask("P"), ask("Q"))
    moods.clear()
    bench.pass_time(seconds=1)
    before_loss = bench.types()
    lose_the_read_database(bench)
    (follower,) = (one for one in bench.running.processes._worker._followers if one.purpose.name == "Counting")
    follower.begin()
    asked = [event.position for event in bench.running.events() if isinstance(event.event, Requested)]
    assert follower.position >= asked[-1]
    bench.pass_time(seconds=1)
    assert bench.types() == before_loss
    bench.running.close()


def test_a_person_discards_with_a_reason_and_what_waits_goes_on(at_work: Open):
    bench = at_work(a_bank(payout=Counting))
    moods["P"] = ZeroDivisionError("no")
    bench.do(ask("P"), Remind(payout="P"))
    moods.clear()
    bench.running.processes.discard(Counting, "P", reason="a test", actor="ops")
    bench.pass_time(seconds=0)
    assert deposits(bench) == ["P-2"]
    (discarded,) = [event.event for event in bench.running.events() if isinstance(event.event, Discarded)]
    assert discarded.reason == "a test"


def test_what_was_discarded_stays_so_when_the_read_database_is_lost(at_work: Open):
    bench = at_work(a_bank(payout=Counting))
    moods["P"] = ZeroDivisionError("no")
    bench.do(ask("P"))
    bench.running.processes.discard(Counting, "P", reason="a test")
    moods.clear()
    lose_the_read_database(bench)
    bench.pass_time(days=1)
    assert deposits(bench) == []


def test_there_is_nothing_to_retry_or_discard_where_nothing_is_parked(at_work: Open):
    bench = at_work(a_bank(payout=Counting))
    bench.do(ask("P"))
    for verb in (bench.running.processes.retry, bench.running.processes.discard):
        with pytest.raises(Refused, match="nothing is parked"):
            verb(Counting, "P", reason="just so")


def failing(command: Deposit) -> Deposited:
    if "deposit" in moods:
        raise moods["deposit"]
    return deposit(command)


def a_failing_bank(process: type[Process] = Counting) -> App:
    bank = App("bank")
    bank.decides(failing)
    bank.decides(request)
    bank.decides(remind)
    bank.process(process)
    return bank


def test_a_command_that_fails_parks_the_event_and_is_given_later(at_work: Open):
    bench = at_work(a_failing_bank())
    moods["deposit"] = ZeroDivisionError("in the rule")
    bench.do(ask("P"), Remind(payout="P"))
    assert bench.types().count("actum.reacted") == 1
    assert bench.running.processes.instances().get("Counting/P").error == "ZeroDivisionError: in the rule"
    moods.clear()
    bench.pass_time(seconds=1)
    assert deposits(bench) == ["P-1", "P-2"]
    assert bench.types().count("actum.reacted") == 2


class Later(Process, starts=Requested):
    payout: PayoutId

    def evolve(self, event: Requested) -> None: ...

    def react(self, event: Requested) -> Iterator[Command | Timer]:
        yield Remind(payout=self.payout)
        yield Deposit(account="at once", amount=Decimal(1))
        yield Timer("later", after=timedelta(seconds=1), then=Deposit(account="later", amount=Decimal(1)))


def test_what_was_discarded_is_never_given_though_it_was_on_record_that_it_would_be(at_work: Open):
    """A reaction whose command failed, and the command of a timer: neither is given by code that is mended."""
    bench = at_work(a_failing_bank(Later))
    moods["deposit"] = ZeroDivisionError("in the rule")
    bench.do(ask("P"))
    bench.pass_time(seconds=1)
    parked = bench.running.processes.instances().where("status", "=", "parked")
    names = [row.instance for row in parked]
    assert [name.partition("/")[0] for name in names] == ["Later", "timers"]
    for name in names:
        bench.running.processes.discard_instance(name, reason="a test", actor="ops")
    moods.clear()
    given = bench.types()
    lose_the_read_database(bench)
    bench.pass_time(seconds=60)
    bench.running.processes.react_again()
    bench.pass_time(seconds=60)
    assert deposits(bench) == []
    assert bench.types() == given, "nothing was done that is not on record already"
    forgone = [event for event in bench.running.events() if isinstance(event.event, Forgone)]
    assert [event.event.instance for event in forgone] == names
    assert {(event.metadata.actor, event.event.reason) for event in forgone} == {("ops", "a test")}


class Asked(Event):
    payout: PayoutId


def twice(data: dict[str, Any]) -> list[tuple[str, int, dict[str, Any]]]:
    return [("Requested", 1, {**data, "account": "A", "amount": "1"}), ("Reminded", 1, data)]


def test_all_that_a_discarded_event_is_today_stays_unanswered(tmp_path: Path):
    today, before = a_bank(payout=Counting), App("bank")
    today.upcast("Asked", 1, split(twice, into=[("Requested", 1), ("Reminded", 1)]))
    before.knows(Asked)
    bench = Bench(tmp_path / "bank.db", today).again(before)
    bench.running.append(Asked(payout="P"))
    moods["P"] = ZeroDivisionError("no")
    bench = bench.again(today)
    bench.pass_time(seconds=0)
    bench.running.processes.discard(Counting, "P", reason="a test")
    moods.clear()
    lose_the_read_database(bench)
    bench.pass_time(seconds=60)
    assert deposits(bench) == []
    bench.do(Remind(payout="P"))
    assert deposits(bench) == ["P-3"]
    bench.running.close()


def test_a_journal_that_is_busy_parks_nothing(at_work: Open):
    bench = at_work(a_failing_bank())
    moods["deposit"] = Busy("somebody writes")
    bench.running.execute(ask("P"))
    with pytest.raises(Busy):
        bench.running.processes.catch_up()
    assert "actum.parked" not in bench.types()
    moods.clear()
    bench.pass_time(seconds=0)
    assert deposits(bench) == ["P-1"]


def test_what_was_parked_by_another_worker_is_respected(at_work: Open):
    """Two workers over one journal: one parks, the other meets the next event and has it wait."""
    bench = at_work(a_bank(payout=Counting))
    moods["P"] = ZeroDivisionError("no")
    one = bench.running.processes._worker._takers["Counting"]
    bench.do(ask("P"))
    moods.clear()
    one.forget()  # as a worker does that was not there when it was parked
    bench.do(Remind(payout="P"))
    assert deposits(bench) == []
    assert bench.types()[-1] == "actum.waiting"
    bench.pass_time(seconds=1)
    assert deposits(bench) == ["P-1", "P-2"]


def test_what_another_worker_has_served_is_not_waited_for(at_work: Open):
    bench = at_work(a_bank(payout=Counting))
    bench.do(ask("P"))
    taker = bench.running.processes._worker._takers["Counting"]
    taker._parked.add("Counting/P")
    bench.do(Remind(payout="P"))
    assert deposits(bench) == ["P-1", "P-2"]
    assert "actum.waiting" not in bench.types()

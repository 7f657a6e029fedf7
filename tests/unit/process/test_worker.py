"""Timers and schedules: late, never lost, never twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from actum import App, Command, Event, Invalid, Refused
from actum.process.naming import derived
from actum.process.record import TimerCancelled, TimerFired, TimerSet
from actum.process.schedule import Daily, Every, Monthly
from actum.service.agenda import TimerRow
from tests.unit.process.payouts import (
    START,
    Account,
    Bench,
    Deposit,
    Open,
    OtherBank,
    Overdue,
    Payout,
    Remind,
    Reminded,
    Request,
    a_bank,
    remind,
)

MONEY = Deposit(account="A", amount=Decimal(100))
PAY = Request(payout="P", account="A", amount=Decimal(30))


def a_silent_bank() -> App:
    outside = OtherBank()
    outside.troubles = [TimeoutError() for _ in range(20)]
    return a_bank(outside, attempts=1)


def fired(bench: Bench) -> list[str]:
    return [event.event.name for event in bench.running.events() if isinstance(event.event, TimerFired)]


def test_a_timer_lets_its_event_happen_or_its_command_be_given(at_work: Open):
    bench = at_work(a_silent_bank())
    bench.do(MONEY, PAY)
    bench.pass_time(hours=23)
    assert fired(bench) == []
    bench.pass_time(hours=1)
    assert fired(bench) == ["reminder"]
    assert "Reminded" in bench.types()
    bench.pass_time(days=1)
    assert fired(bench) == ["reminder", "overdue"]
    assert bench.running.state(Account, "A").balance == Decimal(100)
    assert bench.running.state(Payout, "P").ended


def test_the_event_of_a_timer_stands_beside_its_firing_in_one_append(at_work: Open):
    bench = at_work(a_silent_bank())
    bench.do(MONEY, PAY)
    bench.pass_time(days=2)
    one, other = [event for event in bench.running.events() if event.type in ("actum.timer-fired", "Overdue")][-2:]
    assert (one.type, other.event) == ("actum.timer-fired", Overdue(payout="P"))
    assert one.position + 1 == other.position
    assert one.metadata.command_id == other.metadata.command_id


def test_what_a_timer_leads_to_has_the_setting_as_its_cause_and_the_same_story(at_work: Open):
    bench = at_work(a_silent_bank())
    bench.do(MONEY)
    asked = bench.running.execute(PAY)
    bench.pass_time(seconds=0)
    bench.pass_time(days=1)
    events = {event.type: event for event in bench.running.events()}
    setting = next(
        event
        for event in bench.running.events()
        if isinstance(event.event, TimerSet) and event.event.name == "reminder"
    )
    assert events["actum.timer-fired"].metadata.causation == setting.id
    assert events["Reminded"].metadata.causation == events["actum.timer-fired"].id
    for type in ("actum.timer-fired", "Reminded"):
        assert events[type].metadata.correlation_id == asked.command_id
        assert events[type].metadata.on_behalf_of == "teller"


def test_timers_that_were_due_while_nobody_was_there_fire_late_and_once(at_work: Open):
    bench = at_work(a_silent_bank())
    bench.do(MONEY, PAY)
    bench.clock.set(bench.clock.now() + 400 * 86_400 * 1_000_000)
    bench.running.processes.catch_up()
    assert sorted(fired(bench)) == ["overdue", "reminder"]
    late = [event.event for event in bench.running.events() if isinstance(event.event, TimerFired)]
    assert {one.at - one.due for one in late} == {timedelta(days=399), timedelta(days=398)}
    before = bench.types()
    bench.pass_time(days=400)
    assert bench.types() == before


def test_timers_survive_a_restart_and_a_read_database_that_is_lost(tmp_path: Path):
    bench = Bench(tmp_path / "bank.db", a_silent_bank())
    bench.do(MONEY, PAY)
    bench.running.close()
    for file in tmp_path.glob("bank.views.db*"):
        file.unlink()
    bench = Bench(bench.address, a_silent_bank(), bench.clock)
    bench.pass_time(days=1)
    assert fired(bench) == ["reminder"]
    bench = bench.again()
    bench.pass_time(days=1)
    assert fired(bench) == ["reminder", "overdue"]
    bench.running.close()


def test_a_timer_of_the_same_name_takes_the_place_of_the_old_one(at_work: Open):
    bench = at_work(a_silent_bank())
    bench.do(MONEY, PAY)
    bench.pass_time(hours=12)
    bench.do(PAY)  # the process starts over: it sets both timers again
    cancelled = [event.event.name for event in bench.running.events() if isinstance(event.event, TimerCancelled)]
    assert cancelled == ["overdue", "reminder"]
    bench.pass_time(hours=12)
    assert fired(bench) == []
    bench.pass_time(hours=12)
    assert fired(bench) == ["reminder"]


def test_the_end_of_an_instance_cancels_its_timers(at_work: Open):
    bench = at_work(a_bank())
    bench.do(MONEY, PAY)
    assert {row.status for row in bench.running.processes.timers()} == {"cancelled"}
    bench.pass_time(days=9)
    assert fired(bench) == []


def test_two_workers_that_fire_at_once_fire_once(at_work: Open):
    bench = at_work(a_silent_bank())
    bench.do(MONEY, PAY)
    bench.clock.set(bench.clock.now() + 86_400_000_000)
    worker, now = bench.running.processes._worker, bench.running.processes.now()
    timers = worker._agenda.timers(now, 10, mine=worker._is_mine)
    assert len(timers) == 1
    worker._fire_these(timers, now)
    worker._fire_these(timers, now + timedelta(seconds=1))
    assert fired(bench) == ["reminder"]


def test_of_firing_and_cancelling_exactly_one_wins(at_work: Open):
    bench = at_work(a_silent_bank())
    timer = bench.running.processes.set_timer(Remind(payout="P"), at=START + timedelta(hours=1), name="call")
    bench.running.processes.cancel_timer(timer, reason="no need")
    bench.pass_time(days=1)
    assert fired(bench) == []
    with pytest.raises(Refused, match="not set"):
        bench.running.processes.cancel_timer(timer)


def test_a_command_can_be_scheduled_from_outside_and_only_once(at_work: Open):
    bench = at_work(a_silent_bank())
    at = START + timedelta(hours=1)
    for _ in range(2):
        bench.running.processes.set_timer(Remind(payout="P"), at=at, name="call", actor="ada", reason="asked for it")
    (row,) = bench.running.processes.timers()
    assert (row.then, row.due, row.status) == ("Remind@1", at, "set")
    bench.pass_time(hours=1)
    assert bench.types().count("Reminded") == 1
    with pytest.raises(Invalid, match="naive"):
        bench.running.processes.set_timer(Remind(payout="P"), at=datetime(2026, 1, 1), name="call")  # noqa: DTZ001


def test_a_command_that_no_rule_takes_any_more_is_parked_and_loses_nothing(at_work: Open):
    bench = at_work(a_silent_bank())
    bench.running.processes.set_timer(Remind(payout="P"), at=START + timedelta(hours=1), name="call")
    rule = bench.app._commands.pop("Remind")
    bench.pass_time(hours=1)
    (row,) = bench.running.processes.instances()
    assert (row.status, row.process) == ("parked", "timers")
    assert row.error is not None
    assert "expected a rule for Remind@1" in row.error
    bench.app._commands["Remind"] = rule
    bench.pass_time(seconds=1)
    assert bench.types().count("Reminded") == 1


# Schedules.


class Ticked(Event):
    due: datetime


class Tick(Command):
    due: datetime


def tick(command: Tick) -> Ticked:
    return Ticked(due=command.due)


def a_ticking_app(when: Daily | Every, *, merge_missed: bool = False) -> App:
    app = App("clockwork")
    app.decides(tick)

    @app.schedule(when, merge_missed=merge_missed)
    def ticking(due: datetime) -> Tick:
        return Tick(due=due)

    return app


def ticks(bench: Bench) -> list[str]:
    return [f"{event.event.due:%d %H:%M}" for event in bench.running.events() if isinstance(event.event, Ticked)]


def test_what_recurs_has_each_turn_once(at_work: Open):
    bench = at_work(a_ticking_app(Daily("06:00", zone="Europe/Paris")))
    bench.pass_time(hours=12)
    assert ticks(bench) == []
    for _ in range(48):
        bench.pass_time(hours=1)
    assert ticks(bench) == ["02 05:00", "03 05:00"]
    assert [row.status for row in bench.running.processes.timers()].count("set") == 1


def test_turns_that_were_missed_are_taken_late_each_of_them(at_work: Open):
    bench = at_work(a_ticking_app(Daily("05:00", zone="UTC")))
    bench.pass_time(days=3)
    assert ticks(bench) == ["02 05:00", "03 05:00", "04 05:00"]


def test_turns_that_were_missed_can_be_taken_as_one(at_work: Open):
    bench = at_work(a_ticking_app(Daily("05:00", zone="UTC"), merge_missed=True))
    bench.pass_time(days=3)
    assert ticks(bench) == ["02 05:00"]
    bench.pass_time(days=1)
    assert ticks(bench) == ["02 05:00", "05 05:00"]


def test_a_schedule_goes_on_after_a_restart_and_another_rule_takes_over(tmp_path: Path):
    bench = Bench(tmp_path / "clock.db", a_ticking_app(Daily("05:00", zone="UTC")))
    bench.pass_time(days=1)
    bench = bench.again()
    bench.pass_time(hours=20)
    assert ticks(bench) == ["02 05:00", "03 05:00"]
    bench = bench.again(a_ticking_app(Daily("09:00", zone="UTC")))
    bench.pass_time(hours=26)
    assert ticks(bench) == ["02 05:00", "03 05:00", "03 09:00", "04 09:00"]
    bench.running.close()


def test_a_turn_of_a_schedule_that_is_not_declared_is_taken_by_nobody_and_can_be_cancelled(tmp_path: Path):
    bench = Bench(tmp_path / "clock.db", a_ticking_app(Daily("05:00", zone="UTC")))
    other = App("clockwork")
    other.decides(tick)
    other.decides(remind)
    other.schedule(Every(timedelta(days=400)))(_never)
    bench = bench.again(other)
    bench.pass_time(days=2)
    assert ticks(bench) == []
    rows: list[TimerRow] = list(bench.running.processes.timers())
    assert [row.status for row in rows] == ["set", "set"]
    (left,) = [row for row in rows if row.due is not None and row.due < START + timedelta(days=2)]
    bench.running.processes.cancel_timer(left.timer, actor="ops", reason="nobody declares it any more")
    bench.running.processes.catch_up()
    assert sorted(row.status for row in bench.running.processes.timers()) == ["cancelled", "set"]
    bench.running.close()


def _never(due: datetime) -> Remind:
    return Remind(payout=str(due))


def a_moody_clockwork(moods: list[Exception]) -> App:
    """One schedule that fails while there is a mood, and one that never does."""
    app = a_ticking_app(Daily("05:00", zone="UTC"))
    app.decides(remind)

    @app.schedule(Daily("04:00", zone="UTC"))
    def moody(due: datetime) -> Remind:
        if moods:
            raise moods[-1]
        return Remind(payout=f"{due:%d}")

    return app


def reminded(bench: Bench) -> list[str]:
    return [event.event.payout for event in bench.running.events() if isinstance(event.event, Reminded)]


@pytest.mark.parametrize("mood", [ValueError("the rate of that day is missing"), Refused("not today")])
def test_a_turn_that_cannot_be_taken_is_parked_and_everything_else_goes_on(at_work: Open, mood: Exception):
    moods = [mood]
    bench = at_work(a_moody_clockwork(moods))
    for _ in range(3):
        bench.pass_time(days=1)
    assert ticks(bench) == ["02 05:00", "03 05:00", "04 05:00"]
    (row,) = bench.running.processes.instances()
    assert (row.process, row.status) == ("timers", "parked")
    assert row.error is not None
    assert str(mood) in row.error
    (timer,) = bench.running.processes.timers().where("status", "=", "parked")
    assert (timer.schedule, timer.due) == ("moody", None)
    moods.clear()
    bench.running.processes.retry_instance(row.instance, reason="mended")
    bench.pass_time(seconds=0)
    assert reminded(bench) == ["02", "03", "04"], "late, each of them and in order"


def test_a_turn_that_is_discarded_is_never_taken_and_its_schedule_goes_on(tmp_path: Path):
    moods: list[Exception] = [ValueError("no")]
    bench = Bench(tmp_path / "clock.db", a_moody_clockwork(moods))
    bench.pass_time(hours=20)
    (row,) = bench.running.processes.instances()
    moods.clear()
    bench.running.processes.discard_instance(row.instance, reason="a bank holiday", actor="ops")
    bench.running.close()
    for file in tmp_path.glob("clock.views.db*"):
        file.unlink()
    bench = Bench(bench.address, bench.app, bench.clock)
    bench.pass_time(days=2)
    assert reminded(bench) == ["03", "04"]
    assert [row.status for row in bench.running.processes.timers().where("schedule", "=", "moody")].count("set") == 1
    bench.running.close()


def test_a_timer_whose_event_the_program_does_not_know_any_more_is_parked_and_the_others_fire(tmp_path: Path):
    bench = Bench(tmp_path / "bank.db", a_silent_bank())
    bench.running.processes.set_timer(Overdue(payout="P"), at=START, name="gone")
    bench.running.processes.set_timer(Remind(payout="P"), at=START + timedelta(hours=1), name="still there")
    younger = App("bank")
    younger.decides(remind)
    younger.schedule(Every(timedelta(days=400)))(_never)
    bench = bench.again(younger)
    bench.pass_time(hours=2)
    assert fired(bench) == ["still there"]
    (row,) = bench.running.processes.instances()
    assert (row.process, row.status) == ("timers", "parked")
    bench = bench.again(a_silent_bank())
    bench.running.processes.retry_instance(row.instance, reason="it is there again")
    bench.pass_time(seconds=0)
    assert fired(bench) == ["still there", "gone"]
    assert bench.types()[-2:] == ["Overdue", "actum.served"]
    bench.running.close()


def test_ids_that_follow_from_the_same_are_the_same_and_no_others():
    assert derived("a", 1) == derived("a", "1")
    assert len({derived("a", "b"), derived("ab"), derived("a", "b", ""), derived("b", "a")}) == 4


def test_the_worker_rests_until_something_is_due_and_looks_anyway(at_work: Open):
    bench = at_work(a_silent_bank())
    worker = bench.running.processes._worker
    assert worker.rest(1.0) == 1.0
    bench.running.processes.set_timer(
        Remind(payout="P"), at=START.astimezone(UTC) + timedelta(seconds=0.25), name="soon"
    )
    worker._agenda.catch_up()
    assert worker.rest(1.0) == pytest.approx(0.25)


class Count(Command):
    turn: str


class Counted(Event):
    turn: str


def _counting(at: str) -> App:
    app = App("counting", version=at)

    @app.decides
    def count(command: Count) -> Counted:
        return Counted(turn=command.turn)

    @app.schedule(Daily(at, zone="UTC"))
    def count_the_day(due: datetime) -> Count:
        return Count(turn=f"{due:%d %H:%M}")

    return app


def test_while_an_older_program_works_beside_a_newer_one_with_another_rule_no_turn_is_lost_and_none_taken_twice(
    tmp_path: Path,
):
    older = Bench(tmp_path / "journal.db", _counting("02:30"))
    older.running.processes.catch_up()
    newer = Bench(tmp_path / "journal.db", _counting("03:30"), older.clock)
    newer.running.processes.catch_up()
    for _ in range(48):
        older.pass_time(hours=1)
        newer.pass_time(seconds=0)
    older.running.close()
    for _ in range(72):
        newer.pass_time(hours=1)
    turns = [event.event.turn for event in newer.running.events() if isinstance(event.event, Counted)]
    newer.running.close()
    assert turns == ["02 03:30", "03 02:30", "04 02:30", "04 03:30", "05 03:30", "06 03:30"], (
        "each by the rule of whoever set it"
    )


def test_a_turn_of_a_schedule_that_only_a_newer_program_has_is_left_to_that_one(tmp_path: Path):
    older = Bench(tmp_path / "journal.db", _counting_months())
    older.running.processes.catch_up()
    newer = Bench(tmp_path / "journal.db", _counting("03:30"), older.clock)
    newer.running.processes.catch_up()
    for _ in range(48):
        older.pass_time(hours=1)
    assert {row.status for row in older.running.processes.timers()} == {"set"}
    older.running.close()
    newer.pass_time(hours=24)
    turns = [event.event.turn for event in newer.running.events() if isinstance(event.event, Counted)]
    newer.running.close()
    assert turns == ["02 03:30", "03 03:30", "04 03:30"]


def _counting_months() -> App:
    app = App("counting", version="before")

    @app.decides
    def count(command: Count) -> Counted:
        return Counted(turn=command.turn)

    @app.schedule(Monthly(28, at="12:00", zone="UTC"))
    def count_the_month(due: datetime) -> Count:
        return Count(turn=f"{due:%d %H:%M}")

    return app

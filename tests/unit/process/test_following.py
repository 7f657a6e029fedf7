"""Where a follower stands, and how it is known after everything but the journal is lost."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actum import App, Running, Unavailable
from actum.journal.readmodel import Change, Mark
from actum.process.record import ProcessBegun, Reacted
from actum.service.staff import Staff
from tests.unit.process.payouts import (
    Bench,
    Deposit,
    Deposited,
    Open,
    OtherBank,
    Payout,
    Request,
    a_bank,
    lose_the_read_database,
    request,
)

MONEY = Deposit(account="A", amount=Decimal(100))


def pay(name: str) -> Request:
    return Request(payout=name, account="A", amount=Decimal(1))


def test_where_a_process_begins_is_on_record(at_work: Open):
    bench = at_work(a_bank())
    begun = [event.event for event in bench.running.events() if isinstance(event.event, ProcessBegun)]
    assert [one.process for one in begun] == ["timers", "Payout", "SendMoney"]


def test_a_process_that_is_new_leaves_the_past_alone(tmp_path: Path):
    before = App("bank")
    before.decides(request)
    bench = Bench(tmp_path / "bank.db", before)
    bench.running.execute(pay("old"))
    bench = bench.again(a_bank())
    bench.do(MONEY, pay("new"))
    assert [row.instance for row in bench.running.processes.instances()] == ["Payout/new"]
    bench.running.close()


def test_a_process_may_be_told_to_react_to_the_past_as_well(tmp_path: Path):
    before = App("bank")
    before.decides(request)
    bench = Bench(tmp_path / "bank.db", before)
    bench.running.execute(pay("old"))
    app = a_bank()
    app._processes.clear()
    app.process(from_beginning=True)(Payout)
    bench = bench.again(app)
    bench.do(MONEY, pay("new"))
    assert [row.instance for row in bench.running.processes.instances()] == ["Payout/new", "Payout/old"]
    bench.running.close()


def test_without_its_read_database_it_goes_on_from_where_the_journal_says_it_was(at_work: Open):
    bench = at_work(a_bank())
    bench.do(MONEY, *map(pay, "abc"))
    before = bench.types()
    last = [event.event for event in bench.running.events() if isinstance(event.event, Reacted)][-1]
    lose_the_read_database(bench)
    for follower in bench.running.processes._worker._followers:
        follower.begin()
        if follower.purpose.name == "Payout":
            assert follower.position == last.after > 0
    bench.pass_time(seconds=0)
    assert bench.types() == before
    bench.do(pay("d"))
    assert bench.running.processes.instances().count() == 4


def test_two_workers_take_turns_and_react_once(at_work: Open):
    outside = OtherBank()
    bench = at_work(a_bank(outside))
    other = Running(
        bench.app,
        bench.running.store,
        ids=bench.running.counter._ids,
        actor="t",
        states_kept=100,
        database=bench.running.processes._agenda._database,
        follow=False,
    )
    bench.running.execute(MONEY)
    names = [f"P-{number}" for number in range(20)]
    for name in names:
        bench.running.execute(pay(name))
        for running in (bench.running, other):
            running.processes._worker.step()
    for _ in range(20):
        for running in (other, bench.running):
            running.processes._worker.step()
    assert sorted(outside.calls) == sorted((name, 1) for name in names)
    assert bench.types().count("Sent") == len(names)
    assert bench.types().count("actum.parked") == 0


def test_the_loser_of_a_race_for_the_checkpoint_forgets_and_looks_again(at_work: Open):
    bench = at_work(a_bank())
    follower = bench.running.processes._worker._followers[1]
    bench.running.execute(MONEY)
    bench.running.execute(pay("a"))
    taken = follower.purpose.take
    other = Staff(
        bench.app,
        bench.running.store,
        database=bench.running.processes._database,
        give=bench.running.processes._give,
        threads=False,
        freed=lambda: None,
    )

    def overtaken(events: Any, **how: Any) -> None:
        other.step()
        taken(events, **how)

    follower.purpose.take = overtaken  # type: ignore[method-assign]
    assert follower.step()
    assert not follower.at_work
    bench.pass_time(seconds=0)
    assert [bench.types().count(type) for type in ("Reserved", "SendMoney", "actum.timer-set")] == [1, 1, 2]


def test_a_journal_that_was_put_back_is_noticed(at_work: Open):
    bench = at_work(a_bank())
    bench.do(MONEY, pay("a"))
    follower = bench.running.processes._worker._followers[1]
    database = bench.running.processes._agenda._database
    seen = database.mark(follower._shape)
    assert seen is not None
    (share,) = database.shares(follower._shape)
    another = Mark(seen.position, b"another event....")
    assert database.commit([Change(follower._shape, (), seen, another, epoch=share.epoch)])
    follower._let_go()
    with pytest.raises(Unavailable, match="put back"):
        follower.step()


def test_what_does_not_concern_it_is_passed_without_a_checkpoint_for_each(at_work: Open):
    bench = at_work(a_bank())
    follower = bench.running.processes._worker._followers[1]
    bench.running.processes.catch_up()
    (line,) = follower._lines
    mark = line.share.mark
    for _ in range(20):
        bench.running.execute(MONEY)
        assert not follower.step()
    assert line.share.mark == mark
    assert follower.position == bench.running.head()
    for _ in range(1001):
        bench.running.append(Deposited(account="A", amount=Decimal(1)))
    follower.step()
    assert line.share.mark != mark

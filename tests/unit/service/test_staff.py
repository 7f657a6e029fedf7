"""Processes divided among workers: each has its instances and timers, nothing is done twice, and nothing is left out."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest

from actum import App, Invalid
from actum.journal.readmodel import ALL_SLICES, Cut, ReadDatabase, Shape, Slices, slice_of
from actum.process.record import Reacted, TimerFired
from actum.service.staff import Staff
from actum.testing.postgres import with_journal
from tests.unit.process.payouts import Bench, Deposit, Open, OtherBank, Payout, Request, a_bank

MONEY = Deposit(account="A", amount=Decimal(1000))
NAMES = [f"P-{number}" for number in range(24)]
LOW, HIGH = Slices(0, 511), Slices(512, 1023)


@pytest.fixture(params=["memory", "SQLite", "PostgreSQL"])
def at_work(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens a bank, on each kind of store."""
    benches: list[Bench] = []

    def open_(app: App) -> Bench:
        addresses = {"memory": "memory:", "SQLite": str(tmp_path / "bank.db")}
        address = addresses.get(request.param) or with_journal(request.getfixturevalue("postgres"), f"t{uuid4().hex}")
        benches.append(Bench(address, app))
        return benches[-1]

    yield open_
    for bench in benches:
        bench.running.close()


def pay(name: str) -> Request:
    return Request(payout=name, account="A", amount=Decimal(1))


def database_of(bench: Bench) -> ReadDatabase:
    return bench.running.processes._database


def shapes(bench: Bench) -> list[Shape]:
    return [one.shape for one in bench.running.processes._worker.followed]


def hand_over(bench: Bench, *cuts: Cut, worker: str) -> None:
    """Everything that reacts, to these owners."""
    database = database_of(bench)
    for shape in shapes(bench):
        database.keep(worker, followers=[shape.table], seconds=600)
        assert database.recut(shape.table, database.shares(shape), cuts, worker=worker, seconds=600)


def staff(bench: Bench, owner: str) -> Staff:
    processes = bench.running.processes
    return Staff(
        bench.app,
        bench.running.store,
        database=database_of(bench),
        give=processes._give,
        threads=False,
        freed=lambda: None,
        owner=owner,
    )


def work(*all_of_them: Staff) -> None:
    while sum(one.step() for one in all_of_them):
        pass


def reacted(bench: Bench) -> list[Reacted]:
    return [one.event for one in bench.running.events() if isinstance(one.event, Reacted)]


def is_low(name: str) -> bool:
    return slice_of(f"Payout/{name}") in LOW


def test_each_worker_reacts_for_the_instances_that_it_holds_and_nobody_twice(at_work: Open):
    outside = OtherBank()
    bench = at_work(a_bank(outside))
    hand_over(bench, Cut(LOW, "one"), Cut(HIGH, "other"), worker="one")
    one, other = staff(bench, "one"), staff(bench, "other")
    for command in (MONEY, *map(pay, NAMES)):
        bench.running.execute(command)
    work(one)
    assert {event.instance for event in reacted(bench)} == {f"Payout/{name}" for name in NAMES if is_low(name)}
    bench.running.processes._worker.step()
    assert len({event.instance for event in reacted(bench)}) < len(NAMES), "who holds none does nothing"
    work(one, other)
    assert set(Counter((event.instance, event.to) for event in reacted(bench)).values()) == {1}
    assert sorted(outside.calls) == sorted((name, 1) for name in NAMES)
    assert all(bench.running.state(Payout, name).ended for name in NAMES)


def test_what_was_reacted_to_is_said_of_all_shares_so_that_nothing_is_missed_without_the_read_database(at_work: Open):
    bench = at_work(a_bank())
    bench.do(MONEY)
    begun = bench.running.head()
    hand_over(bench, Cut(LOW, "one"), Cut(HIGH, "other"), worker="one")
    one = staff(bench, "one")
    for name in NAMES:
        bench.running.execute(pay(name))
    work(one)
    assert reacted(bench), "one has gone on"
    assert all(event.after <= begun for event in reacted(bench)), "the other has not"
    for shape in shapes(bench):
        database_of(bench).drop(shape.table)
    bench.running.processes._worker.look_again()
    bench.running.processes.catch_up()
    assert {event.instance for event in reacted(bench)} == {f"Payout/{name}" for name in NAMES}


def test_who_lost_a_share_goes_on_for_a_moment_and_does_nothing_twice_and_nothing_out_of_order(at_work: Open):
    outside = OtherBank()
    bench = at_work(a_bank(outside))
    hand_over(bench, Cut(ALL_SLICES, "one"), worker="one")
    one, other = staff(bench, "one"), staff(bench, "other")
    bench.running.execute(MONEY)
    one.step()
    for name in NAMES[:12]:
        bench.running.execute(pay(name))
    one.step()
    hand_over(bench, Cut(ALL_SLICES, "other"), worker="one")
    late = next(each for each in one.worker._followers if each.purpose.name == "Payout")
    events = list(bench.running.store.read())
    for name in NAMES[12:]:
        bench.running.execute(pay(name))
    other.step()
    late.purpose.take([each for each in events if each.type == "Requested"], after=0)
    work(other, one)
    assert set(Counter((event.instance, event.to) for event in reacted(bench)).values()) == {1}
    for name in NAMES:
        positions = [event.position for event in reacted(bench) if event.instance == f"Payout/{name}"]
        assert positions == sorted(positions)
    assert sorted(outside.calls) == sorted((name, 1) for name in NAMES)
    assert not one.worker._followers[0].at_work


def test_a_worker_fires_the_timers_that_are_its_own(at_work: Open):
    outside = OtherBank()
    outside.troubles = [TimeoutError() for _ in range(100)]
    bench = at_work(a_bank(outside, attempts=1))
    bench.do(MONEY, *map(pay, NAMES))
    hand_over(bench, Cut(LOW, "one"), Cut(HIGH, "other"), worker="one")
    one, other = staff(bench, "one"), staff(bench, "other")
    bench.clock.set(bench.clock.now() + round(timedelta(hours=24).total_seconds() * 1_000_000))
    work(one)
    fired = [event.event.timer for event in bench.running.events() if isinstance(event.event, TimerFired)]
    assert fired
    assert all(slice_of(str(timer)) in LOW for timer in fired)
    work(one, other)
    fired = [event.event.timer for event in bench.running.events() if isinstance(event.event, TimerFired)]
    assert len(fired) == len(set(fired)) == len(NAMES)
    assert one.rest(3600.0) > 1
    assert bench.running.processes._worker.rest(3600.0) == 3600.0, "who holds none waits for nothing"


def _until(holds: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(6000):
        if holds():
            return
        waiting.wait(0.01)
    pytest.fail("waited a minute in vain")


def _settled(bench: Bench, workers: int) -> bool:
    shares = [database_of(bench).shares(shape) for shape in shapes(bench)]
    held = [{share.owner for share in found if share.held} for found in shares]
    return all(len(found) == max(workers, 1) and len(who) == workers for found, who in zip(shares, held, strict=True))


def test_workers_come_and_go_while_processes_are_at_work(at_work: Open):
    outside = OtherBank()
    bench = at_work(a_bank(outside))
    bench.running.execute(MONEY)
    with bench.running.work(2, lease=2) as workers:
        _until(lambda: _settled(bench, 2))
        for count, names in ((3, NAMES[:8]), (1, NAMES[8:16]), (2, NAMES[16:])):
            for name in names:
                bench.running.execute(pay(name))
            workers.rescale(count)
        _until(lambda: all(bench.running.state(Payout, name).ended for name in NAMES))
        bench.running.processes.catch_up()
        _until(lambda: _settled(bench, 2))
    for _ in range(2):
        bench.running.processes.catch_up()
    assert set(Counter((event.instance, event.to) for event in reacted(bench)).values()) == {1}
    assert sorted(outside.calls) == sorted((name, 1) for name in NAMES)
    assert _settled(bench, 0), "who works alone has joined what was divided"


def test_how_far_each_process_is_is_told_share_by_share_and_in_whose_hands(at_work: Open):
    bench = at_work(a_bank())
    hand_over(bench, Cut(LOW, "one"), Cut(HIGH, "other"), worker="one")
    one = staff(bench, "one")
    for command in (MONEY, *map(pay, NAMES)):
        bench.running.execute(command)
    first = next(event.position for event in bench.running.events() if event.type == "Requested")
    bench.clock.set(bench.clock.now() + 5_000_000)
    work(one)
    found = {status.name: status for status in bench.running.processes.followers()}
    payout = found["Payout"]
    low, high = payout.shares
    assert (low.slices, low.owner, low.behind, low.seconds) == (LOW, "one", 0, 0.0)
    assert (high.slices, high.owner, high.seconds) == (HIGH, "other", 5.0)
    assert high.behind == payout.behind == bench.running.head() - first + 1
    assert payout.workers == ("one", "other")
    assert payout.divisible
    assert set(found) == {"timers", "Payout", "SendMoney"}


def test_nobody_waits_for_a_position_from_the_future(at_work: Open):
    bench = at_work(a_bank())
    bench.do(MONEY)
    bench.running.processes.wait_for(bench.running.head())
    with pytest.raises(Invalid, match="wait_for: position 99 is from the future"):
        bench.running.processes.wait_for(99, timeout=0.1)

"""Workers divide the views among themselves, join and leave while work goes on, and take over from those who fall silent."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from actum import Invalid
from actum.service.running import Running
from actum.subscription.worker import Followed, Holder
from tests.unit.projection.bank import Balance, Turnover, fill, folded, opened, shown, some_events


def _settled(running: Running, workers: int) -> bool:
    """Whether every worker holds one share of the balances."""
    balances = next(one for one in running.followers() if one.name == "Balance")
    return len(balances.workers) == workers == len(balances.shares)


def _until(holds: object) -> None:
    waiting = threading.Event()
    for _ in range(3000):
        if holds():  # type: ignore[operator]
            return
        waiting.wait(0.01)
    pytest.fail("waited 30 s in vain")


def test_workers_divide_the_rows_and_every_one_is_right(tmp_path: Path):
    events = some_events(3000, seed=21, accounts=200)
    with opened(tmp_path / "bank.actum") as running, running.work(3, lease=2):
        _until(lambda: _settled(running, 3))
        fill(running.store, events)
        running.wait_for(3000, timeout=60)
        assert shown(running) == folded(events)
        _until(lambda: _settled(running, 3))
        balances = next(one for one in running.followers() if one.name == "Balance")
        assert [str(share.slices) for share in balances.shares] == ["0-340", "341-681", "682-1023"]
        assert (balances.position, balances.behind, balances.seconds) == (3000, 0, 0.0)


def test_more_and_fewer_workers_while_events_come(tmp_path: Path):
    events = some_events(6000, seed=22, accounts=200)
    with opened(tmp_path / "bank.actum") as running, running.work(1, lease=2) as workers:
        for count, start in [(2, 0), (4, 1500), (1, 3000), (3, 4500)]:
            workers.rescale(count)
            fill(running.store, events[start : start + 1500])
            assert len(workers.names) == count
        running.wait_for(6000, timeout=60)
        _until(lambda: _settled(running, 3))
        assert shown(running) == folded(events)


def test_whoever_follows_beside_workers_sees_what_they_have_done(tmp_path: Path):
    events = some_events(2000, seed=23)
    path = tmp_path / "bank.actum"
    with opened(path) as running, running.work(2, lease=2), opened(path, follow=True) as looking:
        fill(running.store, events)
        looking.wait_for(2000, timeout=60)
        assert shown(looking) == folded(events)
        assert looking.catch_up() == 2000


def test_what_workers_leave_is_kept_up_by_whoever_is_there(tmp_path: Path):
    events = some_events(2000, seed=24)
    with opened(tmp_path / "bank.actum") as running:
        with running.work(3, lease=9):
            _until(lambda: _settled(running, 3))
            fill(running.store, events[:1000])
        assert [one.workers for one in running.followers()] == [(), (), ()]
        fill(running.store, events[1000:])
        assert running.catch_up() == 2000
        assert shown(running) == folded(events)
        assert all(len(one.shares) == 1 for one in running.followers())


def test_a_worker_that_falls_silent_is_replaced_when_its_lease_is_over(tmp_path: Path):
    events = some_events(2000, seed=25)
    with opened(tmp_path / "bank.actum") as running:
        running.catch_up()
        followed = [Followed(plan.shape, plan.divisible) for plan in running.views.shelf.plans]
        silent = Holder(running.views.database, followed, name="silent", lease=1)
        assert silent.beat()
        with running.work(1, lease=1):
            fill(running.store, events)
            assert all(one.workers == ("silent",) for one in running.followers())
            running.wait_for(2000, timeout=60)
            _until(lambda: _settled(running, 1))
            assert shown(running) == folded(events)
            assert "silent" not in {name for one in running.followers() for name in one.workers}


def test_a_view_with_one_row_is_pointed_out_at_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with opened(tmp_path / "bank.actum") as running, running.work(2, lease=2) as workers:
        workers.rescale(1)
        assert caplog.text.count("Turnover has one key for all events, so one worker does all of it") == 1
        assert "Balance has one key" not in caplog.text
        turnover = next(one for one in running.followers() if one.name == "Turnover")
        assert not turnover.divisible
        assert running.app.views["Turnover"] is Turnover
        assert running.app.views["Balance"] is Balance


def test_a_number_of_workers_or_a_lease_that_makes_no_sense_is_refused(tmp_path: Path):
    with opened(tmp_path / "bank.actum") as running:
        with pytest.raises(Invalid, match="expected 0 to 256 workers, found -1"):
            running.work(-1)
        with pytest.raises(Invalid, match=r"lease: expected 0\.1 to 86,400 seconds, found 0"):
            running.work(1, lease=0)

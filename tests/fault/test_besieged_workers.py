"""Workers in processes of their own, killed between any two steps, stopped beyond their lease, joined and left: every row is
right, no event counts twice, none is left out, and no slice has two owners.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from actum.journal.event import Event
from actum.projection.view import plan_of
from actum.service.opening import open_read_database, open_store
from actum.testing.followers import Point, faults_in, moves_in
from actum.testing.postgres import with_journal
from tests.house import ROOT
from tests.unit.projection.bank import Balance, Turnover, bank, fill, folded, some_events

LEASE = 1.0
PLANS = [plan_of(Balance), plan_of(Turnover)]


class Crew:
    """Workers of one journal and one read database, and what is done to them."""

    def __init__(self, journal: str, views: str, seed: int) -> None:
        self.journal, self.views = journal, views
        self.random = Random(seed)
        self.processes: list[subprocess.Popen[str]] = []
        self.killed = self.stopped = self.died = self.begun = 0

    def begin(self, point: str = "never", after: int = 1) -> None:
        """One more worker, which may die by itself."""
        self.begun += 1
        words = [self.journal, self.views, str(LEASE), str(self.random.randrange(2**31)), point, str(after)]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fault.working", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        self.processes.append(process)
        assert process.stdout is not None
        process.stdout.readline()

    def maltreat(self) -> None:
        """One of them: killed, stopped for longer than its lease, or one that dies between two steps."""
        match self.random.randrange(3):
            case 0:
                victim = self.random.choice(self.processes)
                victim.kill()
                self.killed += 1
                self.bury()
                self.begin()
            case 1:
                victim = self.random.choice(self.processes)
                victim.send_signal(signal.SIGSTOP)
                threading.Event().wait(LEASE * 1.6)
                victim.send_signal(signal.SIGCONT)
                self.stopped += 1
            case _:
                self.begin(self.random.choice(list(Point)).value, self.random.randrange(1, 12))

    def rescale(self, count: int) -> None:
        while len(self.processes) > count:
            self.processes[-1].terminate()
            self.bury()
        while len(self.processes) < count:
            self.begin()

    def bury(self) -> None:
        """Count and forget those who have ended; who was ended is waited for."""
        for process in list(self.processes):
            if process.poll() is None and process is not self.processes[-1]:
                continue
            try:
                process.wait(timeout=0.5)
            except subprocess.TimeoutExpired:
                continue
            self._forget(process)

    def _forget(self, process: subprocess.Popen[str]) -> None:
        self.processes.remove(process)
        assert process.stdout is not None
        process.stdout.close()

    def reap(self) -> None:
        """Those who died between two steps are replaced."""
        for process in list(self.processes):
            if process.poll() == -signal.SIGKILL:
                self._forget(process)
                self.died += 1

    def end(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def _until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    for _ in range(int(seconds * 10)):
        if holds():
            return
        threading.Event().wait(0.1)
    pytest.fail(f"waited {seconds:g} s in vain: {what}")


def _besieged(crew: Crew, events: list[Event], *, workers: int, rounds: int, wait: float) -> None:
    """Events come while workers are maltreated and rescaled twice; then everything must be as if nothing had been."""
    store = open_store(crew.journal)
    database = open_read_database(crew.views, journal=crew.journal, origin=store.origin)
    try:
        crew.rescale(workers)
        share = -(-len(events) // rounds)
        for number in range(rounds):
            fill(store, events[number * share : (number + 1) * share])
            crew.maltreat()
            crew.reap()
            crew.rescale(max(1, workers // 2) if number == rounds // 2 else workers)
        head = store.head()
        behind = lambda: [s for plan in PLANS for s in database.shares(plan.shape) if s.mark.position < head]  # noqa: E731
        _until(lambda: _mended(crew, workers) and not behind(), wait, f"behind {head}: {behind()}")
        crew.end()
        rows = {row.account: row for row in _rows(crew, database)}
        assert rows == folded(events)
        moves = moves_in(database)
        assert faults_in(moves) == []
        assert {move.reached.position for move in moves} >= {head}
        print(
            f"{len(events)} events, {len(moves)} moves, {crew.begun} workers begun, {crew.killed} killed, "
            f"{crew.died} died between two steps, {crew.stopped} stopped beyond their lease"
        )
    finally:
        crew.end()
        database.close()
        store.close()


def _mended(crew: Crew, workers: int) -> bool:
    crew.reap()
    crew.rescale(workers)
    return True


def _rows(crew: Crew, database: object) -> list[Balance]:
    from actum.projection.table import Table

    return list(Table(Balance, database))  # type: ignore[arg-type]


def _conclusive(crew: Crew) -> None:
    if crew.killed + crew.died + crew.stopped < 3:
        pytest.fail(f"inconclusive: {crew.killed} killed, {crew.died} died, {crew.stopped} stopped")


def test_workers_of_one_file_killed_and_stopped_at_random_count_each_event_once(tmp_path: Path, seed: int):
    crew = Crew(str(tmp_path / "bank.actum"), str(tmp_path / "bank.views.db"), seed)
    _besieged(crew, some_events(6000, seed, accounts=200), workers=2, rounds=6, wait=120)
    _conclusive(crew)


def test_workers_over_postgresql_killed_and_stopped_at_random_count_each_event_once(postgres: str, seed: int):
    address = with_journal(postgres, f"t{uuid.uuid4().hex}")
    crew = Crew(address, address, seed)
    _besieged(crew, some_events(8000, seed, accounts=300), workers=4, rounds=6, wait=180)
    _conclusive(crew)


@pytest.mark.soak
def test_eight_workers_over_postgresql_and_many_events(postgres: str, seed: int):
    address = with_journal(postgres, f"t{uuid.uuid4().hex}")
    count = int(os.environ.get("SOAK_EVENTS", "1000000"))
    crew = Crew(address, address, seed)
    _besieged(crew, some_events(count, seed, accounts=10_000), workers=8, rounds=50, wait=3600)
    _conclusive(crew)


def test_each_point_between_two_steps_is_survived(tmp_path: Path, seed: int):
    events = some_events(1000, seed, accounts=50)
    crew = Crew(str(tmp_path / "bank.actum"), str(tmp_path / "bank.views.db"), seed)
    store = open_store(crew.journal)
    fill(store, events)
    database = open_read_database(crew.views, journal=crew.journal, origin=store.origin)
    try:
        # Rows are loaded only where there are some: the point before that comes last.
        for point in reversed(Point):
            crew.begin(point.value)
            crew.processes[-1].wait(timeout=60)
            crew.reap()
        assert crew.died == len(Point)
        crew.begin()
        _until(lambda: all(database.mark(plan.shape).position == 1000 for plan in PLANS), 60, "behind")  # type: ignore[union-attr]
        crew.end()
        assert {row.account: row for row in _rows(crew, database)} == folded(events)
        assert faults_in(moves_in(database)) == []
    finally:
        crew.end()
        database.close()
        store.close()
    assert bank.name == "bank"

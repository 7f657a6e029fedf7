"""Workers in processes of their own, killed between any two steps, stopped beyond their lease, joined and left: every row is
right, no event counts twice, none is left out, and no slice has two owners.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import TypeAlias

import pytest

from actum.journal.event import Event
from actum.projection.view import plan_of
from actum.service.opening import open_read_database, open_store
from actum.testing.followers import Point, faults_in, moves_in
from actum.testing.postgres import with_journal
from tests.house import ROOT
from tests.unit.projection.bank import Balance, Turnover, bank, fill, fold_into, folded, some_events

LEASE = 1.0
Events: TypeAlias = Callable[[int, int], list[Event]]
"""The events of one round, by its number and how many rounds there are."""
PLANS = [plan_of(Balance), plan_of(Turnover)]


class Crew:
    """Workers of one journal and one read database, and what is done to them."""

    def __init__(self, journal: str, views: str, seed: int, *, page: int = 50) -> None:
        self.journal, self.views, self.page = journal, views, page
        self.random = Random(seed)
        self.processes: list[subprocess.Popen[str]] = []
        self.killed = self.stopped = self.died = self.begun = 0

    def begin(self, point: str = "never", after: int = 1) -> None:
        """One more worker, which may die by itself."""
        self.begun += 1
        seed = self.random.randrange(2**31)
        words = [self.journal, self.views, str(LEASE), str(seed), point, str(after), str(self.page)]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fault.working", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        self.processes.append(process)
        assert process.stdout is not None
        process.stdout.readline()

    def kill(self) -> None:
        """One of them, whatever it is about, and another one comes."""
        victim = self._one()
        victim.kill()
        victim.wait()
        self._forget(victim)
        self.killed += 1
        self.begin()

    def stop(self) -> None:
        """One of them, for longer than its lease: it wakes up as a zombie."""
        victim = self._one()
        victim.send_signal(signal.SIGSTOP)
        threading.Event().wait(LEASE * 1.6)
        victim.send_signal(signal.SIGCONT)
        self.stopped += 1

    def begin_one_that_dies(self) -> None:
        """Between two steps, sooner or later."""
        self.begin(self.random.choice(list(Point)).value, self.random.randrange(1, 12))

    def _one(self) -> subprocess.Popen[str]:
        """One that is alive."""
        self.reap()
        if not self.processes:
            self.begin()
        return self.random.choice(self.processes)

    def rescale(self, count: int) -> None:
        """Have that many: of those that are too many, the oldest are told to go."""
        while len(self.processes) > count:
            process = self.processes[0]
            process.terminate()
            process.wait()
            self._forget(process)
        while len(self.processes) < count:
            self.begin()

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


Hardship: TypeAlias = Callable[[Crew], None]
KILLED, STOPPED, DYING = Crew.kill, Crew.stop, Crew.begin_one_that_dies


def _besieged(crew: Crew, events: Events, *, workers: int, hardships: Sequence[Hardship], wait: float) -> None:
    """Events come while workers are maltreated and rescaled twice; then everything must be as if nothing had been."""
    begun, expected = time.monotonic(), dict[str, Balance]()
    store = open_store(crew.journal)
    database = open_read_database(crew.views, journal=crew.journal, origin=store.origin)
    rounds = len(hardships)
    order = crew.random.sample(hardships, rounds)
    fewer = range(rounds // 3, 2 * rounds // 3)
    try:
        crew.rescale(workers)
        for number, hardship in enumerate(order):
            part = events(number, rounds)
            fill(store, part)
            fold_into(expected, part)
            hardship(crew)
            crew.reap()
            crew.rescale(max(1, workers // 2) if number in fewer else workers)
        head = store.head()
        filled = time.monotonic()
        behind = lambda: [s for plan in PLANS for s in database.shares(plan.shape) if s.mark.position < head]  # noqa: E731
        _until(lambda: _mended(crew, workers) and not behind(), wait, f"behind {head}: {behind()}")
        done = time.monotonic()
        crew.end()
        assert {row.account: row for row in _rows(crew, database)} == expected
        moves = moves_in(database)
        assert faults_in(moves) == []
        assert {move.reached.position for move in moves} >= {head}
        print(
            f"{head:,} events on {len(expected):,} keys in {done - begun:.0f} s (filled after {filled - begun:.0f} s), {len(moves):,} moves, "
            f"{crew.begun} workers begun, rescaled twice, {crew.killed} killed, {crew.died} died between two steps, "
            f"{crew.stopped} stopped beyond their lease; every row right, no move twice"
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


def _events(count: int, seed: int, *, accounts: int) -> Events:
    """Events at random, made when they are needed."""
    return lambda number, rounds: some_events(-(-count // rounds), seed + number, accounts=accounts)


def test_workers_of_one_file_killed_and_stopped_at_random_count_each_event_once(tmp_path: Path, seed: int):
    crew = Crew(str(tmp_path / "bank.actum"), str(tmp_path / "bank.views.db"), seed)
    _besieged(crew, _events(6000, seed, accounts=200), workers=2, hardships=[KILLED, STOPPED, DYING] * 2, wait=120)


def test_workers_over_postgresql_killed_and_stopped_at_random_count_each_event_once(postgres: str, seed: int):
    address = with_journal(postgres, f"t{uuid.uuid4().hex}")
    crew = Crew(address, address, seed)
    _besieged(crew, _events(8000, seed, accounts=300), workers=4, hardships=[KILLED, STOPPED, DYING] * 2, wait=180)


MANY = int(os.environ.get("SOAK_EVENTS", "1000000"))
"""How many events come in a soak; `SOAK_EVENTS` says otherwise."""


@pytest.mark.soak
def test_eight_workers_over_postgresql_and_a_million_events_on_ten_thousand_keys(postgres: str, seed: int):
    address = with_journal(postgres, f"t{uuid.uuid4().hex}")
    crew = Crew(address, address, seed, page=1000)
    _besieged(crew, _events(MANY, seed, accounts=10_000), workers=8, hardships=[KILLED, STOPPED] * 25, wait=3600)


@pytest.mark.soak
def test_two_workers_over_one_file_and_a_million_events_on_ten_thousand_keys(tmp_path: Path, seed: int):
    crew = Crew(str(tmp_path / "bank.actum"), str(tmp_path / "bank.views.db"), seed, page=1000)
    _besieged(crew, _events(MANY, seed, accounts=10_000), workers=2, hardships=[KILLED, STOPPED] * 25, wait=3600)


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

"""Two workers, each a process of its own, killed again and again while they react, fire timers and call the outside, or stopped for
longer than a call's lease.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from actum import Running
from actum.decision.acting import NOBODY
from actum.process.record import EffectBegun, Reacted, TimerFired
from actum.service.opening import open_read_database
from actum.testing.followers import faults_in, moves_in
from actum.testing.postgres import with_journal
from tests.fault.reacting import Ask, Closed, Sent, a_bank, surrounded
from tests.house import ROOT

ROUNDS = 4
DIVIDED = 2
"""How many rounds there are where workers hold their shares by leases."""
EACH = 15
LEASE = 1.0
"""For how many seconds a call to the outside is believed to be under way: see `reacting.py`."""
PATIENCE = 120.0
QUIET = 5.0
"""Seconds after which a journal that does not grow will not."""


@contextmanager
def _worker(journal: str, outside: Path, *seed: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.fault.reacting", journal, outside, *seed]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def _until_at_work(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"


def _asked(running: Running, names: Iterator[str], random: Random) -> int:
    """Ask for a third of them; by how much the journal is to grow then, which it does."""
    running.counter.execute_all([(Ask(payout=name), f"ask {name}", NOBODY) for name in islice(names, EACH // 3)])
    return random.randrange(1, EACH)


def _grown(running: Running, more: int) -> bool:
    """Wait until the journal has grown by so much; whether it did."""
    goal, end = running.head() + more, time.monotonic() + QUIET
    while running.head() < goal and time.monotonic() < end:
        threading.Event().wait(0.002)
    return running.head() >= goal


def _killed_at_work(running: Running, process: subprocess.Popen[str], more: int) -> bool:
    """Kill it once the journal has grown by so much; whether it did, and the worker was still there."""
    grown = _grown(running, more)
    process.kill()
    return process.wait() == -signal.SIGKILL and grown


def _stopped_at_work(running: Running, process: subprocess.Popen[str], more: int) -> bool:
    """Stop it then for longer than its calls' lease, and let it go on with what it believes; whether it was at work."""
    grown = _grown(running, more)
    process.send_signal(signal.SIGSTOP)
    threading.Event().wait(1.5 * LEASE)
    process.send_signal(signal.SIGCONT)
    return grown


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where journal and checkpoints are."""
    if request.param == "SQLite":
        return str(tmp_path / "bank.db")
    return with_journal(request.getfixturevalue("postgres"), f"t{uuid4().hex[:20]}")


def test_workers_killed_at_any_moment_or_stopped_beyond_their_lease_do_everything_once(
    journal: str, tmp_path: Path, seed: int
):
    random, outside = Random(seed), tmp_path / "outside.txt"
    killed, stopped, names = 0, 0, [f"P-{number}" for number in range(ROUNDS * EACH)]
    with a_bank(outside).open(journal, actor="asker", follow=False) as running:
        for number in range(ROUNDS):
            with _worker(journal, outside) as one, _worker(journal, outside) as other:
                _until_at_work(one)
                _until_at_work(other)
                mine = iter(names[number * EACH : (number + 1) * EACH])
                stopped += _stopped_at_work(running, other, _asked(running, mine, random))
                killed += _killed_at_work(running, one, _asked(running, mine, random))
                killed += _killed_at_work(running, other, _asked(running, mine, random))
        _finish(running, len(names))
        _check(running, names, outside)
    print(f"{killed} of {2 * ROUNDS} kills and {stopped} of {ROUNDS} stops met a worker at work")


def test_workers_that_divide_the_instances_are_killed_stopped_and_more_or_fewer_and_do_everything_once(
    journal: str, tmp_path: Path, seed: int
):
    random, outside = Random(seed), tmp_path / "outside.txt"
    killed, stopped, names = 0, 0, [f"P-{number}" for number in range(DIVIDED * EACH)]
    with surrounded(a_bank(outside), journal, seed) as running:
        for number in range(DIVIDED):
            with ExitStack() as crew:
                seeds = [str(random.randrange(2**31)) for _ in range(2 + number % 2)]
                workers = [crew.enter_context(_worker(journal, outside, each)) for each in seeds]
                for worker in workers:
                    _until_at_work(worker)
                mine = iter(names[number * EACH : (number + 1) * EACH])
                stopped += _stopped_at_work(running, workers[1], _asked(running, mine, random))
                killed += _killed_at_work(running, workers[0], _asked(running, mine, random))
                # What the dead one held is the others' once its lease is over.
                killed += _killed_at_work(running, workers[1], _asked(running, mine, random))
        _finish(running, len(names))
        _check(running, names, outside)
        reactions = [event.event for event in running.events() if isinstance(event.event, Reacted)]
        for name in names:
            positions = [event.position for event in reactions if event.instance == f"Payout/{name}"]
            assert positions == sorted(positions), f"{name}: in order"
        database = open_read_database(None, journal=journal, origin=running.store.origin)
        moves = moves_in(database)
        database.close()
        assert faults_in(moves) == []
        owners = {move.owner for move in moves if move.table == "actum_process_Payout"}
    print(
        f"{killed} of {2 * DIVIDED} kills and {stopped} of {DIVIDED} stops met a worker at work; {len(moves)} moves, {len(owners)} owners"
    )


def _finish(running: Running, count: int) -> None:
    """The survivor does the rest."""
    end = time.monotonic() + PATIENCE
    while running.processes.instances().where("status", "=", "ended").count() < count:
        assert time.monotonic() < end, [row for row in running.processes.instances() if row.status != "ended"][:3]
        running.processes.catch_up()


def _check(running: Running, names: list[str], outside: Path) -> None:
    events = [event.event for event in running.events()]
    assert Counter(event.payout for event in events if isinstance(event, Sent)) == Counter(names)
    assert Counter(event.payout for event in events if isinstance(event, Closed)) == Counter(names)
    reactions = Counter((event.instance, event.to) for event in events if isinstance(event, Reacted))
    assert set(reactions.values()) == {1}
    assert Counter(event.instance for event in events if isinstance(event, Reacted)) == {
        f"Payout/{name}": 5 for name in names
    }
    assert set(Counter(event.timer for event in events if isinstance(event, TimerFired)).values()) == {1}
    assert not [event for event in events if event.__kind__.type in ("actum.parked", "actum.waiting")]
    calls = [line.split() for line in outside.read_text(encoding="utf-8").splitlines()]
    keys = {name: {key for called, key, _ in calls if called == name} for name in names}
    assert all(len(found) == 1 for found in keys.values()), "each payout had one key, in every attempt"
    begun = Counter(str(event.effect) for event in events if isinstance(event, EffectBegun))
    for _, key, number in calls:
        assert int(number) <= begun[key], "no call without a record that it was about to be made"
    assert Counter(key for _, key, _ in calls) <= begun

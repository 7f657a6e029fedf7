"""Two workers, each a process of its own, killed again and again while they react, fire timers and call the outside."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from actum import Running
from actum.decision.acting import NOBODY
from actum.process.record import EffectBegun, Reacted, TimerFired
from tests.fault.reacting import Ask, Closed, Sent, a_bank
from tests.house import ROOT

ROUNDS = 6
EACH = 15
PATIENCE = 120.0
QUIET = 5.0
"""Seconds after which a journal that does not grow will not."""


@contextmanager
def _worker(journal: Path, outside: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.fault.reacting", journal, outside]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def _until_at_work(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"


def _killed_at_work(running: Running, process: subprocess.Popen[str], more: int) -> bool:
    """Kill it once the journal has grown by so much; whether it did, and the worker was still there."""
    goal, end = running.head() + more, time.monotonic() + QUIET
    while running.head() < goal and time.monotonic() < end:
        threading.Event().wait(0.002)
    grown = running.head() >= goal
    process.kill()
    return process.wait() == -signal.SIGKILL and grown


def test_workers_killed_at_any_moment_do_everything_once(tmp_path: Path, seed: int):
    random = Random(seed)
    journal, outside = tmp_path / "bank.db", tmp_path / "outside.txt"
    landed, names = 0, [f"P-{number}" for number in range(ROUNDS * EACH)]
    with a_bank(outside).open(journal, actor="asker", follow=False) as running:
        for number in range(ROUNDS):
            with _worker(journal, outside) as one, _worker(journal, outside) as other:
                _until_at_work(one)
                _until_at_work(other)
                mine = names[number * EACH : (number + 1) * EACH]
                running.counter.execute_all([(Ask(payout=name), f"ask {name}", NOBODY) for name in mine])
                landed += _killed_at_work(running, one, random.randrange(1, 60))
                landed += _killed_at_work(running, other, random.randrange(1, 40))
        _finish(running, len(names))
        _check(running, names, outside)
    print(f"{landed} of {2 * ROUNDS} kills met a worker at work")
    if landed < ROUNDS:
        pytest.fail(f"inconclusive: only {landed} of {2 * ROUNDS} kills met a worker at work")


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

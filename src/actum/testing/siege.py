"""An application besieged: its workers, in processes of their own, are killed, stopped beyond their lease, have others come and go, and die
between two steps, while events come. After that, everything must be as if nothing had been.

    besiege("bank:bank", "bank.db", lambda running, number: running.execute(Open(account=f"A-{number}")), seed=1)

Whatever is drawn comes from the seed. Works over SQLite and PostgreSQL, and needs no test runner.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from enum import Enum
from random import Random
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from actum.testing.besieged import NEVER, load
from actum.testing.followers import Point, faults_in, moves_in
from actum.testing.judging import MOST, faults_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

Feed: TypeAlias = "Callable[[Any, int], object]"
"""Has the events of one round come: given the application, open, and the number of the round."""

ZOMBIE = 1.6
"""For how many times its lease a worker is stopped: it wakes up when its part is long in other hands."""


QUIET = 5
"""How many looks in a row, a tenth of a second apart, must find nobody behind."""


class Hardship(Enum):
    """What is done to a worker."""

    KILLED = "killed"
    """SIGKILL, whatever it is about; another one comes."""
    STOPPED = "stopped"
    """SIGSTOP for longer than its lease, then SIGCONT."""
    DYING = "died between two steps"
    """One more comes, which kills itself between two steps of a commit; see `Point`."""


EVERY_HARDSHIP = (Hardship.KILLED, Hardship.STOPPED, Hardship.DYING) * 3


class Besieged(msgspec.Struct, frozen=True):
    """What was survived. As text, in one sentence of figures."""

    seed: int
    events: int
    moves: int
    begun: int
    done: dict[str, int]
    rescaled: int
    seconds: float

    def __str__(self) -> str:
        hardships = ", ".join(f"{count} {what}" for what, count in sorted(self.done.items()))
        return (
            f"{self.events:,} events in {self.seconds:.0f} s, {self.moves:,} moves of checkpoints, {self.begun} workers begun, "
            f"rescaled {self.rescaled} times, {hardships}; seed {self.seed}"
        )


def besiege(
    app: str,
    journal: str | Path,
    feed: Feed,
    *,
    seed: int,
    read_database: str | Path | None = None,
    workers: int = 3,
    lease: float = 1.0,
    hardships: Sequence[Hardship] = EVERY_HARDSHIP,
    patience: float = 120.0,
    check: Callable[[Any], Iterable[str]] = lambda running: (),
) -> Besieged:
    """Besiege the workers of an application, MODULE:ATTRIBUTE, over a new journal: one hardship a round, in an order that the seed draws.

    In the middle third of the rounds there are half as many workers. Then everything has `patience` seconds to come to rest, and is
    judged: each row against an independent fold, each process against what it should have asked for, no checkpoint moved twice or past an
    event, no slice in two hands, nothing reacted to, fired or taken down twice, or out of order. `check` may find more, such as in tables
    that projections write, or outside. `AssertionError` names every fault; it says that it is inconclusive where no hardship hit anybody.
    """
    begun, random = time.monotonic(), Random(seed)
    loaded = load(app)
    with loaded.open(journal, read_database=read_database, follow=False, actor="siege") as running:
        crew = _Crew(
            [app, str(journal), "" if read_database is None else str(read_database), str(lease)], random, lease
        )
        try:
            _endure(crew, running, feed, hardships=hardships, workers=workers)
            crew.until(_Rest(running), patience, lambda: _restless(running))
        finally:
            crew.end()
        moves = moves_in(running.views.database)
        faults = [*faults_in(moves)[:MOST], *faults_of(running), *check(running)]
        if faults:
            raise AssertionError(
                "\n  ".join([f"seed {seed}: expected that all is as if nothing had been, found:", *faults])
            )
        if hardships and not crew.done:
            raise AssertionError(
                f"seed {seed}: inconclusive, no hardship hit anybody; have more rounds, or more events in each"
            )
        done = {what.value: count for what, count in crew.done.items()}
        return Besieged(seed, running.head(), len(moves), crew.begun, done, crew.rescaled, time.monotonic() - begun)


def _endure(crew: _Crew, running: Any, feed: Feed, *, hardships: Sequence[Hardship], workers: int) -> None:
    rounds = len(hardships)
    fewer = range(rounds // 3, 2 * rounds // 3)
    for number, hardship in enumerate(crew.random.sample(hardships, rounds)):
        crew.have(max(1, workers // 2) if number in fewer else workers)
        feed(running, number)
        crew.suffer(hardship)
    crew.have(workers)


def _statuses(running: Any) -> list[Any]:
    return [*running.followers(), *(running.processes.followers() if running.app.reacts else ())]


class _Rest:
    """Whether nobody is behind, and nothing comes of it: seen a few times in a row."""

    def __init__(self, running: Any) -> None:
        self._running = running
        self._head = -1
        self._seen = 0

    def __call__(self) -> bool:
        head = self._running.head()
        quiet = head == self._head and not any(one.behind for one in _statuses(self._running))
        self._seen = self._seen + 1 if quiet else 0
        self._head = head
        return self._seen >= QUIET


def _restless(running: Any) -> str:
    return ", ".join(f"{one.name} is {one.behind} events behind" for one in _statuses(running) if one.behind)


class _Crew:
    """The workers, and what is done to them."""

    def __init__(self, words: Sequence[str], random: Random, lease: float) -> None:
        self.random = random
        self.done: Counter[Hardship] = Counter()
        self.begun = self.rescaled = 0
        self._words = words
        self._lease = lease
        self._all: list[subprocess.Popen[str]] = []
        self._working: list[subprocess.Popen[str]] = []
        self._dying: list[subprocess.Popen[str]] = []
        self._wanted = 0
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it is closed with the crew

    def have(self, count: int) -> None:
        """So many, whoever has died."""
        self.rescaled += bool(self._wanted) and count != self._wanted
        self._wanted = count
        self._bury()
        while len(self._working) > count:
            gone = self._working.pop(0)
            gone.terminate()
            gone.wait()
        while len(self._working) < count:
            self._working.append(self._begin(NEVER, 1))

    def suffer(self, hardship: Hardship) -> None:
        """One of them, chosen by chance."""
        match hardship:
            case Hardship.KILLED:
                victim = self.random.choice(self._working)
                victim.kill()
                victim.wait()
                self.done[hardship] += 1
            case Hardship.STOPPED:
                victim = self.random.choice(self._working)
                victim.send_signal(signal.SIGSTOP)
                threading.Event().wait(self._lease * ZOMBIE)
                victim.send_signal(signal.SIGCONT)
                self.done[hardship] += 1
            case Hardship.DYING:
                self._dying.append(self._begin(self.random.choice(list(Point)).value, self.random.randrange(1, 8)))
        self._bury()

    def _bury(self) -> None:
        self._working = [one for one in self._working if one.poll() is None]
        dead = [one for one in self._dying if one.poll() is not None]
        self._dying = [one for one in self._dying if one not in dead]
        if dead:
            self.done[Hardship.DYING] += len(dead)

    def _begin(self, point: str, after: int) -> subprocess.Popen[str]:
        self.begun += 1
        words = [*self._words, str(self.random.randrange(2**31)), point, str(after)]
        begun = subprocess.Popen(
            [sys.executable, "-m", "actum.testing.besieged", *words],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )
        self._all.append(begun)
        assert begun.stdout is not None
        if not begun.stdout.readline() and begun.wait() != -signal.SIGKILL:
            raise AssertionError(f"expected a worker that begins, found one that said: {self._last_words()}")
        return begun

    def until(self, holds: Callable[[], bool], patience: float, why: Callable[[], str]) -> None:
        """Wait for that; whoever dies is replaced meanwhile."""
        deadline = time.monotonic() + patience
        while not holds():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {patience:g} s in vain: {why()}; the workers said: {self._last_words()}")
            self.have(self._wanted)
            threading.Event().wait(0.1)

    def _last_words(self) -> str:
        self._said.seek(0)
        return self._said.read()[-2000:]

    def end(self) -> None:
        """Nobody works any more."""
        self._bury()
        for one in (*self._working, *self._dying):
            one.kill()
        for one in self._all:
            one.wait()
            for pipe in (one.stdin, one.stdout):
                if pipe is not None:
                    pipe.close()
        self._said.close()

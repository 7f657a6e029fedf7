"""Killing a writer, again and again, at moments nobody chose; and looking at what it left. No test runner in here.

A writer in a process of its own appends batch after batch, says before each that it tries and after each that it was
acknowledged, and is killed (SIGKILL) somewhere on the way. Whatever was acknowledged must then be there, the batch
that was being tried must be there whole or not at all, and its retry must find out which.
"""

from __future__ import annotations

import itertools
import multiprocessing
import time
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from actum.journal.event import data_of
from actum.journal.query import Query
from actum.journal.store import Appended, Repeated
from actum.testing.builders import an_append, an_event
from actum.testing.crews import PATIENCE, CrewFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from actum.journal.event import EventData
    from actum.journal.store import Append, JournalStore, Outcome

Plan: TypeAlias = "Callable[[int, int], tuple[Append, ...]]"
"""The batch that a writer with a seed appends as its number so-and-so: always the same one."""


class SeededIds:
    """Identifiers and salts that come again with the seed."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def new(self) -> bytes:
        """16 bytes."""
        return self._random.randbytes(16)

    def salt(self) -> bytes:
        """16 bytes."""
        return self._random.randbytes(16)


def one_by_one(seed: int, number: int) -> tuple[Append, ...]:
    """One append of one to three events."""
    random = Random(f"{seed}/{number}")
    return (_append(random, f"{number}", random.randint(1, 3)),)


def several_at_once(seed: int, number: int) -> tuple[Append, ...]:
    """A batch of two to eight appends of up to twenty events."""
    random = Random(f"{seed}/{number}")
    return tuple(_append(random, f"{number}.{part}", random.randint(1, 20)) for part in range(random.randint(2, 8)))


def long_appends(seed: int, number: int) -> tuple[Append, ...]:
    """One append of two thousand events."""
    return (_append(Random(f"{seed}/{number}"), f"{number}", 2000),)


def _append(random: Random, name: str, size: int) -> Append:
    ids = SeededIds(random)
    events = [an_event("Written", f"batch:{name}", "all:1", data=f"{place}".encode(), ids=ids) for place in range(size)]
    return an_append(*events, unless=Query.of(tags=[f"batch:{name}"]), command=name)


class Assault:
    """Kills a writer of one journal until enough kills landed while it was at work, and inspects after each."""

    def __init__(self, open_store: Callable[[], JournalStore], seed: int, plan: Plan, *, patience: int = 12) -> None:
        self._open = open_store
        self._seed = seed
        self._plan = plan
        self._random = Random(seed)
        self._patience = patience
        self._number = 0
        self._expected: list[EventData] = []
        self._typical = 0.001
        self.landed = 0
        self.inconclusive = 0
        self.survived = 0

    def until(self, *, landed: int) -> None:
        """Strike until so many kills hit a writer between trying and acknowledgement."""
        while self.landed < landed:
            if self.inconclusive > 5 * landed:
                raise CrewFailed(f"inconclusive: of {self.inconclusive + self.landed} kills only {self.landed} landed")
            acknowledged, pending = self._strike()
            self._inspect(acknowledged, pending)
        print(  # noqa: T201
            f"{self.landed} kills landed, {self.inconclusive} did not; the batch that was being written was there "
            f"{self.survived} times and not there {self.landed - self.survived} times; {len(self._expected)} events"
        )

    def _strike(self) -> tuple[list[int], int | None]:
        """Start a writer and kill it: the batches it was acknowledged, and the one it was trying."""
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe(duplex=False)
        writer = context.Process(
            target=_write_until_killed, args=(self._open, self._plan, self._seed, self._number, there), daemon=True
        )
        writer.start()
        there.close()
        heard = _Heard(here)
        try:
            self._wait_for_the_moment(heard)
        finally:
            writer.kill()
            writer.join(PATIENCE)
            writer.close()
        heard.all()
        here.close()
        return heard.acknowledged, heard.tried

    def _wait_for_the_moment(self, heard: _Heard) -> None:
        enough = self._random.randint(0, self._patience)
        while len(heard.acknowledged) < enough or heard.tried is None:
            began = time.perf_counter()
            heard.next()
            if heard.tried is None:
                self._typical = max(time.perf_counter() - began, 1e-5)
        moment = time.perf_counter() + self._random.uniform(0, 1.5) * self._typical
        while time.perf_counter() < moment:
            pass

    def _inspect(self, acknowledged: list[int], pending: int | None) -> None:
        for number in acknowledged:
            self._expect(number)
        store = self._open()
        found = [data_of(event) for event in store.read()]
        if pending is None:
            self.inconclusive += 1
            assert found == self._expected
            self._number += len(acknowledged)
        else:
            self.landed += 1
            before = len(self._expected)
            self._expect(pending)
            survived = len(found) > before
            self.survived += survived
            assert found == (self._expected if survived else self._expected[:before])
            self._retry(store, pending, before, survived=survived)
            self._number = pending + 1
        store.close()

    def _retry(self, store: JournalStore, number: int, before: int, *, survived: bool) -> None:
        """The acknowledgement was lost: the same batch again is answered with what became of it, or written now.

        A server may yet finish what the dead writer had asked for: then what was not there a moment ago is there.
        """
        outcomes = store.append(*self._plan(self._seed, number))
        (kind,) = {type(outcome) for outcome in outcomes}
        assert kind is Repeated if survived else kind in {Appended, Repeated}
        assert [_place(outcome) for outcome in outcomes] == self._places(number, before)
        assert store.head() == len(self._expected)
        assert [data_of(event) for event in store.read(after=before)] == self._expected[before:]

    def _expect(self, number: int) -> None:
        self._expected += [event for append in self._plan(self._seed, number) for event in append.events]

    def _places(self, number: int, before: int) -> list[tuple[int, int]]:
        sizes = (len(append.events) for append in self._plan(self._seed, number))
        ends = itertools.accumulate(sizes, initial=before)
        return [(start + 1, end) for start, end in itertools.pairwise(ends)]


class _Heard:
    """What a writer said so far."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.acknowledged: list[int] = []
        self.tried: int | None = None

    def next(self) -> None:
        """Wait for its next word."""
        if not self._connection.poll(PATIENCE):
            raise CrewFailed(f"expected the writer to say something within {PATIENCE:.0f} s, found silence")
        try:
            word, number = self._connection.recv()
        except EOFError:
            raise CrewFailed("expected the writer to go on, found that it is gone before it was killed") from None
        if word == "tries":
            self.tried = number
        else:
            self.acknowledged.append(number)
            self.tried = None

    def all(self) -> None:
        """Everything that a dead writer had said."""
        while True:
            try:
                self.next()
            except (CrewFailed, OSError):
                return


def _write_until_killed(
    open_store: Callable[[], JournalStore], plan: Plan, seed: int, start: int, say: Connection
) -> None:
    store = open_store()
    for number in itertools.count(start):
        batch = plan(seed, number)
        say.send(("tries", number))
        if all(isinstance(outcome, Appended) for outcome in store.append(*batch)):
            say.send(("has", number))


def _place(outcome: Outcome) -> tuple[int, int]:
    match outcome:
        case Appended():
            return outcome.first, outcome.last
        case Repeated():
            return outcome.decision.first, outcome.decision.last
        case _:
            raise CrewFailed(f"expected the retry to be written or known, found {outcome}")

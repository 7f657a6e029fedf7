"""A view on PostgreSQL, each event counted once: by one worker, by two on two processors, built anew, one event a transaction.

A worker is a process of its own, which holds its share of the view by a lease and takes in page after page. What is measured is
the time from the word to go until every share is as far as the journal, with the shares divided already.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from actum.projection.projector import Projector
from actum.service.running import Running
from actum.subscription.worker import Followed, Holder, worker_name
from benchmarks.ground import Ground
from benchmarks.measure import Lap, race
from benchmarks.rebuild import one_by_one, rebuilt
from benchmarks.replay import Balance, reading, viewed
from benchmarks.server import Field, field
from benchmarks.table import Line, Section, at_least, fact, rate

ONE = 60_000
"""Events a second by one worker: what is asked for."""

TWO = 1.5
"""How many times as fast two of them are to be."""

ONE_BY_ONE = 40
"""So many times as fast as an event a transaction a rebuild is to be."""

LEASE = 600.0


def measure(ground: Ground) -> Section:
    """The section."""
    events = ground.size(200_000, 2_000)
    with field(ground, events=events) as server, ExitStack() as stack:
        running = stack.enter_context(reading.open(server.journal, actor="bench", follow=False))
        running.catch_up()
        pair = [stack.enter_context(_Hand.at_work(server.journal)) for _ in range(2)]
        results = race(
            ground.rounds,
            one=lambda: _together(running, server, pair[:1]),
            two=lambda: _together(running, server, pair),
            plain=lambda: viewed(running),
            rebuilt=lambda: rebuilt(running),
            single=lambda: one_by_one(running, max(100, events // 50)),
        )
        balances = sum(row.balance for row in running.view(Balance))
        version = str(server.server.installation).partition(" (")[0]
        right = _right(server, balances)
    one, two, plain, anew, single = results.values()
    lines: list[Line] = [
        at_least("one worker, each event once", one.rate / ONE, 1, figure=rate(one.rate), yardstick=f"asked for {rate(ONE)}"),
        fact("  processor time an event", f"{one.processor:.1f} µs", f"in the server {one.server:.1f} µs"),
        at_least("two workers in two processes beside one", two.beside(one), TWO, figure=rate(two.rate), yardstick=f"one {rate(one.rate)}"),
        fact("  processor time an event, in both together", f"{two.processor:.1f} µs", f"in the server {two.server:.1f} µs"),
        at_least("rebuilt beside the live table", anew.beside(plain), 1, figure=rate(anew.rate), yardstick=f"kept up {rate(plain.rate)}"),
        at_least("  the same beside an event a transaction", anew.beside(single), ONE_BY_ONE, figure=rate(anew.rate), yardstick=f"single {rate(single.rate)}"),
    ]  # fmt: skip
    notes = [
        f"{version} on this machine with fsync, over its socket; two processors for the server and the workers together",
        f"{events:,} events of 135 bytes and two tags, {events // 10:,} rows; the rows are right: {'yes' if right else 'NO'}",
    ]
    return Section("Followers on PostgreSQL", lines, notes)


def _right(server: Field, balances: int) -> bool:
    """Whether the balances add up to what the events say, as PostgreSQL itself adds them up."""
    with server.connect() as connection:
        asked = "SELECT sum((convert_from(data, 'UTF8')::jsonb ->> 'amount')::bigint) FROM bench.events WHERE type = 'Deposited'"
        row = connection.execute(asked).fetchone()
    return row is not None and row[0] == balances


def _together(running: Running, server: Field, hands: list[_Hand]) -> Lap:
    """All events, by so many workers, from an empty table on."""
    place = running.views.shelf.place(Balance)
    own = place.own()
    assert own is not None
    running.views.shelf.projector.renew(place.kept_in(own))
    for _ in hands:
        for hand in hands:
            hand.ask("beat")
    for hand in hands:
        hand.ask("look")
    begun, used = time.perf_counter(), server.processor()
    for hand in hands:
        hand.say("go")
    told = [hand.hear() for hand in hands]
    seconds, used = time.perf_counter() - begun, server.processor() - used
    for hand in hands:
        hand.ask("leave")
    return Lap(running.head(), seconds, sum(one["processor"] for one in told), used)


class _Hand:
    """A worker in a process of its own, told what to do line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @staticmethod
    @contextmanager
    def at_work(journal: str) -> Iterator[_Hand]:
        """One that is ready."""
        words = [sys.executable, "-m", "benchmarks.followers", journal]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            hand = _Hand(process)
            hand.hear()
            yield hand
            process.stdin.close()  # type: ignore[union-attr]

    def say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def ask(self, word: str) -> Any:
        self.say(word)
        return self.hear()


def work(journal: str) -> None:
    """What a worker does: what the lines of its input say."""
    with reading.open(journal, actor="bench", follow=False) as running:
        shelf, database = running.views.shelf, running.views.database
        plans, name = [plan for plan in shelf.plans if plan.name == "Balance"], worker_name()
        holder = Holder(database, [Followed(plan.shape, plan.divisible) for plan in plans], name=name, lease=LEASE)
        projector = Projector(running.store, running.app.codec, database=database, plans=plans, owner=name)
        verbs = {
            "beat": holder.beat,
            "look": projector.prepare,
            "leave": holder.leave,
            "go": lambda: _take_everything_in(projector),
        }
        _answer(None)
        for line in sys.stdin:
            _answer(verbs[line.strip()]())


def _take_everything_in(projector: Projector) -> dict[str, float]:
    used = time.process_time()
    while projector.step():
        pass
    return {"position": projector.position, "processor": time.process_time() - used}


def _answer(said: object) -> None:
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    work(sys.argv[1])

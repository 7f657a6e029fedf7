"""Writers and readers of a journal on a server that is not left in peace, each in a process of its own.

A writer says in each event what it had seen when it decided, in a log of its own what was answered, and asks again where
nobody could say what became of it. A reader follows and counts what it was not shown in order.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import msgspec

from actum.journal.bell import Bell
from actum.journal.clock import SYSTEM_IDS
from actum.journal.errors import Busy, OutcomeUnknown, Unavailable
from actum.journal.event import Position
from actum.journal.query import AppendCondition, Query
from actum.journal.store import Append, Appended, Collided, DecisionKey, JournalStore, Repeated
from actum.stores.postgres.database import PostgresStore
from actum.testing.builders import an_event
from actum.testing.workers import TAGS, TYPES, Expectation, random_query

THREADS = 4
PATIENCE = 30.0
NEVER = Query.of(types=["Never"])


def opened(url: str) -> PostgresStore:
    """Open the journal, however often the server is away."""
    while True:
        try:
            return PostgresStore(url, timeout=PATIENCE)
        except (Unavailable, Busy):
            threading.Event().wait(0.05)


def write(say: Connection, url: str, log_path: Path, seed: int) -> None:
    """Several threads on one store, until told to stop; then how often what was met with."""
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    stop = threading.Event()
    tallies = [Counter[str]() for _ in range(THREADS)]
    wrong: list[BaseException] = []
    store = opened(url)

    def work(number: int) -> None:
        random = Random(f"{seed}/{number}")
        try:
            while not stop.is_set():
                tallies[number][_write_once(store, random, log)] += 1
        except BaseException as error:  # noqa: BLE001 - told to the test
            wrong.append(error)
            stop.set()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    say.recv()
    stop.set()
    for thread in threads:
        thread.join()
    store.close()
    say.send((sum(tallies, Counter()), [repr(error) for error in wrong]))


def _write_once(store: JournalStore, random: Random, log: int) -> str:
    """One batch, on the condition of what was seen or on none; asked again until there is an answer."""
    append = _retried(lambda: _believing(store, random))
    met = ""
    while True:
        try:
            (outcome,) = store.append(append)
        except OutcomeUnknown:
            met = "unknown, then "
            if append.decision is None:
                return "unknown"
        except (Unavailable, Busy):
            met = met or "away, then "
        else:
            break
    match outcome:
        case Appended(first, last):
            _note(log, append, first, last)
            return f"{met}appended"
        case Repeated(record):
            _note(log, append, record.first, record.last)
            return f"{met}repeated"
        case Collided():
            return f"{met}collided"


def _retried(work: Callable[[], Append]) -> Append:
    while True:
        try:
            return work()
        except (Unavailable, Busy):
            continue


def _believing(store: JournalStore, random: Random) -> Append:
    """Events that say what their writer believed: the newest match of a query, which is or is not its condition."""
    conditional = random.random() < 0.7
    query = random_query(random) if conditional else NEVER
    head = store.head()
    newest = next((event.position for event in store.read(query, until=head, limit=1, backwards=True)), 0)
    name, size = SYSTEM_IDS.new(), random.randint(1, 4)
    events = tuple(
        an_event(
            random.choice(TYPES),
            *random.sample(TAGS, random.randint(0, 3)),
            data=msgspec.json.encode(Expectation(name.hex(), place, size, query, newest)),
        )
        for place in range(size)
    )
    condition = AppendCondition(query, random.choice((newest, head))) if conditional else None
    decision = DecisionKey(name, b"", "siege@1") if random.random() < 0.8 else None
    return Append(events, condition, decision)


def _note(log: int, append: Append, first: Position, last: Position) -> None:
    """In one piece: a kill leaves the whole line or nothing of it."""
    os.write(log, (json.dumps([first, last, [event.id.hex() for event in append.events]]) + "\n").encode())


def follow(say: Connection, url: str) -> None:
    """Read on and on, until told at which position to stop; then what was seen out of order, and how often it was told."""
    store, bell, seen, wrong, end = opened(url), Bell(), 0, list[str](), None
    store.watch(bell.ring)
    while end is None or seen < end:
        try:
            for event in store.read(after=seen):
                if event.position != seen + 1:
                    wrong.append(f"position {event.position} came after {seen}")
                seen = event.position
        except (Unavailable, Busy):
            continue
        if end is None and say.poll():
            end = say.recv()
        bell.wait(seen + 1, timeout=0.05)
    store.close()
    say.send((seen, wrong))

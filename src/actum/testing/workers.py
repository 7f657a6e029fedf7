"""What writers do in threads and processes of their own when a store is put to the test. No test runner in here.

Each is a function of a store and a seed, so that the same labour serves threads and processes, and can be repeated.
"""

from __future__ import annotations

import itertools
import time
from random import Random
from typing import TYPE_CHECKING

import msgspec

from actum.journal.event import Position
from actum.journal.query import AppendCondition, Query, QueryItem
from actum.journal.store import Append, Appended, Collided, Repeated
from actum.testing.builders import a_decision, an_append, an_event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actum.journal.event import EventData, SequencedEvent
    from actum.journal.store import JournalStore

TYPES = ("Opened", "Moved", "Closed")
TAGS = tuple(f"thing:{number}" for number in range(6))


class Expectation(msgspec.Struct, frozen=True):
    """What the writer of a batch believed: stored in every event of the batch, to be verified when all is over."""

    batch: str
    place: int
    size: int
    query: Query
    newest: Position


class Tally(msgspec.Struct):
    """What one writer met with."""

    appended: int = 0
    collided: int = 0
    repeated: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            appended=self.appended + other.appended,
            collided=self.collided + other.collided,
            repeated=self.repeated + other.repeated,
        )


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them together."""
    return sum(tallies, start=Tally())


def decide_at_random(store: JournalStore, seed: int) -> Tally:
    """Twelve batches of one to five events; each rests on a random query and says what it saw last."""
    random, tally = Random(seed), Tally()
    for number in range(12):
        query = random_query(random)
        while not _decide_once(store, random, f"{seed}/{number}", query):
            tally.collided += 1
        tally.appended += 1
    return tally


def _decide_once(store: JournalStore, random: Random, batch: str, query: Query) -> bool:
    head = store.head()
    newest = next((event.position for event in store.read(query, until=head, limit=1, backwards=True)), 0)
    size = random.randint(1, 5)
    events = [_believing(random, Expectation(batch, place, size, query, newest)) for place in range(size)]
    condition = AppendCondition(query, after=random.choice((newest, head)))
    time.sleep(0)  # the moment of thought in which another thread may come first
    (outcome,) = store.append(Append(tuple(events), condition, a_decision(batch)))
    return isinstance(outcome, Appended)


def _believing(random: Random, expectation: Expectation) -> EventData:
    tags = random.sample(TAGS, random.randint(0, 3))
    return an_event(random.choice(TYPES), *tags, data=msgspec.json.encode(expectation))


def random_query(random: Random) -> Query:
    """A query of one to three items of any shape; now and then everything."""
    if random.random() < 0.05:
        return Query.all()
    return Query.from_items(_random_item(random) for _ in range(random.randint(1, 3)))


def _random_item(random: Random) -> QueryItem:
    types = frozenset(random.sample(TYPES, random.randint(0, 2)))
    tags = frozenset(random.sample(TAGS, random.randint(0 if types else 1, 2)))
    return QueryItem(types=types, tags=tags)


def broken_expectations(events: Iterable[SequencedEvent]) -> list[str]:
    """Every belief that was not true when its batch was written, and every batch that is not whole."""
    seen: list[SequencedEvent] = []
    wrong: list[str] = []
    for _, group in itertools.groupby(events, key=lambda event: _expectation(event).batch):
        batch = list(group)
        first = _expectation(batch[0])
        if [_expectation(event).place for event in batch] != list(range(first.size)):
            wrong.append(f"batch {first.batch} is not whole at position {batch[0].position}")
        newest = next((event.position for event in reversed(seen) if _matches(first.query, event)), 0)
        if newest != first.newest:
            wrong.append(f"batch {first.batch} saw {first.newest} as the newest match, but {newest} was")
        seen += batch
    return wrong


def _expectation(event: SequencedEvent) -> Expectation:
    return msgspec.json.decode(event.data, type=Expectation)


def _matches(query: Query, event: SequencedEvent) -> bool:
    return query.matches(event.type, event.tags)


def write_for_oneself(store: JournalStore, seed: int) -> Tally:
    """A hundred appends, each on the condition that nobody else wrote to this writer's own entity."""
    own, newest, tally = f"writer:{seed}", 0, Tally()
    condition = Query.of(types=["Written"], tags=[own]) | Query.of(tags=[own, "shared:1"])
    for _ in range(100):
        events = [an_event("Written", own, "shared:1"), an_event("Written", own)]
        (outcome,) = store.append(an_append(*events, unless=condition, after=newest))
        if isinstance(outcome, Appended):
            newest = outcome.last
            tally.appended += 1
        else:
            tally.collided += 1
    return tally


def claim_names(store: JournalStore, seed: int) -> Tally:
    """Try to claim each of fifty names that every writer wants, in this writer's own order."""
    tally = Tally()
    for name in Random(seed).sample(range(50), 50):
        tag = f"name:{name}"
        (outcome,) = store.append(an_append(an_event("Claimed", tag), unless=Query.of(tags=[tag])))
        tally.appended += isinstance(outcome, Appended)
        tally.collided += isinstance(outcome, Collided)
    return tally


def retry_commands(store: JournalStore, seed: int) -> Tally:
    """Try each of fifty commands that every writer tries too, one or several to a batch."""
    random, tally = Random(seed), Tally()
    names = [f"command {number}" for number in random.sample(range(50), 50)]
    while names:
        batch = [names.pop() for _ in range(min(len(names), random.randint(1, 4)))]
        appends = [an_append(an_event("Decided", name), an_event("Decided"), command=name) for name in batch]
        for outcome in store.append(*appends):
            tally.appended += isinstance(outcome, Appended)
            tally.repeated += isinstance(outcome, Repeated)
    return tally


def write_batches(store: JournalStore, seed: int) -> Tally:
    """Forty appends of one to twenty events, each event saying its place in its batch."""
    tally = Tally()
    for number, size in enumerate(_sizes(seed)):
        events = [an_event("Written", f"writer:{seed}", data=f"{number} {at} {size}".encode()) for at in range(size)]
        store.append(an_append(*events))
        tally.appended += size
    return tally


def volume(seed: int) -> int:
    """How many events `write_batches` writes with that seed."""
    return sum(_sizes(seed))


def _sizes(seed: int) -> list[int]:
    random = Random(seed)
    return [random.randint(1, 20) for _ in range(40)]

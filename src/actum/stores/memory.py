"""A journal that lives as long as the process: the model answer that every other store is held against.

Every operation costs the same on the millionth event as on the first, but for bisection. Everything only grows, and the
head moves last: so readers take no lock and see a batch whole or not at all.
"""

from __future__ import annotations

import heapq
import itertools
import operator
import threading
from bisect import bisect_left, bisect_right
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from actum.journal.bell import Bell
from actum.journal.clock import SYSTEM_CLOCK
from actum.journal.errors import Invalid, Unavailable
from actum.journal.event import Kind, SequencedEvent, checked_position
from actum.journal.merkle import leaf
from actum.journal.query import AppendCondition, Query
from actum.journal.store import (
    DEFAULT_PAYLOAD_LIMIT,
    Append,
    Appended,
    Collided,
    DecisionRecord,
    Repeated,
    check_positions,
    check_sizes,
    checked_continuation,
    checked_limit,
    checked_payload_limit,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from actum.journal.clock import Clock, Microseconds
    from actum.journal.event import EventData, Position
    from actum.journal.query import QueryItem
    from actum.journal.store import Outcome, Snapshot

_ALL = Query.all()


class MemoryStore:
    """A `JournalStore` in this process's memory. Nothing survives the process; nothing is shared with another.

    `payload_limit` bounds the data of one event, in bytes; `origin` names the journal (a fresh name unless given).
    """

    def __init__(
        self,
        *,
        clock: Clock = SYSTEM_CLOCK,
        payload_limit: int = DEFAULT_PAYLOAD_LIMIT,
        origin: str | None = None,
    ) -> None:
        self._origin = uuid4().hex if origin is None else origin
        self._clock = clock
        self._payload_limit = checked_payload_limit(payload_limit)
        self._lock = threading.RLock()
        self._bell = Bell()
        self._closed = False
        self._head: Position = 0
        self._recorded: Microseconds = 0
        self._events: list[SequencedEvent] = []
        self._index = _Index()
        self._decisions: dict[bytes, DecisionRecord] = {}
        self._decided: list[DecisionRecord] = []
        self._kinds: set[Kind] = set()
        self._snapshots: dict[str, Snapshot] = {}

    @property
    def origin(self) -> str:
        """The journal's own name."""
        return self._origin

    def now(self) -> Microseconds:
        """See `JournalStore.now`."""
        self._check_open()
        return max(self._recorded, self._clock.now())

    def append(self, *batch: Append) -> list[Outcome]:
        """See `EventStore.append`."""
        with self._lock:
            self._check_open()
            check_sizes(batch, payload_limit=self._payload_limit)
            check_positions(batch, head=self._head)
            self._recorded = max(self._recorded, self._clock.now())
            refused: list[EventData] = []
            outcomes = [self._take(append, refused) for append in batch]
            self._head = len(self._events)
        self._bell.ring(self._head)
        return outcomes

    def read(
        self,
        query: Query = _ALL,
        *,
        after: Position = 0,
        until: Position | None = None,
        limit: int | None = None,
        backwards: bool = False,
    ) -> Iterator[SequencedEvent]:
        """See `EventStore.read`."""
        self._check_open()
        checked_position(after, "after")
        bound = None if until is None else checked_position(until, "until")
        walk = self._backwards(query, after, bound) if backwards else self._forwards(query, after, bound)
        return itertools.islice(walk, checked_limit(limit))

    def load(
        self, queries: Sequence[Query], *, after: Sequence[Position]
    ) -> tuple[Position, list[list[SequencedEvent]]]:
        """See `EventStore.load`."""
        self._check_open()
        if len(queries) != len(after):
            raise Invalid(f"expected one position for each query, found {len(after)} for {len(queries)}")
        head = self._head
        found = [
            [
                self._events[position - 1]
                for position in self._index.matching(query, checked_position(start, "after"), head)
            ]
            for query, start in zip(queries, after, strict=True)
        ]
        return head, found

    def head(self) -> Position:
        """See `EventStore.head`."""
        self._check_open()
        return self._head

    def restore(self, origin: str, events: Sequence[SequencedEvent], decisions: Sequence[DecisionRecord]) -> Position:
        """See `Archive.restore`."""
        with self._lock:
            self._check_open()
            checked_continuation(origin, events, decisions, onto=self._origin, head=self._head, recorded=self._recorded)
            if any(record.command in self._decisions for record in decisions):
                raise Invalid(
                    "a command of these decisions is decided in this journal already; restore into an empty one"
                )
            for event in events:
                self._events.append(event)
                self._kinds.add(event.kind)
                self._index.add(event.position, event.type, event.tags)
                self._recorded = event.recorded
            for record in decisions:
                self._keep(record)
            self._origin = origin
            self._head = len(self._events)
        self._bell.ring(self._head)
        return self._head

    def watch(self, ring: Callable[[Position], None]) -> Callable[[], None]:
        """See `EventStore.watch`."""
        self._check_open()
        return self._bell.listen(ring)

    @contextmanager
    def alone(self) -> Generator[None, None, None]:
        """See `JournalStore.alone`."""
        with self._lock:
            self._check_open()
            yield

    def decision(self, command: bytes) -> DecisionRecord | None:
        """See `DecisionLog.decision`."""
        self._check_open()
        with self._lock:
            return self._decisions.get(command)

    def decisions(self, *, after: Position = 0) -> Iterator[DecisionRecord]:
        """See `DecisionLog.decisions`."""
        self._check_open()
        first = bisect_right(self._decided, checked_position(after, "after"), key=_first)
        last = bisect_right(self._decided, self._head, key=_first)
        return itertools.islice(self._decided, first, last)

    def kinds(self) -> frozenset[Kind]:
        """See `JournalStore.kinds`."""
        self._check_open()
        return frozenset(self._kinds)

    def snapshot(self, key: str) -> Snapshot | None:
        """See `Snapshots.snapshot`."""
        self._check_open()
        return self._snapshots.get(key)

    def remember(self, key: str, snapshot: Snapshot) -> None:
        """See `Snapshots.remember`."""
        self._check_open()
        self._snapshots[key] = snapshot

    def close(self) -> None:
        """See `JournalStore.close`."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("the journal is closed; open it again")

    def _forwards(self, query: Query, after: Position, until: Position | None) -> Iterator[SequencedEvent]:
        while True:
            self._check_open()
            end = self._head if until is None else min(until, self._head)
            for position in self._index.matching(query, after, end):
                yield self._events[position - 1]
            if end <= after or end == until:
                return
            after = end

    def _backwards(self, query: Query, after: Position, until: Position | None) -> Iterator[SequencedEvent]:
        end = self._head if until is None else min(until, self._head)
        for position in self._index.matching(query, after, end, backwards=True):
            yield self._events[position - 1]

    def _take(self, append: Append, refused: list[EventData]) -> Outcome:
        outcome = self._repetition(append) or self._collision(append, refused) or self._write(append)
        if not isinstance(outcome, Appended):
            refused.extend(append.events)
        return outcome

    def _repetition(self, append: Append) -> Repeated | None:
        known = self._decisions.get(append.decision.command) if append.decision else None
        return Repeated(known) if known else None

    def _collision(self, append: Append, refused: Iterable[EventData]) -> Collided | None:
        condition = append.condition
        if condition is None:
            return None
        if append.sequel and (missing := _first_match(condition, refused)):
            return Collided(position=0, type=missing.type, tags=missing.tags, after=condition.after)
        end = self._head if append.sequel else len(self._events)
        position = self._index.newest(condition.fail_if_events_match, condition.after, end)
        if not position:
            return None
        found = self._events[position - 1]
        return Collided(position=position, type=found.type, tags=found.tags, after=condition.after)

    def _write(self, append: Append) -> Appended:
        first = len(self._events) + 1
        for position, event in enumerate(append.events, first):
            self._events.append(self._sequenced(event, position))
            self._kinds.add(Kind(event.type, event.version))
            self._index.add(position, event.type, event.tags)
        if append.decision:
            key = append.decision
            evidence = self._evidence(append, first - 1)
            self._keep(DecisionRecord(key.command, key.digest, key.handler, evidence, first, len(append.events)))
        return Appended(first=first, last=len(self._events), recorded=self._recorded)

    def _evidence(self, append: Append, until: Position) -> AppendCondition | None:
        """The condition as it will still hold when it is verified: a sequel has seen the earlier events of its batch."""
        condition = append.condition
        if condition is None or not append.sequel:
            return condition
        seen = self._index.newest(condition.fail_if_events_match, self._head, until)
        return AppendCondition(condition.fail_if_events_match, seen) if seen else condition

    def _keep(self, record: DecisionRecord) -> None:
        self._decisions[record.command] = record
        self._decided.append(record)

    def _sequenced(self, event: EventData, position: Position) -> SequencedEvent:
        tags = "\n".join(event.tags)
        return SequencedEvent(
            position=position,
            kind=Kind(event.type, event.version),
            id=event.id,
            recorded=self._recorded,
            effective=event.effective,
            tag_text=tags,
            data=event.data,
            metadata_bytes=event.metadata,
            salt=event.salt,
            leaf=leaf(
                self._origin,
                position=position,
                id=event.id,
                type=event.type,
                version=event.version,
                recorded=self._recorded,
                effective=event.effective,
                tags=tags,
                metadata=event.metadata,
                data=event.data,
                salt=event.salt,
            ),
        )


class _Index:
    """The positions of every tag and of every type, ascending."""

    def __init__(self) -> None:
        self._tags: defaultdict[str, list[Position]] = defaultdict(list)
        self._types: defaultdict[str, list[Position]] = defaultdict(list)

    def add(self, position: Position, type: str, tags: Iterable[str]) -> None:
        self._types[type].append(position)
        for tag in tags:
            self._tags[tag].append(position)

    def newest(self, query: Query, after: Position, until: Position) -> Position:
        """The last position in (after, until] that the query matches, 0 where there is none."""
        if query.is_all:
            return until if until > after else 0
        return max(next(self._of_item(item, after, until, backwards=True), 0) for item in query.items)

    def matching(
        self, query: Query, after: Position, until: Position, *, backwards: bool = False
    ) -> Iterator[Position]:
        """Every position in (after, until] that the query matches, each once."""
        if query.is_all:
            return iter(range(until, after, -1) if backwards else range(after + 1, until + 1))
        found = [self._of_item(item, after, until, backwards=backwards) for item in query.items]
        return found[0] if len(found) == 1 else _merged(found, backwards=backwards)

    def _of_item(self, item: QueryItem, after: Position, until: Position, *, backwards: bool) -> Iterator[Position]:
        """Starts from the rarest thing that the item asks for, and looks the others up."""
        tags = sorted((self._tags.get(tag, ()) for tag in item.tags), key=len)
        types = [self._types.get(type, ()) for type in item.types]
        if tags and (not types or len(tags[0]) <= sum(map(len, types))):
            candidates, demanded = _between(tags[0], after, until, backwards=backwards), tags[1:]
            choices = types
        else:
            candidates = _merged(
                [_between(one, after, until, backwards=backwards) for one in types], backwards=backwards
            )
            choices, demanded = [], tags
        for position in candidates:
            if all(_holds(one, position) for one in demanded):
                if not choices or any(_holds(one, position) for one in choices):
                    yield position


def _merged(ordered: list[Iterator[Position]], *, backwards: bool) -> Iterator[Position]:
    if len(ordered) == 1:
        return ordered[0]
    return (position for position, _ in itertools.groupby(heapq.merge(*ordered, reverse=backwards)))


def _between(positions: Sequence[Position], after: Position, until: Position, *, backwards: bool) -> Iterator[Position]:
    first, end = bisect_right(positions, after), bisect_right(positions, until)
    chosen = range(end - 1, first - 1, -1) if backwards else range(first, end)
    return map(positions.__getitem__, chosen)


def _holds(positions: Sequence[Position], position: Position) -> bool:
    index = bisect_left(positions, position)
    return index < len(positions) and positions[index] == position


def _first_match(condition: AppendCondition, events: Iterable[EventData]) -> EventData | None:
    query = condition.fail_if_events_match
    return next((event for event in events if query.matches(event.type, event.tags)), None)


_first = operator.attrgetter("first")

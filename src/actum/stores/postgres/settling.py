"""What becomes of each append of a batch, seen from one head: whom conditions turn down, what is to be written and where.

Knows no database: what the window does not hold is asked of whoever calls. Everything here is undone by forgetting it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from actum.journal.merkle import leaf
from actum.journal.store import Appended, Collided, DecisionRecord, Repeated
from actum.stores.postgres.arrays import Bigints, Blobs, Integers, Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from actum.journal.clock import Microseconds
    from actum.journal.event import EventData, Position, SequencedEvent
    from actum.journal.query import AppendCondition, Query
    from actum.journal.store import Append, Outcome
    from actum.stores.window import Window


class Numbers(msgspec.Struct, frozen=True):
    """A decision's names as the journal numbers them: its rule, the shape of its condition; and the tags of that."""

    handler: int
    shape: int | None
    tags: str | None


class Older(msgspec.Struct, frozen=True):
    """An event from before the window."""

    position: Position
    type: str
    tags: tuple[str, ...]


class Docket:
    """One attempt at a batch. What it adds to the window must be taken back where it is not written."""

    def __init__(
        self,
        window: Window,
        *,
        origin: str,
        recorded: Microseconds,
        decided: Mapping[bytes, DecisionRecord],
        newest_older: Callable[[Query, Position, Position], Older | None],
    ) -> None:
        self.head = window.head
        self.recorded = recorded
        self._window = window
        self._origin = origin
        self._decided = dict(decided)
        self._newest_older = newest_older
        self._turned_down: list[Append] = []
        self._tags: set[str] = set()
        self._events: list[tuple[Any, ...]] = []
        self._decisions: list[tuple[Any, ...]] = []
        self._open = True
        self.kinds: set[tuple[str, int]] = set()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be written."""
        return not self._events

    @property
    def first_leaf(self) -> bytes:
        """The commitment of the first event to be written: no other event anywhere has the same."""
        return bytes(self._events[0][-1])

    @property
    def last(self) -> tuple[Microseconds, bytes]:
        """When the last event is recorded, and its commitment."""
        return self._events[-1][3], self._events[-1][-1]

    def keep(self) -> None:
        """It is written: what it added to the window stays there."""
        self._open = False

    def forget(self) -> None:
        """It is not written: the window is as it was before, unless that was done already."""
        if self._open:
            self._open = False
            self._window.take_back(self.head)

    def settle(self, entry: Append, numbers: Numbers | None) -> Outcome:
        """What becomes of the next append of the batch."""
        decision = entry.decision
        if decision is not None and decision.command in self._decided:
            self._turned_down.append(entry)
            return Repeated(self._decided[decision.command])
        if entry.condition is not None:
            collided = self._collision(entry, entry.condition)
            if collided is not None:
                self._turned_down.append(entry)
                return collided
        first = self._window.head + 1
        evidence = self._evidence(entry)
        for event in entry.events:
            self._take_down(event)
        if decision is not None and numbers is not None:
            record = DecisionRecord(
                decision.command, decision.digest, decision.handler, evidence, first, len(entry.events)
            )
            self._decided[decision.command] = record
            self.enter(record, numbers)
        return Appended(first, self._window.head, self.recorded)

    def _collision(self, entry: Append, condition: AppendCondition) -> Collided | None:
        after, query = condition.after, condition.fail_if_events_match
        if entry.sequel:
            for earlier in self._turned_down:
                for event in earlier.events:
                    if query.matches(event.type, event.tags):
                        return Collided(0, event.type, event.tags, after)
        window = self._window
        until = self.head if entry.sequel else window.head
        if after >= until or not window.may_match(query, after):
            return None
        if found := window.find(query, max(after, window.floor), until):
            return Collided(found[-1], *window.at(found[-1]), after)
        if after < window.floor:
            older = self._newest_older(query, after, min(until, window.floor))
            if older is not None:
                return Collided(older.position, older.type, older.tags, after)
        return None

    def _evidence(self, entry: Append) -> AppendCondition | None:
        """The condition as it will still hold when it is verified: a sequel has seen the earlier events of its batch."""
        condition = entry.condition
        if condition is None or entry.decision is None or not entry.sequel or self._window.head == self.head:
            return condition
        query = condition.fail_if_events_match
        if query.items and all(item.tags and item.tags.isdisjoint(self._tags) for item in query.items):
            return condition
        seen = self._window.find(query, self.head, self._window.head)
        return msgspec.structs.replace(condition, after=seen[-1]) if seen else condition

    def _take_down(self, event: EventData) -> None:
        self._tags.update(event.tags)
        position = self._window.head + 1
        self._window.add(event.type, event.tags)
        tags = "\n".join(event.tags)
        committed = leaf(
            self._origin,
            position=position,
            id=event.id,
            type=event.type,
            version=event.version,
            recorded=self.recorded,
            effective=event.effective,
            tags=tags,
            metadata=event.metadata,
            data=event.data,
            salt=event.salt,
        )
        self.kinds.add((event.type, event.version))
        row = (
            event.type, event.version, event.id, self.recorded, event.effective, tags, event.data, event.metadata,
            event.salt, committed,
        )  # fmt: skip
        self._events.append(row)

    def restore(self, event: SequencedEvent) -> None:
        """An event as another journal kept it, to stand at the next position, which is the one it had."""
        self._window.add(event.type, event.tags)
        self.kinds.add((event.type, event.version))
        row = (
            event.type, event.version, event.id, event.recorded, event.effective, event.tag_text, event.data,
            event.metadata_bytes, event.salt, event.leaf,
        )  # fmt: skip
        self._events.append(row)

    def enter(self, record: DecisionRecord, numbers: Numbers) -> None:
        """A decision whose events are in this batch."""
        after = None if record.condition is None else record.condition.after
        row = (
            record.first, after, record.count, numbers.handler, numbers.shape, record.command, record.digest, numbers.tags,
        )  # fmt: skip
        self._decisions.append(row)

    def columns(self, new_kinds: Sequence[tuple[str, int]]) -> tuple[object, ...]:
        """What the journal's function `append` is given behind its first four arguments."""
        types, versions, ids, recorded, effective, tags, datas, metadatas, salts, leaves = zip(
            *self._events, strict=True
        )
        firsts, afters, counts, handlers, shapes, commands, digests, asked = (
            zip(*self._decisions, strict=True) if self._decisions else ((),) * 8
        )
        return (
            Texts(types), Integers(versions), Blobs(ids), Bigints(recorded), Bigints(effective), Texts(tags),
            Blobs(datas), Blobs(metadatas), Blobs(salts), Blobs(leaves),
            Texts(type for type, _ in new_kinds), Integers(version for _, version in new_kinds),
            Bigints(firsts), Bigints(afters), Integers(counts), Integers(handlers), Integers(shapes),
            Blobs(commands), Blobs(digests), Texts(asked),
        )  # fmt: skip

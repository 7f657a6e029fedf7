"""The newest events in memory: what carries which tag, so that a condition on them costs no query.

Where a database's own index follows behind, in large sorted steps, this is also how what it does not cover is found.
Everything here can be read again from the database.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actum.journal.event import Position
    from actum.journal.query import Query, QueryItem

_Entry: TypeAlias = "tuple[str, tuple[str, ...], Position]"


class _Pane:
    """The events after `floor` up to `head`. Let go of as a whole: to forget one by one would cost as much as to learn."""

    __slots__ = ("_filed", "_tagged", "entries", "floor", "head")

    def __init__(self, floor: Position) -> None:
        self.floor = floor
        self.head = floor
        self.entries: list[_Entry] = []
        """Type, tags, and the newest position of that type before."""
        self._tagged: dict[str, list[Position]] = {}
        self._filed = floor

    @property
    def tagged(self) -> dict[str, list[Position]]:
        """The positions of each tag. Filed when somebody looks: most of what comes in goes unlooked for."""
        tagged, position = self._tagged, self._filed
        if position < self.head:
            for _, tags, _ in self.entries[position - self.floor :]:
                position += 1
                for tag in tags:
                    if tag in tagged:
                        tagged[tag].append(position)
                    else:
                        tagged[tag] = [position]
            self._filed = position
        return tagged

    def take_back(self) -> _Entry:
        """Forget the newest."""
        entry = self.entries.pop()
        self.head -= 1
        if self._filed > self.head:
            self._filed = self.head
            for tag in entry[1]:
                found = self._tagged[tag]
                found.pop()
                if not found:
                    del self._tagged[tag]
        return entry

    def find(self, item: QueryItem, after: Position, until: Position) -> list[Position]:
        """Positions in (after, until] that match the item, in order."""
        candidates = self._candidates(item, after)
        if not candidates:
            return []
        entries, floor, types = self.entries, self.floor, item.types
        return [
            position
            for position in candidates
            if position <= until
            and (not types or entries[position - floor - 1][0] in types)
            and (len(item.tags) < 2 or item.tags.issubset(entries[position - floor - 1][1]))
        ]

    def _candidates(self, item: QueryItem, after: Position) -> Sequence[Position]:
        """Every position after `after` that carries the rarest of the item's tags."""
        if not item.tags:
            return range(max(after, self.floor) + 1, self.head + 1)
        rarest: list[Position] = []
        tagged = self.tagged
        for tag in item.tags:
            found = tagged.get(tag)
            if found is None:
                return ()
            if not rarest or len(found) < len(rarest):
                rarest = found
        return rarest[bisect_right(rarest, after) :] if after >= rarest[0] else rarest


class Window:
    """Every event after `floor` up to `head`, by its type and tags. Not safe to share without a lock."""

    def __init__(self, floor: Position = 0) -> None:
        self._older = _Pane(floor)
        self._newer = _Pane(floor)
        self.floor = floor
        """Events up to here are not kept."""
        self.head = floor
        """The newest position kept."""
        self.newest_of: dict[str, Position] = {}
        """The newest position of every type, also before the floor."""

    def add(self, type: str, tags: tuple[str, ...]) -> None:
        """The next event."""
        self.extend(((type, tags),))

    def extend(self, events: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        """The next events: of each its type and its tags."""
        newest_of, newer, position = self.newest_of, self._newer, self.head
        for type, tags in events:
            position += 1
            newer.entries.append((type, tags, newest_of.get(type, 0)))
            newest_of[type] = position
        self.head = newer.head = position

    def take_back(self, head: Position) -> None:
        """Forget what was added beyond `head`: it was not written after all."""
        while self.head > head:
            pane = self._newer if self._newer.entries else self._older
            type, _, self.newest_of[type] = pane.take_back()
            if pane is self._older:
                self._newer = _Pane(pane.head)
            self.head = pane.head

    def turn_over(self, size: int, *, indexed: Position) -> None:
        """Let the older half go, where the newer one has grown to that many events and the index covers the older."""
        if len(self._newer.entries) >= size and self._newer.floor <= indexed:
            self._older, self._newer = self._newer, _Pane(self._newer.head)
            self.floor = self._older.floor

    def tags_after(self, position: Position) -> list[tuple[str, ...]]:
        """The tags of every event after a position that is not before the floor, in order."""
        return [
            tags
            for pane in (self._older, self._newer)
            if pane.head > position
            for _, tags, _ in pane.entries[max(position - pane.floor, 0) :]
        ]

    def at(self, position: Position) -> tuple[str, tuple[str, ...]]:
        """Type and tags of one event."""
        pane = self._newer if position > self._newer.floor else self._older
        type, tags, _ = pane.entries[position - pane.floor - 1]
        return type, tags

    def may_match(self, query: Query, after: Position) -> bool:
        """Whether an event after a position may match: False is certain, and known at once."""
        if after < self._newer.floor:
            return True
        tagged = self._newer.tagged
        for item in query.items:
            for tag in item.tags:
                found = tagged.get(tag)
                if found is None or found[-1] <= after:
                    break
            else:
                return True
        return query.is_all

    def find(self, query: Query, after: Position, until: Position) -> list[Position]:
        """Positions in (after, until] that match, in order."""
        if query.is_all:
            return list(range(max(after, self.floor) + 1, min(until, self.head) + 1))
        older, newer = self._older, self._newer
        found: list[Position] = []
        for item in query.items:
            if older.head > after and older.floor < until:
                found += older.find(item, after, until)
            if newer.head > after and newer.floor < until:
                found += newer.find(item, after, until)
        return found if len(query.items) == 1 else sorted(set(found))

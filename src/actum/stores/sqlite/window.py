"""The newest events in memory: what carries which tag, so that a condition on them costs no query.

The index in the file follows in large sorted steps, because adding tags one by one is what makes an append slow on a
big journal. Everything here can be read again from the file.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actum.journal.event import Position
    from actum.journal.query import Query, QueryItem


class Window:
    """Every event after `floor` up to `head`, by its type and tags. Not safe to share without a lock."""

    def __init__(self, floor: Position = 0) -> None:
        self.floor = floor
        self._entries: list[tuple[str, tuple[str, ...], Position]] = []
        self._tagged: dict[str, list[Position]] = {}
        self.newest_of: dict[str, Position] = {}
        """The newest position of every type, also before the floor."""

    @property
    def head(self) -> Position:
        """The newest position kept."""
        return self.floor + len(self._entries)

    def add(self, type: str, tags: tuple[str, ...]) -> Position:
        """The next event."""
        self._entries.append((type, tags, self.newest_of.get(type, 0)))
        position = self.floor + len(self._entries)
        for tag in tags:
            found = self._tagged.get(tag)
            if found is None:
                self._tagged[tag] = [position]
            else:
                found.append(position)
        self.newest_of[type] = position
        return position

    def take_back(self, head: Position) -> None:
        """Forget what was added beyond `head`: it was not written after all."""
        while self.head > head:
            type, tags, newest_before = self._entries.pop()
            for tag in tags:
                found = self._tagged[tag]
                found.pop()
                if not found:
                    del self._tagged[tag]
            self.newest_of[type] = newest_before

    def raise_floor(self, floor: Position) -> None:
        """Forget the oldest, up to and including `floor`."""
        gone = self._entries[: floor - self.floor]
        del self._entries[: floor - self.floor]
        self.floor = floor
        for tag in {tag for _, tags, _ in gone for tag in tags}:
            found = self._tagged[tag]
            del found[: bisect_right(found, floor)]
            if not found:
                del self._tagged[tag]

    def entries(self, after: Position) -> list[tuple[Position, tuple[str, ...]]]:
        """Position and tags of every event after a position that is not before the floor."""
        start = after - self.floor
        return [(position, tags) for position, (_, tags, _) in enumerate(self._entries[start:], after + 1)]

    def at(self, position: Position) -> tuple[str, tuple[str, ...]]:
        """Type and tags of one event."""
        return self._entries[position - self.floor - 1][:2]

    def find(self, query: Query, after: Position, until: Position) -> list[Position]:
        """Positions in (after, until] that match, in order."""
        if query.is_all:
            return list(range(max(after, self.floor) + 1, min(until, self.head) + 1))
        found: set[Position] = set()
        for item in query.items:
            found.update(self._find_item(item, after, until))
        return sorted(found)

    def _find_item(self, item: QueryItem, after: Position, until: Position) -> list[Position]:
        entries, floor = self._entries, self.floor
        candidates = self._candidates(item, after)
        return [
            position
            for position in candidates
            if position <= until
            and (not item.types or entries[position - floor - 1][0] in item.types)
            and (len(item.tags) < 2 or item.tags.issubset(entries[position - floor - 1][1]))
        ]

    def _candidates(self, item: QueryItem, after: Position) -> list[Position] | range:
        if not item.tags:
            newest = max((self.newest_of.get(type, 0) for type in item.types), default=0)
            return range(max(after, self.floor) + 1, newest + 1)
        rarest: list[Position] | None = None
        for tag in item.tags:
            found = self._tagged.get(tag)
            if found is None:
                return []
            if rarest is None or len(found) < len(rarest):
                rarest = found
        assert rarest is not None
        return rarest[bisect_right(rarest, after) :] if after >= rarest[0] else rarest

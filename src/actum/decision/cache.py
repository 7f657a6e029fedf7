"""The states that decisions read, kept between them and advanced by what was decided.

Every state here is valid as of one position, `as_of`: all events up to it are in the state or do not concern it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import msgspec

from actum.decision.state import Fold
from actum.journal.event import Event
from actum.journal.query import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from actum.decision.handler import Key
    from actum.journal.codec import Codec
    from actum.journal.event import Position


class Kept(msgspec.Struct, eq=False):
    """One state, by what it is found, and the queries of those who demand that it has not changed."""

    fold: Fold[Any]
    tags: frozenset[str]
    query: Query
    state: Any
    _narrowed: dict[frozenset[type[Event]], Query | None] = {}

    def narrowed(self, conflicts: frozenset[type[Event]], codec: Codec) -> Query | None:
        """The query for those of its events alone that are among `conflicts`; None where none is."""
        if conflicts not in self._narrowed:
            types = self.fold.event_set & conflicts
            self._narrowed[conflicts] = Query.of(types=codec.names(types), tags=self.tags) if types else None
        return self._narrowed[conflicts]


class StateCache:
    """At most `most` states, the least recently used let go first."""

    def __init__(self, most: int) -> None:
        self.as_of: Position = 0
        self.kept: OrderedDict[Key, Kept] = OrderedDict()
        self._most = most
        self._by_tag: dict[str, dict[Key, Kept]] = {}

    def missing(self, keys: Iterable[Key]) -> list[Key]:
        """Those of the keys under which nothing is kept; the others are then the most recently used."""
        kept = self.kept
        missing: list[Key] = []
        for key in keys:
            if key in kept:
                kept.move_to_end(key)
            else:
                missing.append(key)
        return missing

    def put(self, key: Key, kept: Kept) -> None:
        """Keep a state that is valid as of `as_of`."""
        self.kept[key] = kept
        for tag in kept.tags or _UNTAGGED:
            self._by_tag.setdefault(tag, {})[key] = kept

    def shrink(self) -> None:
        """Let the least recently used go, where there are too many. Not in the middle of a batch."""
        while len(self.kept) > self._most:
            self._drop(next(iter(self.kept)))

    def advance(
        self, event: Event, tags: Sequence[str], touched: list[Key], *, afresh: Callable[[], Event] | None = None
    ) -> None:
        """Take the event into every kept state it concerns, and write down which these are, before they change.

        `afresh` makes another one for each state, where a state could not be given the very event that others have.
        """
        kind, by_tag = type(event), self._by_tag
        for tag in (*tags, ""):
            if tag not in by_tag:
                continue
            for key, kept in by_tag[tag].items():
                if kind in kept.fold.event_set and (len(kept.tags) < 2 or _found_first_by(tag, kept.tags, tags)):
                    touched.append(key)
                    kept.state.evolve(event if afresh is None else afresh())

    def drop(self, keys: Iterable[Key]) -> None:
        """Forget these states: what they hold did not happen, or is not all."""
        for key in keys:
            self._drop(key)

    def drop_tagged(self, tags: Sequence[str]) -> None:
        """Forget every state that an event with these tags may concern, whatever its type."""
        for tag in (*tags, ""):
            self.drop(tuple(self._by_tag.get(tag, ())))

    def clear(self) -> None:
        """Forget everything."""
        self.kept.clear()
        self._by_tag.clear()

    def _drop(self, key: Key) -> None:
        kept = self.kept.pop(key, None)
        if kept is None:
            return
        for tag in kept.tags or _UNTAGGED:
            keys = self._by_tag[tag]
            del keys[key]
            if not keys:
                del self._by_tag[tag]


def _found_first_by(tag: str, wanted: frozenset[str], carried: Sequence[str]) -> bool:
    """Whether an event concerns a thing of several tags, and this is the first of them: it is then counted once."""
    return wanted.issubset(carried) and tag == next(one for one in carried if one in wanted)


_UNTAGGED = ("",)
"""Where states of no identity are found."""

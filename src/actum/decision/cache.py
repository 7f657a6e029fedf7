"""The states that decisions read, kept between them and advanced by what was decided.

Every state here is valid as of one position, `as_of`: all events up to it are in the state or do not concern it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from actum.decision.state import Fold, Identity, State
    from actum.journal.event import Event, Position

Key: TypeAlias = "tuple[Fold[Any], tuple[Identity, ...]]"


class Kept:
    """One state, by what it is found."""

    __slots__ = ("fold", "state", "tags")

    def __init__(self, fold: Fold[Any], tags: frozenset[str], state: State) -> None:
        self.fold = fold
        self.tags = tags
        self.state = state


class StateCache:
    """At most `most` states, the least recently used let go first."""

    def __init__(self, most: int) -> None:
        self.as_of: Position = 0
        self._most = most
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._by_tag: dict[str, set[Key]] = {}

    def get(self, key: Key) -> Kept | None:
        """What is kept under that key; it is then the most recently used."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def put(self, key: Key, kept: Kept) -> None:
        """Keep a state that is valid as of `as_of`."""
        self._kept[key] = kept
        for tag in kept.tags or _UNTAGGED:
            self._by_tag.setdefault(tag, set()).add(key)

    def shrink(self) -> None:
        """Let the least recently used go, where there are too many. Not in the middle of a batch."""
        while len(self._kept) > self._most:
            self._drop(next(iter(self._kept)))

    def touched(self, tags: Sequence[str], types: Collection[type[Event]]) -> list[Key]:
        """The kept states that an event of one of these types with these tags concerns."""
        carried = frozenset(tags)
        return [
            key
            for tag in (*tags, *_UNTAGGED)
            for key in self._by_tag.get(tag, ())
            if self._first(key, tag, tags)
            and self._kept[key].tags <= carried
            and not key[0].event_set.isdisjoint(types)
        ]

    def _first(self, key: Key, tag: str, tags: Sequence[str]) -> bool:
        """Whether this is the first of the event's tags under which the state is found: it is then found once."""
        wanted = self._kept[key].tags
        return len(wanted) < 2 or tag == next(one for one in tags if one in wanted)

    def advance(self, event: Event, tags: Sequence[str]) -> list[Key]:
        """Take the event into every state it concerns; which these are."""
        touched = self.touched(tags, (type(event),))
        for key in touched:
            self._kept[key].state.evolve(event)
        return touched

    def drop(self, keys: Iterable[Key]) -> None:
        """Forget these states: what they hold did not happen, or is not all."""
        for key in keys:
            self._drop(key)

    def drop_tagged(self, tags: Sequence[str]) -> None:
        """Forget every state that an event with these tags may concern, whatever its type."""
        for tag in (*tags, *_UNTAGGED):
            self.drop(tuple(self._by_tag.get(tag, ())))

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._by_tag.clear()

    def _drop(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is None:
            return
        for tag in kept.tags or _UNTAGGED:
            keys = self._by_tag[tag]
            keys.discard(key)
            if not keys:
                del self._by_tag[tag]


_UNTAGGED = ("",)

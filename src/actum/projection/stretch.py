"""A stretch of the journal, as lines take it in: read once for all of them, and of it only what folds look at.

Where a line looks at each event by itself, the whole events are read as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from actum.journal.errors import NewerSchema, Unknown
from actum.journal.event import Kind, Position
from actum.journal.query import Query
from actum.journal.readmodel import SLICES, Mark
from actum.journal.skim import Skimmed, skim

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from actum.journal.codec import Codec
    from actum.journal.event import Event, SequencedEvent
    from actum.journal.store import EventStore
    from actum.projection.line import Line, Named

PAGE = 1000
"""How many events are folded into one transaction."""

LONGEST_PAGE = 8
"""How many pages go into one at the most for whoever holds few of the slices, and so has few of the events of a page to fold."""


class Stretch(msgspec.Struct, frozen=True):
    """What was read behind a position, up to a mark; `full` where there may be more behind that."""

    after: Position
    reached: Mark
    full: bool
    events: list[Skimmed]


class Pages:
    """Reads stretches of about a `page` of the events that lines want."""

    def __init__(self, store: EventStore, codec: Codec, *, page: int) -> None:
        self._store = store
        self._codec = codec
        self._page = page
        self._types: dict[tuple[str, ...], frozenset[str]] = {}

    def next(self, lines: Sequence[Line], newest: SequencedEvent, *, after: Position) -> Stretch:
        """The one behind that position, for lines that have come so far, as far as the newest event."""
        limit = self._page * _pages_in_one(max(len(line.share.slices) for line in lines))
        events = skim(self._store, self._wanted(lines), after=after, until=newest.position, limit=limit)
        full = len(events) == limit
        reached = Mark(events[-1][0], events[-1][3]) if full else Mark(newest.position, newest.id)
        return Stretch(after, reached, full, events)

    def whole(self, stretch: Stretch, lines: Sequence[Line]) -> list[SequencedEvent]:
        """The same events with all that the journal keeps of them."""
        query = Query.of(types=self._wanted(lines))
        return list(self._store.read(query, after=stretch.after, until=stretch.reached.position))

    def named(self, stretch: Stretch, lines: Sequence[Line]) -> list[Named]:
        """For each line those of the events that have rows in it."""
        if len(lines) == 1:
            keys_of = lines[0].rows.keys
            return [self._decoded([(keys, one) for one in stretch.events if (keys := keys_of(one[4]))])]
        keyed = [[*map(line.rows.keys, (one[4] for one in stretch.events))] for line in lines]
        concerned = [(keys, one) for *keys, one in zip(*keyed, stretch.events, strict=True) if any(keys)]
        decoded = self._decoded(concerned)
        return [[(keys[place], event) for keys, event in decoded if keys[place]] for place in range(len(lines))]

    def _decoded(self, named: list[tuple[Any, Skimmed]]) -> list[tuple[Any, Event]]:
        direct: Any = self._codec.direct
        try:
            return [(keys, direct[type, version](data)) for keys, (_, type, version, _, _, data) in named]
        except (KeyError, msgspec.MsgspecError, ValueError):
            # There are older kinds among them, or one that does not fit: the slow way says what is wrong with it.
            return [(keys, event) for keys, one in named for event in self._read(one)]

    def _read(self, one: Skimmed) -> tuple[Event, ...]:
        position, type, version, _, _, data = one
        try:
            return self._codec.read(Kind(type, version), data, at=position)
        except Unknown as unknown:
            raise NewerSchema(f"position {position}: {unknown}; upgrade the program that projects") from unknown

    def _wanted(self, lines: Sequence[Line]) -> Collection[str]:
        key = tuple(dict.fromkeys(line.plan.table for line in lines))
        if key not in self._types:
            self._types[key] = self._codec.names({event for line in lines for event in line.plan.events})
        return self._types[key]


def _pages_in_one(slices: int) -> int:
    """For whoever holds every slice, one. Several workers share the server: each takes twice its part, in half as many commits."""
    return 1 if slices == SLICES else min(LONGEST_PAGE, 2 * SLICES // slices)

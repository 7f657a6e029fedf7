"""Where another context's events come from: its journal, or a door that stands before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from actum.journal.event import SequencedEvent
from actum.journal.query import Query

if TYPE_CHECKING:
    from collections.abc import Callable

    from actum.journal.event import Position
    from actum.journal.store import EventStore

PAGE = 500
"""How many events are fetched at once."""


class Heard(msgspec.Struct, frozen=True):
    """Some events in order; `more` where there may be others behind them."""

    events: Sequence[SequencedEvent]
    more: bool


class Source(Protocol):
    """A journal to listen to. Raises `Unavailable` or `Busy` where it is out of reach for the moment."""

    def read(self, types: frozenset[str], *, after: Position) -> Heard:
        """The next events of these types."""
        ...

    def at(self, position: Position) -> SequencedEvent | None:
        """The event there, None where there is none."""
        ...

    def watch(self, ring: Callable[[Position], None]) -> Callable[[], None]:
        """Call `ring` soon after the journal has grown; the answer stops that. Rings may be missed while it is out of reach."""
        ...


class Beside:
    """The journal itself, open in this process."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    def read(self, types: frozenset[str], *, after: Position) -> Heard:
        """See `Source.read`."""
        events = list(self._store.read(Query.of(types=types), after=after, limit=PAGE))
        return Heard(events, len(events) == PAGE)

    def at(self, position: Position) -> SequencedEvent | None:
        """See `Source.at`."""
        return next(iter(self._store.read(Query.all(), after=position - 1, until=position, limit=1)), None)

    def watch(self, ring: Callable[[Position], None]) -> Callable[[], None]:
        """See `Source.watch`."""
        return self._store.watch(ring)

"""One event, found by its position or by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actum.history.as_of import position_at
from actum.journal.clock import EARLIEST, LATEST, moment_of, to_datetime
from actum.journal.errors import Unknown

if TYPE_CHECKING:
    from uuid import UUID

    from actum.journal.event import Position, SequencedEvent
    from actum.journal.store import EventStore

EARLIER = 60_000_000
"""How many microseconds before an id was made its event cannot have been recorded, where clocks agree that well."""


def event_at(store: EventStore, position: Position) -> SequencedEvent:
    """The event at that position, or `Unknown`."""
    found = next(iter(store.read(after=position - 1, until=position, limit=1)), None) if position > 0 else None
    if found is None:
        raise Unknown("event", f"position {position}", (f"1 to {store.head()}",))
    return found


def event_with_id(store: EventStore, id: UUID) -> SequencedEvent:
    """The event of that id, or `Unknown`. An id tells when it was made: the search begins there."""
    wanted = id.bytes
    made = min(max(moment_of(wanted) - EARLIER, EARLIEST), LATEST)
    start = position_at(store, to_datetime(made))
    for after, until in ((start, None), (0, start)):
        for event in store.read(after=after, until=until):
            if event.id == wanted:
                return event
    raise Unknown("event", str(id))

"""Skimming: of many events what a fold needs, and nothing more.

Whoever folds millions of events looks at their kind, their tags and their data, and leaves most of the envelope unread. A
store that can leave it where it is says so by a method of its own; of any other, the whole events are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from actum.journal.event import Position
from actum.journal.query import Query

if TYPE_CHECKING:
    from collections.abc import Collection

    from actum.journal.event import SequencedEvent
    from actum.journal.store import EventStore

Skimmed: TypeAlias = tuple[Position, str, int, bytes, str, bytes]
"""Position, type, version, id, tags as one text, data: a plain tuple, since most are looked at once and let go."""


@runtime_checkable
class Skims(Protocol):
    """A store that knows a quicker way than to read whole events."""

    def skim(self, types: Collection[str], *, after: Position, until: Position, limit: int) -> list[Skimmed]:
        """The first events of these types with `after` < position ≤ `until`, in order; `limit` of them at the most.

        `until` is a position that there is already.
        """
        ...


def skim(store: EventStore, types: Collection[str], *, after: Position, until: Position, limit: int) -> list[Skimmed]:
    """See `Skims.skim`, of any store."""
    if isinstance(store, Skims):
        return store.skim(types, after=after, until=until, limit=limit)
    events = store.read(Query.of(types=types), after=after, until=until, limit=limit)
    return [skimmed(event) for event in events]


def skimmed(event: SequencedEvent) -> Skimmed:
    """What there is to skim of a whole event."""
    return event.position, event.kind.type, event.kind.version, event.id, event.tag_text, event.data

"""What followers put on record in the journal: events that were parked, taken up again, passed over or discarded.

It is written beside the rows, in the transaction that it is about, and brought into the journal after. Each note is an
event with a tag that no other has, and goes in under the condition that it is not there: so it is there once, whatever is
killed when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from actum.journal.clock import SYSTEM_IDS, Ids
from actum.journal.decoders import decoder_for
from actum.journal.errors import Invalid
from actum.journal.event import Event, EventData
from actum.journal.message import to_json
from actum.journal.metadata import Metadata
from actum.journal.query import AppendCondition, Query
from actum.journal.store import Append

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.journal.event import SequencedEvent
    from actum.journal.readmodel import ReadDatabase
    from actum.journal.store import EventStore

FOLLOWER_TAG = "actum-follower:"
NOTE_TAG = "actum-note:"

AT_ONCE = 500
"""How many notes are brought into the journal in one append."""


class EventParked(Event, name="actum.view-parked"):
    """A follower could not take in an event, and put it aside with the later ones of its key."""

    follower: str
    key: str
    position: int
    event: UUID
    error: str
    attempts: int


class EventSkipped(Event, name="actum.view-skipped"):
    """A follower could not take in an event, and passed it over, as it was told."""

    follower: str
    key: str
    position: int
    event: UUID
    error: str
    reason: str


class EventDiscarded(Event, name="actum.view-discarded"):
    """Somebody decided that a follower shall never take in an event. It holds also when the follower begins anew."""

    follower: str
    key: str
    position: int
    event: UUID
    error: str
    reason: str


class KeyResumed(Event, name="actum.view-resumed"):
    """What was parked of a key was taken in, from `position` up to `until`, both included."""

    follower: str
    key: str
    position: int
    until: int


NOTES: tuple[type[Event], ...] = (EventParked, EventSkipped, EventDiscarded, KeyResumed)
"""Every kind of note."""


class Scribe(msgspec.Struct, frozen=True):
    """Writes notes in somebody's name."""

    ids: Ids
    actor: str
    producer: str

    def note(self, said: Event, *, follower: str, about: SequencedEvent | None, reason: str | None = None) -> EventData:
        """The note as it goes into the journal, caused by the event that it is `about`."""
        id = self.ids.new()
        story: dict[str, Any] = {}
        if about is not None:
            story = {"causation": about.uuid, "correlation": _story_of(about)}
        metadata = Metadata(actor=self.actor, producer=self.producer, reason=reason, **story)
        kind = said.__kind__
        return EventData(
            id=id,
            type=kind.type,
            version=kind.version,
            data=to_json(said),
            salt=self.ids.salt(),
            tags=(FOLLOWER_TAG + follower, NOTE_TAG + id.hex()),
            metadata=metadata.encode(),
        )


SCRIBE = Scribe(SYSTEM_IDS, "actum", "actum")
"""Whose notes they are where nobody says."""


def _story_of(event: SequencedEvent) -> UUID | None:
    """The story of an event, None where what is stored with it says none."""
    try:
        return event.metadata.correlation_id
    except Invalid:
        return None


def bring_in(database: ReadDatabase, store: EventStore) -> int:
    """Bring what was noted into the journal, each note once; how many there were."""
    notes = database.notes()
    for start in range(0, len(notes), AT_ONCE):
        part = notes[start : start + AT_ONCE]
        store.append(*[Append((note,), _unless_there(note)) for note in part])
        database.noted([note.id for note in part])
    return len(notes)


def _unless_there(note: EventData) -> AppendCondition:
    return AppendCondition(Query.of(tags=[NOTE_TAG + note.id.hex()]))


def discarded(store: EventStore, follower: str) -> frozenset[tuple[int, str]]:
    """The positions and keys of what was discarded for a follower."""
    query = Query.of(types=[EventDiscarded.__kind__.type], tags=[FOLLOWER_TAG + follower])
    found = [decoder_for(EventDiscarded).decode(stored.data) for stored in store.read(query)]
    return frozenset((one.position, one.key) for one in found)


def notes_of(
    said: Sequence[tuple[Event, SequencedEvent | None]], scribe: Scribe | None, follower: str
) -> list[EventData]:
    """Several notes of one follower; none where nobody writes them."""
    return [] if scribe is None else [scribe.note(one, follower=follower, about=about) for one, about in said]

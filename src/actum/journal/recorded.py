"""An event as a reader of history gets it: the typed event and the whole envelope around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actum.journal.event import Event

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from actum.journal.codec import Codec
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.metadata import Metadata


class Recorded:
    """One event in today's words, with where it stands, who caused it, when and why. Not to be changed.

    Data and metadata are decoded when they are first asked for. `stored` is what the journal keeps, to the byte: where
    an upcaster made something else of it, its type and version differ from those here.
    """

    __slots__ = ("_codec", "_event", "_metadata", "stored")

    def __init__(self, stored: SequencedEvent, codec: Codec, *, event: Event | None = None) -> None:
        self.stored = stored
        self._codec = codec
        self._event = event
        self._metadata: Metadata | None = None

    @property
    def event(self) -> Event:
        """The event itself. `Corrupted` where its bytes do not fit its kind."""
        if self._event is None:
            (self._event,) = self._codec.decode(self.stored)
        return self._event

    @property
    def position(self) -> Position:
        """Where it stands in its journal."""
        return self.stored.position

    @property
    def id(self) -> UUID:
        """The event's id, a UUIDv7."""
        return self.stored.uuid

    @property
    def type(self) -> str:
        """The registered name of the event's type, as of today."""
        return self.stored.type if self._event is None else self._event.__kind__.type

    @property
    def version(self) -> int:
        """The schema version, as of today."""
        return self.stored.version if self._event is None else self._event.__kind__.version

    @property
    def tags(self) -> tuple[str, ...]:
        """The identities it is about."""
        return self.stored.tags

    @property
    def recorded_at(self) -> datetime:
        """When the journal took it down, in UTC."""
        return self.stored.recorded_at

    @property
    def effective_at(self) -> datetime:
        """When it happened, in UTC; the time of recording where nobody said otherwise."""
        return self.stored.effective_at

    @property
    def metadata(self) -> Metadata:
        """Who, for whom, why, caused by what, with which code."""
        if self._metadata is None:
            self._metadata = self.stored.metadata
        return self._metadata

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recorded) and other.stored == self.stored and other.event == self.event

    def __hash__(self) -> int:
        return hash((self.stored.position, self.stored.id))

    def __repr__(self) -> str:
        return f"Recorded(position={self.position}, event={self.event!r}, recorded_at={self.recorded_at.isoformat()})"


def recorded(stored: SequencedEvent, codec: Codec) -> tuple[Recorded, ...]:
    """What one stored event is today: one event as a rule; several, or none, where an upcaster splits or drops it.

    Raises `Unknown` for a kind that nothing here can read.
    """
    if stored.kind in codec.direct:
        return (Recorded(stored, codec),)
    return tuple(Recorded(stored, codec, event=event) for event in codec.decode(stored))

"""What is answered, as the JSON that goes out: the same classes write it, describe it in OpenAPI, and read it in the client."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from actum.decision.outcome import Decided
from actum.journal.clock import to_datetime, to_microseconds
from actum.journal.errors import ActumError
from actum.journal.event import EventData, Kind, SequencedEvent
from actum.journal.message import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.journal.codec import Codec
    from actum.journal.event import Event
    from actum.journal.store import DecisionRecord


class Said(msgspec.Struct, frozen=True):
    """What an event says: its registered type, the version of its schema, its fields."""

    type: str
    version: int
    data: msgspec.Raw


class Mark(msgspec.Struct, frozen=True):
    """One event on record: where it stands, and its leaf (SHA-256, hex), which commits to every byte of it."""

    position: int
    id: UUID
    type: str
    leaf: str


class Receipt(msgspec.Struct, frozen=True):
    """What to keep as evidence: the journal, what was written into it, and the rule that decided."""

    journal: str
    handler: str
    records: tuple[Mark, ...]


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a command. `position` is that of the last event on record; `repeated` says it was decided before."""

    command: UUID
    position: int
    recorded_at: datetime
    events: tuple[Said, ...]
    repeated: bool = False
    receipt: Receipt | None = None


class Seen(msgspec.Struct, frozen=True):
    """What a decision rested on: no event of these types with these tags may have happened meanwhile."""

    types: tuple[str, ...]
    tags: tuple[str, ...]


class Record(msgspec.Struct, frozen=True):
    """A decision record: what was asked, having seen which position, under which condition, and where its answer stands."""

    command: UUID
    handler: str
    first: int
    last: int
    after: int | None
    unless: tuple[Seen, ...]


class Recording(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event as the journal keeps it, in its full envelope. `data` and `metadata` are what is stored, to the byte.

    `today` is what the program makes of an older kind; `encoded` is data that is no JSON, in base64.
    """

    position: int
    id: UUID
    type: str
    version: int
    recorded_at: datetime
    tags: tuple[str, ...]
    data: msgspec.Raw
    metadata: msgspec.Raw
    salt: str
    leaf: str
    effective_at: datetime | None = None
    today: tuple[Said, ...] | None = None
    encoded: str | None = None


class Events(msgspec.Struct, frozen=True):
    """A page of events, and the position behind which the next page begins; None where there are no more."""

    events: tuple[Recording, ...]
    next: int | None


class Stated(msgspec.Struct, frozen=True):
    """One thing as rules see it, as of a position."""

    position: int
    state: msgspec.Raw


class Health(msgspec.Struct, frozen=True):
    """Whether the process answers."""

    status: str


class Readiness(msgspec.Struct, frozen=True):
    """Whether the service can do its work: the journal's head, how far the views are, and what is wrong, if anything.

    Where it is known who asks, those without the permission `metrics:read` are told of `trouble` only what kind it is, and no figures.
    """

    ready: bool
    head: int | None
    views: int | None
    lag: int | None
    trouble: str | None


def outcome_of(decided: Decided, receipt: Receipt | None) -> bytes:
    """The answer to a command."""
    assert decided.command_id is not None
    events = tuple(map(said, decided.events))
    return to_json(
        Outcome(decided.command_id, decided.position, decided.recorded_at, events, decided.repeated, receipt)
    )


def said(event: Event) -> Said:
    """What an event says."""
    return Said(event.__kind__.type, event.__kind__.version, msgspec.Raw(to_json(event)))


def receipt_of(origin: str, handler: str, stored: Sequence[SequencedEvent]) -> Receipt:
    """The receipt of a decision."""
    return Receipt(origin, handler, tuple(Mark(one.position, one.uuid, one.type, one.leaf.hex()) for one in stored))


def record_of(record: DecisionRecord) -> Record:
    """A decision record."""
    condition = record.condition
    items = () if condition is None else condition.fail_if_events_match.items
    return Record(
        command=UUID(bytes=record.command),
        handler=record.handler,
        first=record.first,
        last=record.last,
        after=None if condition is None else condition.after,
        unless=tuple(Seen(tuple(sorted(item.types)), tuple(sorted(item.tags))) for item in items),
    )


def recording_of(stored: SequencedEvent, codec: Codec) -> Recording:
    """An event in its envelope. What cannot be read today is shown as it is stored."""
    known = codec.can_read(stored.kind)
    data, encoded = (msgspec.Raw(stored.data), None) if known or _is_json(stored.data) else _as_text(stored.data)
    return Recording(
        position=stored.position,
        id=stored.uuid,
        type=stored.type,
        version=stored.version,
        recorded_at=stored.recorded_at,
        effective_at=None if stored.effective is None else to_datetime(stored.effective),
        tags=stored.tags,
        data=data,
        metadata=msgspec.Raw(stored.metadata_bytes),
        salt=stored.salt.hex(),
        leaf=stored.leaf.hex(),
        today=_today(stored, codec) if known and stored.kind not in codec.direct else None,
        encoded=encoded,
    )


def _today(stored: SequencedEvent, codec: Codec) -> tuple[Said, ...] | None:
    try:
        return tuple(map(said, codec.decode(stored)))
    except ActumError:
        return None


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _as_text(data: bytes) -> tuple[msgspec.Raw, str]:
    return msgspec.Raw(b"null"), base64.b64encode(data).decode()


# And back, in the client.


def stored_of(recording: Recording) -> SequencedEvent:
    """The event as the journal keeps it, from what was sent of it."""
    data = bytes(recording.data) if recording.encoded is None else base64.b64decode(recording.encoded)
    return SequencedEvent(
        position=recording.position,
        kind=Kind(recording.type, recording.version),
        id=recording.id.bytes,
        recorded=to_microseconds(recording.recorded_at),
        effective=None if recording.effective_at is None else to_microseconds(recording.effective_at),
        tag_text="\n".join(recording.tags),
        data=data,
        metadata_bytes=bytes(recording.metadata),
        salt=bytes.fromhex(recording.salt),
        leaf=bytes.fromhex(recording.leaf),
    )


def decided_of(outcome: Outcome, codec: Codec) -> Decided:
    """The answer as it would be in process."""
    events = tuple(event for one in outcome.events for event in codec.decode(_data(one)))
    return Decided(
        events=events,
        position=outcome.position,
        recorded=to_microseconds(outcome.recorded_at),
        command=outcome.command.bytes,
        repeated=outcome.repeated,
    )


def _data(one: Said) -> EventData:
    return EventData(bytes(16), one.type, bytes(one.data), bytes(16), one.version)

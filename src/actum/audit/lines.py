"""The lines of an archive: what each says, and how an event becomes one and a line an event again.

An archive is NDJSON (https://github.com/ndjson/ndjson-spec): UTF-8, one JSON object a line, each ending in a line feed.

| `line` | What it holds |
| --- | --- |
| `header` | the first: `format`, the journal's `origin` |
| `event` | one event, everything needed to have it again to the byte |
| `decision` | a decision record, behind the last of its events |
| `trailer` | the last: how many of each, and the SHA-256 of all lines before it |

`data` and `metadata` are the stored text where that is UTF-8; where it is not, `data64` and `metadata64` are its
base64. Ids, salts, leaves and digests are hexadecimal, times microseconds since 1970.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from actum.journal.errors import Invalid
from actum.journal.event import Kind, SequencedEvent
from actum.journal.query import AppendCondition, Query, QueryItem
from actum.journal.store import DecisionRecord

if TYPE_CHECKING:
    from actum.journal.event import Position

FORMAT = "actum/archive/v1"


class Header(msgspec.Struct, frozen=True, tag_field="line", tag="header"):
    """What the archive is, and of which journal."""

    format: str
    origin: str


class EventLine(msgspec.Struct, frozen=True, tag_field="line", tag="event", omit_defaults=True):
    """One event. `continues`: more events of the same decision follow."""

    position: int
    type: str
    version: int
    id: str
    recorded: int
    tags: list[str]
    salt: str
    leaf: str
    effective: int | None = None
    continues: bool = False
    data: str | None = None
    data64: str | None = None
    metadata: str | None = None
    metadata64: str | None = None


class Item(msgspec.Struct, frozen=True):
    """One item of a query."""

    types: list[str]
    tags: list[str]


class Condition(msgspec.Struct, frozen=True):
    """An append condition; no items ask for every event."""

    items: list[Item]
    after: int


class DecisionLine(msgspec.Struct, frozen=True, tag_field="line", tag="decision"):
    """One decision record."""

    command: str
    digest: str
    handler: str
    first: int
    count: int
    condition: Condition | None = None


class Trailer(msgspec.Struct, frozen=True, tag_field="line", tag="trailer"):
    """What must have come before."""

    events: int
    decisions: int
    sha256: str


Line: TypeAlias = Header | EventLine | DecisionLine | Trailer

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def write(line: Line) -> bytes:
    """The bytes of a line."""
    return _ENCODER.encode(line) + b"\n"


def read(line: bytes, *, number: int) -> Line:
    """What a line says; `Invalid`, naming its `number`, where it is none of ours."""
    if not line.endswith(b"\n"):
        raise Invalid(f"line {number} breaks off: the archive is truncated; export it again")
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise Invalid(
            f"line {number} is no line of an archive: {wrong}; name a file that `actum export` wrote"
        ) from wrong


def line_of(event: SequencedEvent, *, continues: bool) -> EventLine:
    """The line of an event."""
    data, data64 = _texts(event.data)
    metadata, metadata64 = _texts(event.metadata_bytes)
    return EventLine(
        position=event.position,
        type=event.type,
        version=event.version,
        id=event.id.hex(),
        recorded=event.recorded,
        tags=list(event.tags),
        salt=event.salt.hex(),
        leaf=event.leaf.hex(),
        effective=event.effective,
        continues=continues,
        data=data,
        data64=data64,
        metadata=metadata,
        metadata64=metadata64,
    )


def event_of(line: EventLine) -> SequencedEvent:
    """The event of a line, not yet compared with its leaf. `Invalid` for what cannot be bytes."""
    where = f"the event at position {line.position}"
    return SequencedEvent(
        position=line.position,
        kind=Kind(line.type, line.version),
        id=_unhex(line.id, where),
        recorded=line.recorded,
        effective=line.effective,
        tag_text="\n".join(line.tags),
        data=_bytes(line.data, line.data64, where),
        metadata_bytes=_bytes(line.metadata, line.metadata64, where),
        salt=_unhex(line.salt, where),
        leaf=_unhex(line.leaf, where),
    )


def decision_line_of(record: DecisionRecord) -> DecisionLine:
    """The line of a decision record."""
    condition = record.condition
    return DecisionLine(
        command=record.command.hex(),
        digest=record.digest.hex(),
        handler=record.handler,
        first=record.first,
        count=record.count,
        condition=None if condition is None else _condition_line(condition),
    )


def _condition_line(condition: AppendCondition) -> Condition:
    items = [Item(sorted(item.types), sorted(item.tags)) for item in condition.fail_if_events_match.items]
    return Condition(items, condition.after)


def decision_of(line: DecisionLine) -> DecisionRecord:
    """The decision record of a line. `Invalid` for what cannot be one."""
    where = f"the decision at position {line.first}"
    return DecisionRecord(
        command=_unhex(line.command, where),
        digest=_unhex(line.digest, where),
        handler=line.handler,
        condition=None if line.condition is None else _condition_of(line.condition, line.first),
        first=line.first,
        count=line.count,
    )


def _condition_of(line: Condition, first: Position) -> AppendCondition:
    items = tuple(QueryItem(frozenset(item.types), frozenset(item.tags)) for item in line.items)
    if line.after >= first:
        raise Invalid(f"the decision at position {first} looked at position {line.after}, which is not before it")
    return AppendCondition(Query(items), line.after)


def _texts(stored: bytes) -> tuple[str | None, str | None]:
    try:
        return stored.decode(), None
    except UnicodeDecodeError:
        return None, b64encode(stored).decode()


def _bytes(text: str | None, encoded: str | None, where: str) -> bytes:
    if (text is None) == (encoded is None):
        raise Invalid(f"{where}: expected its data and metadata as text or as base64, found both or neither")
    if text is not None:
        return text.encode()
    try:
        return b64decode(encoded or "", validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise Invalid(f"{where}: this is no base64: {wrong}") from wrong


def _unhex(text: str, where: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as wrong:
        raise Invalid(f"{where}: expected hexadecimal digits, found {text[:80]!r}") from wrong

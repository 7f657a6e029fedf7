"""An event on a terminal: one line with its time, type, entity, actor and what it says; and as a machine-readable line."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any, cast

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.text import Text

from actum.cli.terminal import readable

if TYPE_CHECKING:
    from datetime import datetime

    from actum.journal.event import SequencedEvent
    from actum.journal.metadata import Metadata

REFUSED = "actum.refused"
UNCHANGED = "actum.unchanged"

_COLOURS = ("green", "cyan", "yellow", "blue", "magenta", "bright_green", "bright_cyan", "bright_yellow", "bright_blue")
"""Colours that are read on dark and on light ground; red is for refusals."""


_OBJECT: msgspec.json.Decoder[dict[str, object]] = msgspec.json.Decoder(dict[str, object])


def counted(number: int, what: str) -> str:
    """How many there are of something: `1 event`, `1,234 events`."""
    return f"{number:,} {what}" + "s" * (number != 1)


class Layout(msgspec.Struct, frozen=True):
    """How many columns each part of a line gets; 0 leaves it out. `width` 0 is for no terminal: nothing is cut."""

    width: int
    clock: int = 12
    position: int = 7
    type: int = 16
    entity: int = 26
    actor: int = 12


def layout_for(width: int) -> Layout:
    """What fits: first the position goes, then the actor, then the entity, then the fractions of a second."""
    if width >= 118 or width == 0:
        return Layout(width)
    if width >= 96:
        return Layout(width, type=15, entity=18, actor=10)
    if width >= 76:
        return Layout(width, position=0, type=14, entity=16, actor=0, clock=8)
    if width >= 54:
        return Layout(width, position=0, type=14, entity=0, actor=0, clock=8)
    return Layout(width, position=0, type=max(6, min(14, width - 20)), entity=0, actor=0, clock=8 if width >= 34 else 0)


def colour_of(type: str) -> str:
    """A type's colour: always the same one."""
    if type == REFUSED:
        return "bold red"
    return "dim" if type == UNCHANGED else _COLOURS[zlib.crc32(type.encode()) % len(_COLOURS)]


def row_of(event: SequencedEvent, layout: Layout) -> Text:
    """The event on one line, as wide as the layout says, whatever the event holds."""
    metadata = event.said
    clock = local(event.recorded_at).strftime("%H:%M:%S.%f")[: layout.clock if layout.clock != 12 else -3]
    row = Text(no_wrap=True, end="")
    for text, width, style in (
        (clock if layout.clock else "", layout.clock, "dim"),
        (f"{event.position:>{layout.position}}" if layout.position else "", layout.position, "dim"),
        (_type_of(event), layout.type, colour_of(event.type)),
        (_entities(event.tags), layout.entity, ""),
        ("" if metadata is None else metadata.actor, layout.actor, "italic"),
    ):
        if width:
            row.append(fit(readable(text), width, cut=layout.width > 0), style)
            row.append("  ")
    row.append_text(_summary(event, metadata, layout))
    if layout.width:
        row.truncate(layout.width, overflow="ellipsis")
    row.rstrip()
    return row


def _entities(tags: tuple[str, ...]) -> str:
    """The tags, the name of one like the one before not said again: `account:A-1,B-2 day:1`."""
    said, before = "", None
    for tag in tags:
        name, colon, value = tag.partition(":")
        if colon and name == before:
            said += f",{value}"
        else:
            said += f" {tag}" if said else tag
        before = name
    return said


def fit(text: str, width: int, *, cut: bool = True) -> str:
    """The text in exactly that many columns, wide characters counted as two; not `cut`, in at least as many."""
    if cell_len(text) > width:
        return set_cell_size(text, width - 1) + "…" if cut else text
    return set_cell_size(text, width)


def _type_of(event: SequencedEvent) -> str:
    if event.type in (REFUSED, UNCHANGED):
        return "refused" if event.type == REFUSED else "unchanged"
    return event.type


def _summary(event: SequencedEvent, metadata: Metadata | None, layout: Layout) -> Text:
    """What it says beyond its entity, and why it was done."""
    data = _object(event.data)
    if data is None:
        summary = Text(f"{len(event.data)} bytes", "dim")
    elif event.type in (REFUSED, UNCHANGED):
        summary = _answered(data, refused=event.type == REFUSED)
    else:
        summary = _fields(data, shown=event.tags if layout.entity else ())
    if metadata is not None and metadata.reason:
        summary.append(f"{'  ' if summary.plain else ''}— {readable(metadata.reason)}", "dim italic")
    return summary


def _answered(data: dict[str, object], *, refused: bool) -> Text:
    name = str(data.get("command", "")).partition("@")[0]
    text = Text()
    text.append(readable(name), "bold")
    if refused:
        text.append(f": {readable(str(data.get('reason', '')))}", "red")
    else:
        text.append(": nothing to do", "dim")
    facts = data.get("facts")
    if isinstance(facts, dict) and facts:
        pairs = cast("dict[str, object]", facts).items()
        text.append(f" ({', '.join(f'{readable(name)}={_short(value)}' for name, value in pairs)})", "dim")
    return text


def _fields(data: dict[str, object], *, shown: tuple[str, ...]) -> Text:
    """The fields of the data that its tags do not say already."""
    text = Text()
    said = {tag.partition(":")[2] for tag in shown}
    for name, value in data.items():
        if isinstance(value, str | int) and str(value) in said:
            continue
        if text.plain:
            text.append(" ")
        text.append(f"{readable(name)}=", "dim")
        text.append(_short(value))
    return text


def _short(value: object) -> str:
    if isinstance(value, str):
        return readable(value) if value and " " not in value else f"“{readable(value)}”"
    return readable(msgspec.json.encode(value).decode())


def _object(stored: bytes) -> dict[str, object] | None:
    try:
        return _OBJECT.decode(stored)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def local(moment: datetime) -> datetime:
    """The moment as clocks here show it."""
    try:
        return moment.astimezone()
    except (OverflowError, ValueError):
        return moment


def json_of(event: SequencedEvent) -> dict[str, Any]:
    """The event as one JSON object: everything, data and metadata as the JSON they are, or in base64 where they are none."""
    effective = {} if event.effective is None else {"effective": event.effective_at}
    return {
        "position": event.position,
        "id": event.uuid,
        "type": event.type,
        "version": event.version,
        "recorded": event.recorded_at,
        **effective,
        "tags": event.tags,
        **_verbatim("metadata", event.metadata_bytes),
        **_verbatim("data", event.data),
    }


def _verbatim(name: str, stored: bytes) -> dict[str, Any]:
    try:
        msgspec.json.decode(stored)
        stored.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {f"{name}64": base64.b64encode(stored).decode()}
    return {name: msgspec.Raw(b" ".join(stored.split(b"\n")))}

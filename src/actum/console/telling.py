"""An event on one line, the same on every page: when, where, what, about whom, by whom, and what it says."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec

from actum.history.story import REFUSED, UNCHANGED, Placed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actum.console.asked import Asked
    from actum.history.story import Act
    from actum.journal.event import SequencedEvent

LONGEST = 60
"""Characters of a field's value on a line."""

LONGEST_REASON = 140
"""Characters of a reason on a line: all of it is in the event's page."""

MOST_FIELDS = 6
"""Fields on a line."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An event as a line of a page. `colour` tells its context, `kind` whether it is a refusal, or says that nothing changed."""

    context: str
    colour: int
    position: int
    when: datetime
    type: str
    kind: str
    tags: tuple[tuple[str, str], ...]
    actor: str
    fields: tuple[tuple[str, str], ...]
    reason: str
    href: str
    id: str


def line_of(asked: Asked, placed: Placed) -> Line:
    """The event as a line."""
    event, context = placed.event, placed.context
    metadata = event.said
    return Line(
        context=context,
        colour=asked.house.colour(context),
        position=event.position,
        when=event.recorded_at,
        type=event.type,
        kind={REFUSED: "refused", UNCHANGED: "unchanged"}.get(event.type, ""),
        tags=tuple((tag, asked.link("search", q=tag)) for tag in event.tags),
        actor="" if metadata is None else metadata.actor,
        fields=fields_of(event),
        reason=_short((metadata and metadata.reason) or "", LONGEST_REASON),
        href=asked.link(context, "events", event.position),
        id=str(event.uuid),
    )


def lines_of(asked: Asked, context: str, events: Iterable[SequencedEvent]) -> list[Line]:
    """The events of one context as lines."""
    return [line_of(asked, Placed(context, event)) for event in events]


def fields_of(event: SequencedEvent) -> tuple[tuple[str, str], ...]:
    """What the event says beyond what it is about, each shortened."""
    try:
        found = msgspec.json.decode(event.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return (("", f"{len(event.data)} bytes"),)
    if not isinstance(found, dict):
        return ()
    about = {tag.partition(":")[2] for tag in event.tags}
    if event.type == REFUSED:
        return _refusal(cast("dict[str, Any]", found))
    told = [(name, _short(value)) for name, value in cast("dict[str, Any]", found).items() if str(value) not in about]
    return tuple(told[:MOST_FIELDS])


def _refusal(said: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    facts = said.get("facts")
    pairs = cast("dict[str, Any]", facts).items() if isinstance(facts, dict) else ()
    return (("", _short(said.get("reason", ""))), *((name, _short(value)) for name, value in pairs))


def _short(value: Any, longest: int = LONGEST) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= longest else text[: longest - 1] + "…"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An act as a page tells it: which command, by whom, and its events."""

    context: str
    colour: int
    did: str
    actor: str
    on_behalf_of: str
    reason: str
    refused: bool
    when: datetime
    lines: tuple[Line, ...]


def told(asked: Asked, act: Act) -> Told:
    """The act, for a page."""
    metadata = act.metadata
    return Told(
        context=act.context,
        colour=asked.house.colour(act.context),
        did=act.did or "",
        actor="" if metadata is None else metadata.actor,
        on_behalf_of=(metadata and metadata.on_behalf_of) or "",
        reason=(metadata and metadata.reason) or "",
        refused=act.refused,
        when=act.events[0].recorded_at,
        lines=tuple(lines_of(asked, act.context, act.events)),
    )

"""One event, whole: what it says, the envelope around it, what caused it above, what it led to below, and why it was allowed.

And a story: everything that one click led to, across contexts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from actum.console.answering import Moved, Sent, Shown
from actum.console.formats import written
from actum.console.telling import told
from actum.console.thing import segments_of
from actum.decision.state import fold_of
from actum.history.finding import event_at
from actum.history.story import Branch, Placed, acts_of, causes, effects, story
from actum.journal.errors import Invalid, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.console.asked import Asked
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.store import DecisionRecord
    from actum.service.running import Running


def event(asked: Asked) -> Shown:
    """`/{context}/events/{position}`: one event."""
    context = asked.names["context"]
    running = asked.house.running(context)
    found = event_at(running.store, _position(asked.names["position"]))
    placed = Placed(context, found)
    metadata = found.said
    decision = (
        None if metadata is None or metadata.command_id is None else running.store.decision(metadata.command_id.bytes)
    )
    values = {
        "context": context,
        "colour": asked.house.colour(context),
        "event": found,
        "metadata": metadata,
        "data": _fields(found),
        "head": running.head(),
        "causes": [told(asked, act) for act in reversed(causes(asked.house.searches, placed))],
        "here": told(asked, acts_of([placed])[0]),
        "effects": [told(asked, act) for act in effects(asked.house.searches, placed)],
        "decision": decision,
        "evidence": _evidence(decision),
        "beside": _beside(decision, found),
        "feeds": list(_feeds(asked, running, context, found)),
        "tags": [(tag, asked.link("search", q=tag)) for tag in found.tags],
    }
    return Shown("event.html", f"{found.type} {context} {found.position}", values, here="live")


def event_json(asked: Asked) -> Sent:
    """`/{context}/events/{position}/json`: the same, as it is stored."""
    running = asked.house.running(asked.names["context"])
    found = event_at(running.store, _position(asked.names["position"]))
    whole = {
        "position": found.position,
        "id": found.uuid,
        "type": found.type,
        "version": found.version,
        "recorded": found.recorded_at,
        "effective": found.effective_at,
        "tags": found.tags,
        "metadata": _raw(found.metadata_bytes),
        "data": _raw(found.data),
        "leaf": found.leaf.hex(),
    }
    return Sent(msgspec.json.format(msgspec.json.encode(whole), indent=2), "application/json")


def event_by_id(asked: Asked) -> Moved:
    """`/events/{id}`: to the event of that id, in whatever context."""
    try:
        id = UUID(asked.names["id"])
    except ValueError as wrong:
        raise Invalid(f"expected the id of an event, a UUID, found {asked.names['id']!r:.80}") from wrong
    for name, search in asked.house.searches.items():
        found = search.with_id(id)
        if found is not None:
            return Moved(asked.link(name, "events", found.position))
    raise Unknown("event", str(id), ())


def told_story(asked: Asked) -> Shown:
    """`/stories/{id}`: a story."""
    try:
        id = UUID(asked.names["id"])
    except ValueError as wrong:
        raise Invalid(f"expected the id of a story, a UUID, found {asked.names['id']!r:.80}") from wrong
    found = story(asked.house.searches, id)
    if not found.roots:
        raise Unknown("story", str(id), ())
    acts = found.acts
    begun, ended = acts[0].recorded, acts[-1].recorded
    values = {
        "id": id,
        "branches": [_branch(asked, root) for root in found.roots],
        "count": len(acts),
        "refused": sum(act.refused for act in acts),
        "contexts": sorted({act.context for act in acts}),
        "begun": acts[0].events[0].recorded_at,
        "seconds": (ended - begun) / 1e6,
        "bars": [(told(asked, act), *_bar(act.recorded - begun, ended - begun)) for act in acts],
        "more": found.more,
    }
    return Shown("story.html", asked.words("Story"), values, here="search")


def _branch(asked: Asked, branch: Branch) -> dict[str, Any]:
    return {"act": told(asked, branch.act), "led_to": [_branch(asked, each) for each in branch.led_to]}


def _bar(offset: int, whole: int) -> tuple[int, float]:
    """Where it stands on a line of a thousand steps, and after how many milliseconds."""
    return (offset * 1000 // whole if whole else 0), offset / 1000


def _position(text: str) -> Position:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid(f"expected the position of an event, found {text!r:.80}")
    return int(text)


def _fields(event: SequencedEvent) -> list[tuple[str, str]] | None:
    """What it says, field by field; None where it is no object."""
    try:
        found = msgspec.json.decode(event.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return [(str(name), value if isinstance(value, str) else written(value)) for name, value in found.items()]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _raw(stored: bytes) -> Any:
    try:
        msgspec.json.decode(stored)
        stored.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return stored.hex()
    return msgspec.Raw(stored)


def _evidence(decision: DecisionRecord | None) -> list[tuple[str, str]]:
    """What the decision looked at: the types and tags of each item of its condition."""
    if decision is None or decision.condition is None:
        return []
    items = decision.condition.fail_if_events_match.items
    return [(", ".join(sorted(item.types)) or "*", ", ".join(sorted(item.tags)) or "*") for item in items]


def _beside(decision: DecisionRecord | None, event: SequencedEvent) -> list[Position]:
    """The other events of the same decision."""
    if decision is None:
        return []
    return [position for position in range(decision.first, decision.last + 1) if position != event.position][:20]


def _feeds(asked: Asked, running: Running, context: str, event: SequencedEvent) -> Iterator[tuple[str, str, str]]:
    """The rows and states that the event is part of: their class, their key, and where they are shown."""
    for name, cls in {**running.app.states, **running.app.views}.items():
        fold = fold_of(cls)
        if event.type in {kind.__kind__.type for kind in fold.events}:
            for key in fold.keys(event.tags):
                yield (
                    name,
                    " · ".join(map(str, key)) or "—",
                    asked.link(context, "things", name, *segments_of(key), at=event.position),
                )

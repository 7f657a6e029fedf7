"""The life of a building, step by step: what was done or refused, by whom, and the picture after it. Read from the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from actum import Refused, Running
from actum.decision.outcome import CommandRefused
from actum.journal.event import Position
from actum.journal.query import Query
from demos.building.building import HOUSE, Building
from demos.building.picture import picture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from actum import Command

WORKERS = {"OpenSite": "architect", "PourFoundation": "mason", "HandOver": "architect", "Paint": "painter"}


class Frame(msgspec.Struct, frozen=True):
    """One step: the event, or the refusal, and the picture then."""

    number: int
    position: Position
    type: str
    facts: dict[str, Any]
    refused: str | None
    actor: str
    at: datetime
    svg: str


def build(running: Running, commands: Sequence[Command]) -> int:
    """Have the works done, each once; how many were refused."""
    refused = 0
    for number, command in enumerate(commands):
        name = command.__kind__.type
        try:
            running.execute(command, id=f"{HOUSE} {number}", actor=WORKERS.get(name, "builder"))
        except Refused:
            refused += 1
    return refused


def frames(running: Running, building: str) -> list[Frame]:
    """The whole life of a building, from the empty site on."""
    found: list[Frame] = []
    state = Building(id=building)
    for number, recorded in enumerate(running.events(Query.of(tags=[f"building:{building}"])), start=1):
        event, refused = recorded.event, None
        if isinstance(event, CommandRefused):
            refused, facts = event.reason, msgspec.json.decode(bytes(event.said))
        else:
            facts = msgspec.to_builtins(event)
            state.evolve(event)  # type: ignore[arg-type]
        facts.pop("building", None)
        name = event.command.partition("@")[0] if isinstance(event, CommandRefused) else recorded.type
        found.append(
            Frame(
                number,
                recorded.position,
                name,
                facts,
                refused,
                recorded.metadata.actor,
                recorded.recorded_at,
                picture(state),
            )
        )
    return found

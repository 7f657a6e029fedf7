"""What a context does by itself: the instances of its processes, its timers, its calls to the outside, and whom it hears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actum.console.answering import Shown
from actum.console.troubles import trouble_of
from actum.journal.errors import ActumError

if TYPE_CHECKING:
    from actum.console.asked import Asked
    from actum.service.running import Running

SHOWN = 50
"""How many of each are shown."""


def processes(asked: Asked) -> Shown:
    """`/processes`: of every context that does something by itself."""
    found = [_of_context(asked, name, running) for name, running in asked.house.contexts.items()]
    shown = [each for each in found if each is not None]
    return Shown("processes.html", asked.words("Processes"), {"contexts": shown}, here="processes")


def _of_context(asked: Asked, name: str, running: Running) -> dict[str, Any] | None:
    heard = tuple(getattr(running.app, "heard", ()))
    if not running.app.reacts and not heard:
        return None
    found: dict[str, Any] = {
        "context": name,
        "colour": asked.house.colour(name),
        "heard": heard,
        "instances": (),
        "timers": (),
        "effects": (),
        "trouble": None,
    }
    if running.app.reacts:
        try:
            found |= _tables(running)
        except ActumError as wrong:
            found["trouble"] = trouble_of(wrong, asked.words)
    return found


def _tables(running: Running) -> dict[str, Any]:
    acting = running.processes
    return {
        "instances": acting.instances().order("heard", descending=True).page(limit=SHOWN).rows,
        "timers": acting.timers().where("status", "=", "set").order("due").page(limit=SHOWN).rows,
        "effects": acting.effects().where("status", "!=", "done").page(limit=SHOWN).rows,
    }

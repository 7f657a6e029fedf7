"""Who looked at what: the access journal of the door that the console shares with everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actum.console.answering import Shown
from actum.http.access import Accessed

if TYPE_CHECKING:
    from actum.console.asked import Asked
    from actum.journal.recorded import Recorded

SHOWN = 100
"""How many are shown on a page."""


def looks(asked: Asked) -> Shown:
    """`/looks`: the last accesses, the newest first."""
    accesses = asked.accesses
    rows: list[dict[str, Any]] = []
    on = None
    if accesses is not None:
        until = asked.number("before")
        found = list(accesses.events(until=None if until is None else until - 1, limit=SHOWN + 1, backwards=True))
        rows = [_row(each) for each in found[:SHOWN]]
        on = asked.link("looks", before=found[SHOWN - 1].position) if len(found) > SHOWN else None
    return Shown(
        "looks.html", asked.words("Accesses"), {"rows": rows, "next": on, "kept": accesses is not None}, here="looks"
    )


def _row(each: Recorded) -> dict[str, Any]:
    said = each.event
    return {"when": each.recorded_at, "said": said if isinstance(said, Accessed) else None, "position": each.position}

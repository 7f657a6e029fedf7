"""The map of the services: who feeds whom and how much flows, what follows when one is off, and the switches where one may.

What is foretold is worked out from the declarations; what is observed comes from the journals and read databases themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actum.console.answering import Moved, Shown
from actum.console.layout import drawn
from actum.console.troubles import Trouble, trouble_of
from actum.journal.errors import ActumError, Unknown
from actum.service.consequences import CONSOLE, Consequence, Happens, predicted
from actum.service.part import parts_of

if TYPE_CHECKING:
    from actum.console.asked import Asked
    from actum.service.control import Piece

LASTS = ("ready", "paused", "resumed", "paused by somebody else", "resumed by somebody else", "stopped", "killed")
"""What happens to a piece as a rule, and is said in the language of the page; whatever else did stands as the host said it."""

VERBS = ("start", "stop", "kill", "pause", "resume")


def services(asked: Asked) -> Shown:
    """`/map`: the services, and what flows between them; `off` is what one would like to have foretold."""
    house = asked.house
    pieces, trouble = _pieces(asked)
    off = tuple(
        sorted({piece.context + "/" + piece.kind if piece.context else piece.name for piece in pieces if piece.off})
    )
    tried = asked.query.get("off", "")
    foretold = _foretold(asked, (*off, tried) if tried else off)
    values = {
        "pieces": [(piece, _verbs(piece)) for piece in pieces],
        "trouble": trouble,
        "lasts": LASTS,
        "controlled": house.control is not None,
        "may": asked.may("console:control"),
        "off": off,
        "tried": tried,
        "foretold": foretold,
        "observed": _observed(asked),
        "contexts": list(house.contexts),
        "names": [f"{name}/{part.value}" for name, running in house.contexts.items() for part in parts_of(running.app)],
        "drawings": drawn(asked, {_service(piece): piece for piece in pieces}, tried),
        "do": asked.link("map"),
    }
    return Shown("map.html", asked.words("Services"), values, here="map")


def _service(piece: Piece) -> str:
    return f"{piece.context}/{piece.kind}" if piece.context else piece.name


def _pieces(asked: Asked) -> tuple[tuple[Piece, ...], Trouble | None]:
    control = asked.house.control
    try:
        return (() if control is None else control.pieces()), None
    except ActumError as wrong:
        return (), trouble_of(wrong, asked.words)


def _verbs(piece: Piece) -> tuple[str, ...]:
    """What can be done to it as it is; not to the console, which would saw off the branch it sits on."""
    if piece.kind == CONSOLE:
        return ()
    match piece.state.value:
        case "stopped" | "held" | "failing":
            return ("start",)
        case "paused":
            return ("resume", "kill")
        case "running" | "starting" | "reloading":
            return ("stop", "pause", "kill")
        case _:
            return ()


def _foretold(asked: Asked, off: tuple[str, ...]) -> list[tuple[Consequence, str]]:
    """What is otherwise than always, in the reader's language."""
    system = asked.house.system
    if system is None or not off:
        return []
    known = [each for each in off if "/" in each or each in ("gateway", "console")]
    found = [each for each in predicted(system, known) if each.happens is not Happens.ANSWERED]
    return [(each, each.fr if asked.language == "fr" else each.en) for each in found]


def _observed(asked: Asked) -> list[dict[str, Any]]:
    """What is seen of each context: how its journal grows, how far its followers are behind."""
    house = asked.house
    return [
        {
            "context": name,
            "colour": house.colour(name),
            "head": running.head(),
            "flow": house.pulse.flow(name),
            "followers": [
                (each, house.pulse.flow(name, each)) for each in (*running.app.views, *running.app.projections)
            ],
        }
        for name, running in house.contexts.items()
    ]


def act(asked: Asked) -> Moved:
    """`POST /map/{verb}`: to one piece, by its name."""
    control, verb = asked.house.control, asked.names["verb"]
    if control is None or verb not in VERBS:
        raise Unknown("verb", verb, VERBS if control is not None else ())
    getattr(control, verb)(asked.form.get("piece", ""))
    return Moved(asked.link("map"))

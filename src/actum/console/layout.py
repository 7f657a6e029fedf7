"""The map as a drawing: a row for each context, its services around its journal, arrows with what flows along them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actum.console.formats import number
from actum.service.part import Part, parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actum.console.asked import Asked
    from actum.service.control import Piece

WIDTH, HEIGHT = 132, 46
"""Of a box, in the drawing's units."""

LEFT, TOP, ACROSS = 20, 40, 200
"""Where the first row begins, and how far boxes are apart."""

LOW, HIGH = 92, 146
"""The height of a row, and of one with processes below."""


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A service or a journal. `state` is how it is: `running`, `off`, or `would` where somebody asks what if."""

    x: int
    y: int
    name: str
    label: str
    under: str
    kind: str
    state: str
    colour: int


class Arrow(msgspec.Struct, frozen=True, kw_only=True):
    """From box to box, with what flows along it."""

    path: str
    label: str
    x: int
    y: int
    flows: bool


class Note(msgspec.Struct, frozen=True):
    """A text beside an arrow."""

    x: int
    y: int
    text: str


class Drawing(msgspec.Struct, frozen=True):
    """All of it."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    titles: tuple[tuple[int, str, int], ...]
    notes: tuple[Note, ...]


def drawn(asked: Asked, pieces: Mapping[str, Piece], tried: str) -> Drawing:
    """The drawing of the contexts of a house."""
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    titles: list[tuple[int, str, int]] = []
    notes: list[Note] = []
    y = TOP
    for name in asked.house.contexts:
        row = _Row(asked, name, y, pieces, tried)
        titles.append((y - 14, name, asked.house.colour(name)))
        boxes += row.boxes()
        arrows += row.arrows()
        notes += [note for note in (row.heard(),) if note is not None]
        y += row.height
    return Drawing(LEFT * 2 + ACROSS * 3 + WIDTH, y - 20, tuple(boxes), tuple(arrows), tuple(titles), tuple(notes))


class _Row:
    """One context: commands and processes write to the journal, projections follow it, queries show what these keep."""

    def __init__(self, asked: Asked, context: str, y: int, pieces: Mapping[str, Piece], tried: str) -> None:
        self._asked = asked
        self._context = context
        self._y = y
        self._pieces = pieces
        self._tried = tried
        self._running = asked.house.running(context)
        self._parts = parts_of(self._running.app)

    @property
    def height(self) -> int:
        """How much room it takes."""
        return HIGH if Part.PROCESSES in self._parts else LOW

    def boxes(self) -> list[Box]:
        words = self._asked.words
        head = number(self._running.head(), self._asked.language)
        found = [self._box(1, 0, "journal", words("journal"), head)]
        places = {
            Part.COMMANDS: (0, 0, words("commands")),
            Part.PROJECTIONS: (2, 0, words("projections")),
            Part.QUERIES: (3, 0, words("queries")),
            Part.PROCESSES: (0, 1, words("processes")),
        }
        for part in self._parts:
            column, below, label = places[part]
            found.append(self._box(column, below, part.value, label, ""))
        return found

    def heard(self) -> Note | None:
        """Whom the context hears, beside the arrow of its processes."""
        heard = tuple(getattr(self._running.app, "heard", ()))
        text = f"{self._asked.words('hears')} {', '.join(heard)}"
        y = self._y + HEIGHT * 3 // 2 + 12
        return Note(LEFT + ACROSS + WIDTH // 2 + 12, y, text) if heard and Part.PROCESSES in self._parts else None

    def _box(self, column: int, below: int, what: str, label: str, under: str) -> Box:
        name = f"{self._context}/{what}"
        piece = self._pieces.get(name)
        state = "would" if name == self._tried else "off" if piece is not None and piece.off else "running"
        said = under or ("" if piece is None else self._asked.words(piece.state.value))
        return Box(
            x=LEFT + column * ACROSS,
            y=self._y + below * (HEIGHT + 8),
            name=name,
            label=label,
            under=said,
            kind=what,
            state=state,
            colour=self._asked.house.colour(self._context),
        )

    def arrows(self) -> list[Arrow]:
        pulse, context = self._asked.house.pulse, self._context
        written = pulse.flow(context).rate
        followers = [pulse.flow(context, name).rate for name in self._running.app.views]
        found: list[Arrow] = []
        if Part.COMMANDS in self._parts:
            found.append(self._arrow(0, written))
        if Part.PROJECTIONS in self._parts:
            found.append(self._arrow(1, max(followers, default=0.0)))
        if Part.QUERIES in self._parts and Part.PROJECTIONS in self._parts:
            found.append(self._arrow(2, None))
        if Part.PROCESSES in self._parts:
            x, y = LEFT + WIDTH, self._y + HEIGHT * 3 // 2 + 8
            path = f"M {x + 6} {y} H {LEFT + ACROSS + WIDTH // 2} V {self._y + HEIGHT + 6}"
            found.append(Arrow(path=path, label="", x=x, y=y, flows=False))
        return found

    def _arrow(self, column: int, rate: float | None) -> Arrow:
        begin, end = LEFT + column * ACROSS + WIDTH + 6, LEFT + (column + 1) * ACROSS - 6
        y = self._y + HEIGHT // 2
        label = "" if not rate else f"{number(rate, self._asked.language, digits=1 if rate < 10 else 0)}/s"
        return Arrow(path=f"M {begin} {y} H {end}", label=label, x=(begin + end) // 2, y=y - 8, flows=bool(rate))

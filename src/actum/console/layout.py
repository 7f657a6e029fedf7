"""The map as a drawing: each context with its services around its journal, and arrows with what flows along them.

It is drawn twice, beside each other and folded, and the styles show the one for which there is room.
"""

from __future__ import annotations

from textwrap import wrap
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
"""Where the first box begins, and how far boxes are apart."""

APART = 46
"""Between two contexts."""

JOURNAL = "journal"
COMMANDS, PROJECTIONS, QUERIES, PROCESSES = (part.value for part in Part)
"""What boxes are of."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Where the boxes of a context stand: the column and the line of each, and how far lines are apart.

    `around` is whether the way from the processes to the journal leads around what stands between them; `letters` is how
    many there is room for beside it.
    """

    name: str
    places: dict[str, tuple[int, int]]
    down: int
    around: bool
    letters: int


BESIDE = Shape(
    name="beside",
    places={COMMANDS: (0, 0), JOURNAL: (1, 0), PROJECTIONS: (2, 0), QUERIES: (3, 0), PROCESSES: (0, 1)},
    down=54,
    around=False,
    letters=70,
)
FOLDED = Shape(
    name="folded",
    places={COMMANDS: (0, 0), JOURNAL: (1, 0), PROJECTIONS: (1, 1), QUERIES: (0, 1), PROCESSES: (0, 2)},
    down=80,
    around=True,
    letters=30,
)


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

    @property
    def middle(self) -> tuple[int, int]:
        """Where its middle is."""
        return self.x + WIDTH // 2, self.y + HEIGHT // 2


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


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, in one shape."""

    name: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    titles: tuple[tuple[int, str, int], ...]
    notes: tuple[Note, ...]


def drawn(asked: Asked, pieces: Mapping[str, Piece], tried: str) -> tuple[Drawing, ...]:
    """The drawings of the contexts of a house, one for each shape."""
    return tuple(_drawing(shape, asked, pieces, tried) for shape in (BESIDE, FOLDED))


def _drawing(shape: Shape, asked: Asked, pieces: Mapping[str, Piece], tried: str) -> Drawing:
    y = TOP
    found: list[_Context] = []
    titles: list[tuple[int, str, int]] = []
    for name in asked.house.contexts:
        one = _Context(shape, asked, name, y, pieces, tried)
        titles.append((y - 14, name, asked.house.colour(name)))
        found.append(one)
        y += one.height
    columns = max(column for column, _ in shape.places.values())
    return Drawing(
        name=shape.name,
        width=LEFT * 2 + ACROSS * columns + WIDTH,
        height=y - 20,
        boxes=tuple(box for one in found for box in one.boxes.values()),
        arrows=tuple(arrow for one in found for arrow in one.arrows()),
        titles=tuple(titles),
        notes=tuple(note for one in found for note in one.notes()),
    )


def between(begin: Box, end: Box) -> tuple[str, int, int]:
    """The way from a box to the one beside or below it, and where there is room for a word."""
    (x, y), (to_x, to_y) = begin.middle, end.middle
    half = WIDTH // 2 + 6 if begin.x < end.x else -(WIDTH // 2 + 6)
    if y == to_y:
        return f"M {x + half} {y} H {to_x - half}", (x + to_x) // 2, y - 8
    return f"M {x} {y + HEIGHT // 2 + 6} V {to_y - HEIGHT // 2 - 6}", x + 26, (y + to_y) // 2 + 4


class _Context:
    """One context: commands and processes write to the journal, projections follow it, queries show what these keep."""

    def __init__(
        self, shape: Shape, asked: Asked, context: str, y: int, pieces: Mapping[str, Piece], tried: str
    ) -> None:
        self._shape = shape
        self._asked = asked
        self._context = context
        self._y = y
        self._pieces = pieces
        self._tried = tried
        self._running = asked.house.running(context)
        names = (JOURNAL, *(part.value for part in parts_of(self._running.app)))
        self.boxes = {name: self._box(name) for name in names}

    @property
    def height(self) -> int:
        """How much room it takes."""
        return max(box.y for box in self.boxes.values()) + HEIGHT + APART - self._y

    def notes(self) -> list[Note]:
        """Whom the context hears, beside the arrow of its processes."""
        heard = tuple(getattr(self._running.app, "heard", ()))
        box = self.boxes.get(PROCESSES)
        if box is None or not heard:
            return []
        x, y = (
            (box.x + WIDTH + 12, box.y + 40) if self._shape.around else (self.boxes[JOURNAL].middle[0] + 12, box.y + 27)
        )
        lines = wrap(f"{self._asked.words('hears')} {', '.join(heard)}", self._shape.letters)
        return [Note(x, y + 14 * number, line) for number, line in enumerate(lines)]

    def _box(self, what: str) -> Box:
        name = f"{self._context}/{what}"
        column, line = self._shape.places[what]
        piece = self._pieces.get(name)
        state = "would" if name == self._tried else "off" if piece is not None and piece.off else "running"
        return Box(
            x=LEFT + column * ACROSS,
            y=self._y + line * self._shape.down,
            name=name,
            label=self._label(what),
            under=self._under(what, piece),
            kind=what,
            state=state,
            colour=self._asked.house.colour(self._context),
        )

    def _label(self, what: str) -> str:
        words = self._asked.words
        return {
            JOURNAL: words("journal"),
            COMMANDS: words("commands"),
            PROJECTIONS: words("projections"),
            QUERIES: words("queries"),
            PROCESSES: words("processes"),
        }[what]

    def _under(self, what: str, piece: Piece | None) -> str:
        if what == JOURNAL:
            return number(self._running.head(), self._asked.language)
        return "" if piece is None else self._asked.words(piece.state.value)

    def arrows(self) -> list[Arrow]:
        """What flows: into the journal, from there to what follows it, and from that to whoever asks."""
        pulse, context = self._asked.house.pulse, self._context
        written = pulse.flow(context).rate
        followed = max((pulse.flow(context, name).rate for name in self._running.app.views), default=0.0)
        ways = (
            (COMMANDS, JOURNAL, written),
            (JOURNAL, PROJECTIONS, followed),
            (PROJECTIONS, QUERIES, 0.0),
        )
        found = [
            self._arrow(between(self.boxes[begin], self.boxes[end]), rate)
            for begin, end, rate in ways
            if begin in self.boxes and end in self.boxes
        ]
        return [*found, self._arrow(self._from_processes(), 0.0)] if PROCESSES in self.boxes else found

    def _from_processes(self) -> tuple[str, int, int]:
        x, y = self.boxes[PROCESSES].middle
        to_x, to_y = self.boxes[JOURNAL].middle
        begin = x + WIDTH // 2 + 6
        if self._shape.around:
            side = to_x + WIDTH // 2
            return f"M {begin} {y} H {side + 14} V {to_y} H {side + 5}", x, y
        return f"M {begin} {y} H {to_x} V {to_y + HEIGHT // 2 + 6}", x, y

    def _arrow(self, way: tuple[str, int, int], rate: float) -> Arrow:
        path, x, y = way
        label = f"{number(rate, self._asked.language, digits=1 if rate < 10 else 0)}/s" if rate else ""
        return Arrow(path=path, label=label, x=x, y=y, flows=bool(rate))

"""Why the tables of two projections differ: both are built once more, side by side, and watched for when named rows part.

They are compared after each page of events, and event by event in the page in which they part.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from actum.journal.codec import Codec
from actum.journal.query import Query
from actum.projection.handling import Projection
from actum.projection.parting import parting, value
from actum.projection.projector import Projector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from actum.journal.event import Position, SequencedEvent
    from actum.journal.readmodel import Making, ReadDatabase, Row, Shape, Value
    from actum.journal.store import EventStore
    from actum.projection.difference import Parting, RowDifference

PAGE = 500
"""After how many events rows are compared."""

Cell: TypeAlias = "tuple[str, Row, str | None]"
"""A table, the key of a row, and a column; None for whether there is such a row."""


class MadeBy(msgspec.Struct, frozen=True):
    """A definition at hand, and what reads its events."""

    projection: Projection
    codec: Codec


class MadePartings:
    """Finds, for rows that differ, the events that made them so, among those up to a position.

    That is the first event of its page after which the two differ, where they differ at the end of that page and of every later one.
    """

    def __init__(
        self,
        store: EventStore,
        *,
        live: MadeBy,
        candidate: MadeBy,
        database: ReadDatabase,
        until: Position,
        page: int = PAGE,
    ) -> None:
        self._store = store
        self._sides = live, candidate
        self._database = database
        self._until = until
        self._page = page

    def explained(self, rows: Sequence[RowDifference]) -> list[RowDifference]:
        """The same, with the events; where cells differ, one for each of them."""
        cells: list[Cell] = [(row.table, row.key, cell) for row in rows for cell in _columns(row)]
        since = self._since(cells, self._pages_of(cells)) if cells else {}
        return [_with(row, since) for row in rows]

    def _pages_of(self, cells: Sequence[Cell]) -> dict[Cell, int]:
        """In which page each cell parts: the one behind the last at whose end it is the same in both."""
        found = dict.fromkeys(cells, 0)
        with self._anew() as both:
            for number, page in enumerate(self._pages(), 1):
                both.bring_to(page[-1].position)
                found |= dict.fromkeys(
                    [cell for cell, (one, other) in both.values(cells).items() if one == other], number
                )
        return found

    def _since(self, cells: Sequence[Cell], pages: dict[Cell, int]) -> dict[Cell, Parting]:
        since: dict[Cell, Parting] = {}
        with self._anew() as both:
            for number, page in enumerate(self._pages()):
                mine = [cell for cell in cells if pages[cell] == number]
                for stored in page if mine else ():
                    both.bring_to(stored.position)
                    for cell, (one, other) in both.values(mine).items():
                        if one == other:
                            since.pop(cell, None)
                        elif cell not in since:
                            since[cell] = parting(stored, one, other)
                both.bring_to(page[-1].position)
                if number >= max(pages.values()):
                    break
        return since

    def _pages(self) -> Iterator[list[SequencedEvent]]:
        """The events that one of the two takes."""
        live, candidate = (Query.of(types=each.codec.names(each.projection.events)) for each in self._sides)
        stored = iter(self._store.read(live | candidate, until=self._until))
        while page := list(islice(stored, self._page)):
            yield page

    @contextmanager
    def _anew(self) -> Iterator[_Both]:
        with ExitStack() as stack:
            rooms = [stack.enter_context(self._database.rooms.passing()) for _ in self._sides]
            live, candidate = (
                _Anew(side, self._store, room=room, views=self._database)
                for side, room in zip(self._sides, rooms, strict=True)
            )
            yield _Both(live, candidate)


class _Anew:
    """One definition, built in a room of its own."""

    def __init__(self, side: MadeBy, store: EventStore, *, room: ReadDatabase, views: ReadDatabase) -> None:
        plan = side.projection
        self._room = room
        self._shape = plan.shape
        self._projector = Projector(
            store, side.codec, database=room, views=views, plans=[plan], until=0, scribe=None, page=PAGE
        )

    def bring_to(self, position: Position) -> None:
        """Take in everything up to there. Raises what the handler fails over."""
        self._projector.up_to(position)
        while self._projector.step():
            pass
        if self._projector.trouble is not None:
            raise self._projector.trouble.error

    def values(self, cells: Sequence[Cell]) -> list[Value]:
        """What is in these cells."""
        with self._room.snapshot() as still:
            made = {table.table: table for table in still.made(self._shape)}
            return [value(_row(still, made.get(table), key), column) for table, key, column in cells]


class _Both:
    """Two definitions, built side by side."""

    def __init__(self, live: _Anew, candidate: _Anew) -> None:
        self._sides = live, candidate

    def bring_to(self, position: Position) -> None:
        """Take in everything up to there."""
        for side in self._sides:
            side.bring_to(position)

    def values(self, cells: Sequence[Cell]) -> dict[Cell, tuple[Value, Value]]:
        """What is in these cells of both."""
        one, other = (side.values(cells) for side in self._sides)
        return dict(zip(cells, zip(one, other, strict=True), strict=True))


def _row(still: Making, made: Shape | None, key: Row) -> dict[str, Value] | None:
    row = None if made is None else still.row_of(made, key)
    if made is None or row is None:
        return None
    return dict(zip((column.name for column in made.columns), row, strict=True))


def _columns(row: RowDifference) -> list[str | None]:
    return [cell.column for cell in row.cells] or [None]


def _with(row: RowDifference, since: Mapping[Cell, Parting]) -> RowDifference:
    """The row, its events said."""
    cells = tuple(
        msgspec.structs.replace(cell, since=since.get((row.table, row.key, cell.column))) for cell in row.cells
    )
    return msgspec.structs.replace(row, cells=cells, since=since.get((row.table, row.key, None)))

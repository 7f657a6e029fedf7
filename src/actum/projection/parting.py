"""Why two tables differ: the event since which the folds of two definitions part, for each cell of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

import msgspec

from actum.journal.errors import Invalid, Unknown
from actum.journal.recorded import recorded
from actum.projection.difference import Parting
from actum.projection.view import ViewT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actum.decision.state import Identity
    from actum.journal.codec import Codec
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.query import Query
    from actum.journal.readmodel import Row, Value
    from actum.journal.store import EventStore
    from actum.projection.cells import Cell
    from actum.projection.difference import RowDifference
    from actum.projection.view import Plan


class Told(Generic[ViewT]):
    """A definition at hand: the view's class, understood, and what reads its events."""

    def __init__(self, plan: Plan[ViewT], codec: Codec) -> None:
        self.plan = plan
        self.codec = codec

    def ids(self, key: Row) -> tuple[Identity, ...]:
        """Which thing a row is of, from the cells of its key."""
        return tuple(
            _identity(self.plan.cells[name], value) for name, value in zip(self.plan.fold.identity, key, strict=False)
        )


def _identity(cell: Cell, value: Any) -> Identity:
    found: Identity = value if cell.read is None else cell.read(value)
    return found


class _Teller(Generic[ViewT]):
    """One row of a definition, told again event by event."""

    def __init__(self, told: Told[ViewT], key: Row) -> None:
        self._plan = told.plan
        self._codec = told.codec
        ids = told.ids(key)
        self._tags = told.plan.fold.tags(ids)
        self._state = told.plan.fold.new(ids)
        self.query: Query = told.plan.fold.query(told.codec, self._tags)
        self.cells: dict[str, Value] | None = None
        """The cells of the row as it is now; None while there is none."""

    def take(self, stored: SequencedEvent) -> None:
        """Take in one event, which may be none of this row's."""
        if not self._tags.issubset(stored.tags):
            return
        try:
            events = [each.event for each in recorded(stored, self._codec)]
        except Unknown:
            return  # This definition's program has no word for it.
        wanted = self._plan.fold.event_set
        mine = [event for event in events if type(event) in wanted]
        for event in mine:
            self._state.evolve(event)
        if mine:
            (row,) = self._plan.rows([self._state])
            self.cells = dict(zip((column.name for column in self._plan.shape.columns), row, strict=True))


class Partings:
    """Finds, for a row that differs, the events that made it so, among those up to a position.

    That is the first event after which the two differ, and differ ever since: had they agreed again in between, what came
    before would not be why they differ now.
    """

    def __init__(self, store: EventStore, *, live: Told[Any], candidate: Told[Any], until: Position) -> None:
        self._store = store
        self._live = live
        self._candidate = candidate
        self._until = until

    def explained(self, rows: Sequence[RowDifference]) -> list[RowDifference]:
        """The same, with the events."""
        return list(map(self._explained, rows))

    def _explained(self, row: RowDifference) -> RowDifference:
        """The same, with the event; where cells differ, one for each of them."""
        live, candidate = _Teller(self._live, row.key), _Teller(self._candidate, row.key)
        columns: list[str | None] = [cell.column for cell in row.cells] or [None]
        since: dict[str | None, Parting] = {}
        for stored in self._store.read(live.query | candidate.query, until=self._until):
            live.take(stored)
            candidate.take(stored)
            for column in columns:
                before, after = value(live.cells, column), value(candidate.cells, column)
                if before == after:
                    since.pop(column, None)
                elif column not in since:
                    since[column] = parting(stored, before, after)
        cells = tuple(msgspec.structs.replace(cell, since=since.get(cell.column)) for cell in row.cells)
        return msgspec.structs.replace(row, cells=cells, since=since.get(None))


def value(cells: Mapping[str, Value] | None, column: str | None) -> Value:
    """A cell, None where there is no row; without a column, whether there is one."""
    if column is None:
        return int(cells is not None)
    return None if cells is None else cells.get(column)


def parting(stored: SequencedEvent, before: Value, after: Value) -> Parting:
    """That an event was it, and what each of the two gave after it."""
    try:
        actor = stored.metadata.actor
    except Invalid:
        actor = None  # Nobody is named there; that is no reason not to say which event it was.
    return Parting(stored.position, stored.uuid, stored.type, actor, before, after)

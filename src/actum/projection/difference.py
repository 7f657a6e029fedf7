"""The difference between a candidate and the live table: which rows, which cells, and since which event each of them.

Two tables are gone through side by side, in order of their keys; `comparing` sees to it that both are as of one event.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, TypeAlias
from uuid import UUID

import msgspec

from actum.journal.event import Position
from actum.journal.readmodel import Row, Value
from actum.projection.changed import Definition, definition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from actum.journal.readmodel import Shape

What: TypeAlias = Literal["added", "removed", "changed"]

Explain: TypeAlias = "Callable[[Sequence[RowDifference]], Sequence[RowDifference]]"
"""Finds the events since which rows differ."""


class Parting(msgspec.Struct, frozen=True):
    """The event since which two folds differ, and what each of them gave after it."""

    position: Position
    id: UUID
    type: str
    actor: str | None
    live: Value
    candidate: Value


class CellDifference(msgspec.Struct, frozen=True):
    """One cell that is not the same in both. `since` is None where no event tells the two apart, or a definition is not at hand."""

    column: str
    live: Value
    candidate: Value
    since: Parting | None = None


class RowDifference(msgspec.Struct, frozen=True):
    """One row: only in the candidate (`added`), only in the live table (`removed`), or other cells (`changed`).

    `since` is the event that made a row in one of them and not in the other. `table` is said where a projection has made it.
    """

    key: Row
    what: What
    cells: tuple[CellDifference, ...] = ()
    since: Parting | None = None
    table: str = ""


class Side(msgspec.Struct, frozen=True):
    """One of the two tables: its definition, how many rows it has, and their digest."""

    definition: Definition
    rows: int
    digest: str


class Difference(msgspec.Struct, frozen=True):
    """What changes for readers when a candidate takes the live table's place, as of a position.

    `cells` says for each column in how many changed rows it differs. Columns that only one of them has are named in `new`
    and `gone`, and make no row differ. `rows` are those that differ, in order of their keys, up to a limit; `reasons` says
    whether events were looked for, or why not.
    """

    view: str
    position: Position
    live: Side
    candidate: Side
    added: int
    removed: int
    changed: int
    cells: dict[str, int]
    new: tuple[str, ...]
    gone: tuple[str, ...]
    rows: tuple[RowDifference, ...]
    reasons: str

    @property
    def equal(self) -> bool:
        """Whether both have the same columns and the same rows."""
        return not (self.added or self.removed or self.changed or self.new or self.gone)


def places(shape: Shape, names: tuple[str, ...]) -> list[int]:
    """At which places of a row these columns are."""
    order = [column.name for column in shape.columns]
    return [order.index(name) for name in names]


class _Table:
    """One of the two while it is gone through: its rows are counted and summed up as they pass."""

    def __init__(self, shape: Shape, names: tuple[str, ...], table: str) -> None:
        self.shape = shape
        self._of = (table,) if table else ()
        self.count = 0
        self.total = 0
        self._key = places(shape, shape.key)
        self._cells = places(shape, names)

    def pass_by(self, rows: Iterator[Row]) -> Iterator[tuple[Row, Row]]:
        """The key and the common cells of each row."""
        for row in rows:
            self.count += 1
            self.total += int.from_bytes(sha256(msgspec.json.encode((*self._of, *row))).digest(), "big")
            yield tuple(row[place] for place in self._key), tuple(row[place] for place in self._cells)

    def side(self) -> Side:
        """What there was. The digest is that of `digest_of`."""
        return Side(definition_of(self.shape), self.count, f"{self.total % 2**256:064x}")


class Merged:
    """Two tables gone through side by side; `table` says which of several."""

    def __init__(self, live: Shape, candidate: Shape, *, table: str = "") -> None:
        self._of = table
        before, after = ([column.name for column in shape.columns] for shape in (live, candidate))
        self.new = tuple(name for name in after if name not in before)
        self.gone = tuple(name for name in before if name not in after)
        self.names = tuple(name for name in after if name in before and name not in candidate.key)
        self.live, self.candidate = _Table(live, self.names, table), _Table(candidate, self.names, table)
        self.counts: Counter[str] = Counter()
        self.cells: Counter[str] = Counter()

    def differing(self, live: Iterator[Row], candidate: Iterator[Row]) -> Iterator[RowDifference]:
        """The rows that differ, in order of their keys."""
        befores, afters = self.live.pass_by(live), self.candidate.pass_by(candidate)
        if self.live.shape.key != self.candidate.shape.key:  # Then no row of one is a row of the other.
            yield from (self._counted(RowDifference(key, "removed")) for key, _ in befores)
            yield from (self._counted(RowDifference(key, "added")) for key, _ in afters)
            return
        before, after = next(befores, None), next(afters, None)
        while before is not None or after is not None:
            if before is not None and after is not None and before[0] == after[0]:
                if before[1] != after[1]:
                    yield self._counted(RowDifference(after[0], "changed", self._differing_cells(before[1], after[1])))
                before, after = next(befores, None), next(afters, None)
            elif before is not None and (after is None or _ranked(before[0]) < _ranked(after[0])):
                yield self._counted(RowDifference(before[0], "removed"))
                before = next(befores, None)
            elif after is not None:
                yield self._counted(RowDifference(after[0], "added"))
                after = next(afters, None)

    def _differing_cells(self, before: Row, after: Row) -> tuple[CellDifference, ...]:
        cells = zip(self.names, before, after, strict=True)
        return tuple(CellDifference(name, old, new) for name, old, new in cells if old != new)

    def _counted(self, row: RowDifference) -> RowDifference:
        self.counts[row.what] += 1
        self.cells.update(cell.column for cell in row.cells)
        return msgspec.structs.replace(row, table=self._of) if self._of else row

    def told(self, view: str, position: Position, rows: tuple[RowDifference, ...], reasons: str) -> Difference:
        """All of it."""
        return Difference(
            view=view,
            position=position,
            live=self.live.side(),
            candidate=self.candidate.side(),
            added=self.counts["added"],
            removed=self.counts["removed"],
            changed=self.counts["changed"],
            cells={name: self.cells[name] for name in self.names if self.cells[name]},
            new=self.new,
            gone=self.gone,
            rows=rows,
            reasons=reasons,
        )


def _ranked(key: Row) -> tuple[tuple[int, Value], ...]:
    """A key as databases sort it: what is missing comes first, then numbers, then text."""
    return tuple(
        [(0 if cell is None else 2 if isinstance(cell, str) else 1, 0 if cell is None else cell) for cell in key]
    )

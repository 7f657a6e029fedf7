"""The difference between a candidate and the live table: which rows, which cells, and since which event each of them.

The live table is looked at as of one moment; the candidate is brought to the same position, and rests there. So both are
compared as of one and the same event, whatever goes on meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

import msgspec

from actum.journal.errors import Busy, Unavailable
from actum.journal.event import Position
from actum.journal.readmodel import Mark, Order, Row, Selection, Value
from actum.projection.changed import Definition, definition_of
from actum.projection.place import live_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from actum.journal.readmodel import Shape, Snapshot, Standing
    from actum.projection.build import Build

PAGE = 1000
"""How many rows of each table are read at once."""

LOOKS = 500
"""How often one looks for a moment at which all workers of the live table stand at one position."""

BETWEEN_LOOKS = 0.02
"""Seconds between two looks."""

What: TypeAlias = Literal["added", "removed", "changed"]

Explain: TypeAlias = "Callable[[RowDifference], RowDifference]"
"""Finds the events since which a row differs."""


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

    `since` is the event that made a row in one of them and not in the other.
    """

    key: Row
    what: What
    cells: tuple[CellDifference, ...] = ()
    since: Parting | None = None


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


def difference(build: Build[Any], *, limit: int, explain: Callable[[Position], Explain | str]) -> Difference:
    """Compare the build's table with the live one. `explain` gives what finds the events, or says why nothing does.

    `Busy` where somebody else moves the candidate meanwhile, or where the workers of the live table never stand at one position.
    """
    place = build.place
    with _at_one_position(build) as (still, live):
        position, mine = live.mark.position, build.plan.shape
        build.bring_to(position)
        merged = Merged(live.shape, mine)
        found = merged.differing(_rows(still.select, live.shape), _rows(place.database.select, mine))
        told = [row for row, _ in zip(found, range(limit), strict=False)]
        for _ in found:
            pass
    mark = build.mark()
    if mark is None or mark.position != position:
        raise Busy(f"somebody else works on the candidate of {place.plan.name}; compare again when that is done")
    explained = explain(position)
    rows = told if isinstance(explained, str) else list(map(explained, told))
    reasons = explained if isinstance(explained, str) else f"looked for in the events of {len(rows):,} rows"
    return merged.told(place.plan.name, position, tuple(rows), reasons)


@contextmanager
def _at_one_position(build: Build[Any]) -> Iterator[tuple[Snapshot, Standing]]:
    """A moment at which all shares of the live table stand at one position, which the candidate has not passed yet."""
    place = build.place
    for _ in range(LOOKS):
        mark = build.mark() or Mark()
        with place.database.snapshot() as still:
            live = live_of(
                [each for each in still.tables() if (each.shape.name or each.shape.table) == place.plan.table]
            )
            if live is None:
                raise Busy(f"nothing is kept of {place.plan.name} yet; try again once it is")
            position = live.mark.position
            if position > build.head():
                raise Unavailable(
                    f"the live table of {place.plan.name} stands at position {position}, ahead of the journal, which ends "
                    f"at {build.head()}: was an older copy of the journal put back? There is nothing to compare with; switch"
                )
            if position >= mark.position and {each.mark.position for each in still.shares(live.shape)} == {position}:
                yield still, live
                return
        time.sleep(BETWEEN_LOOKS)
    raise Busy(
        f"the workers that keep {place.plan.name} up did not stand at one position for {LOOKS * BETWEEN_LOOKS:g} s; "
        "compare when there is less to do, or with fewer workers"
    )


def _rows(select: Callable[[Shape, Selection], list[Row]], shape: Shape) -> Iterator[Row]:
    """All rows, in order of their keys."""
    orders = tuple(Order(name) for name in shape.key)
    at = places(shape, shape.key)
    after: Row | None = None
    while True:
        rows = select(shape, Selection(orders=orders, after=after, limit=PAGE))
        yield from rows
        if len(rows) < PAGE:
            return
        after = tuple(rows[-1][place] for place in at)


def places(shape: Shape, names: tuple[str, ...]) -> list[int]:
    """At which places of a row these columns are."""
    order = [column.name for column in shape.columns]
    return [order.index(name) for name in names]


class _Table:
    """One of the two while it is gone through: its rows are counted and summed up as they pass."""

    def __init__(self, shape: Shape, names: tuple[str, ...]) -> None:
        self.shape = shape
        self.count = 0
        self.total = 0
        self._key = places(shape, shape.key)
        self._cells = places(shape, names)

    def pass_by(self, rows: Iterator[Row]) -> Iterator[tuple[Row, Row]]:
        """The key and the common cells of each row."""
        for row in rows:
            self.count += 1
            self.total += int.from_bytes(sha256(msgspec.json.encode(row)).digest(), "big")
            yield tuple(row[place] for place in self._key), tuple(row[place] for place in self._cells)

    def side(self) -> Side:
        """What there was. The digest is that of `digest_of`."""
        return Side(definition_of(self.shape), self.count, f"{self.total % 2**256:064x}")


class Merged:
    """Two tables gone through side by side."""

    def __init__(self, live: Shape, candidate: Shape) -> None:
        before, after = ([column.name for column in shape.columns] for shape in (live, candidate))
        self.new = tuple(name for name in after if name not in before)
        self.gone = tuple(name for name in before if name not in after)
        self.names = tuple(name for name in after if name in before and name not in candidate.key)
        self.live, self.candidate = _Table(live, self.names), _Table(candidate, self.names)
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
            if after is None or (before is not None and before[0] < after[0]):
                assert before is not None
                yield self._counted(RowDifference(before[0], "removed"))
                before = next(befores, None)
            elif before is None or after[0] < before[0]:
                yield self._counted(RowDifference(after[0], "added"))
                after = next(afters, None)
            else:
                if before[1] != after[1]:
                    yield self._counted(RowDifference(after[0], "changed", self._differing_cells(before[1], after[1])))
                before, after = next(befores, None), next(afters, None)

    def _differing_cells(self, before: Row, after: Row) -> tuple[CellDifference, ...]:
        cells = zip(self.names, before, after, strict=True)
        return tuple(CellDifference(name, old, new) for name, old, new in cells if old != new)

    def _counted(self, row: RowDifference) -> RowDifference:
        self.counts[row.what] += 1
        self.cells.update(cell.column for cell in row.cells)
        return row

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

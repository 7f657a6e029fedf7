"""A candidate compared with what is live, as of one and the same event, whatever goes on meanwhile.

The live table is looked at as of one moment; the candidate is brought to the same position, and rests there.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from actum.journal.errors import Busy, Unavailable
from actum.journal.readmodel import Mark, Order, Row, Selection
from actum.projection.beside import Beside
from actum.projection.difference import Merged, places
from actum.projection.made import MadeMerged
from actum.projection.place import live_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from actum.journal.event import Position
    from actum.journal.readmodel import Shape, Snapshot, Standing
    from actum.projection.build import Build
    from actum.projection.difference import Difference, Explain, RowDifference

PAGE = 1000
"""How many rows of each table are read at once."""

LOOKS = 500
"""How often one looks for a moment at which all workers of the live table stand at one position."""

BETWEEN_LOOKS = 0.02
"""Seconds between two looks."""


def difference(build: Build[Any], *, limit: int, explain: Callable[[Position], Explain | str]) -> Difference:
    """Compare the build's table with the live one. `explain` gives what finds the events, or says why nothing does.

    `Busy` where somebody else moves the candidate meanwhile, or where the workers of the live table never stand at one position.
    """
    place = build.place
    with _at_one_position(build) as (still, live):
        position = live.mark.position
        build.bring_to(position)
        with _side_by_side(build, still, live.shape) as (merged, found):
            told = [row for row, _ in zip(found, range(limit), strict=False)]
            for _ in found:
                pass
    mark = build.mark()
    if mark is None or mark.position != position:
        raise Busy(f"somebody else works on the candidate of {place.plan.name}; compare again when that is done")
    explained = explain(position)
    rows = told if isinstance(explained, str) else explained(told)
    reasons = explained if isinstance(explained, str) else f"looked for in the events of {len(rows):,} rows"
    return merged.told(place.plan.name, position, tuple(rows), reasons)


@contextmanager
def _side_by_side(
    build: Build[Any], still: Snapshot, live: Shape
) -> Iterator[tuple[Merged | MadeMerged, Iterator[RowDifference]]]:
    """Both tables, or all tables of both, and the rows that differ."""
    place, mine = build.place, build.plan.shape
    if not isinstance(place, Beside):
        merged = Merged(live, mine)
        yield merged, merged.differing(_rows(still.select, live), _rows(place.database.select, mine))
        return
    with place.home(mine).snapshot() as theirs:
        all_of_them = MadeMerged(live, mine, before=still, after=theirs)
        yield all_of_them, all_of_them.differing()


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

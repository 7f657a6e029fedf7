"""The tables that a projection has made, compared with those of another definition: table by table, row by row."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from actum.projection.changed import definition_of
from actum.projection.difference import Difference, Merged, RowDifference, Side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.journal.event import Position
    from actum.journal.readmodel import Making, Shape


def digest_of_made(making: Making, shape: Shape) -> str:
    """The sum of the SHA-256 of every row, as a JSON array of the table and its cells, modulo 2^256, in hexadecimal."""
    total = sum(
        int.from_bytes(sha256(msgspec.json.encode((made.table, *row))).digest(), "big")
        for made in making.made(shape)
        for row in making.rows_of(made)
    )
    return f"{total % 2**256:064x}"


class MadeMerged:
    """All tables of two definitions gone through side by side."""

    def __init__(self, live: Shape, candidate: Shape, *, before: Making, after: Making) -> None:
        self._shapes = live, candidate
        self._before, self._after = before, after
        befores = {made.table: made for made in before.made(live)}
        afters = {made.table: made for made in after.made(candidate)}
        self._new = tuple(name for name in afters if name not in befores)
        self._gone = tuple(name for name in befores if name not in afters)
        self._pairs = {name: (befores.get(name), afters.get(name)) for name in sorted({*befores, *afters})}
        self._merged: dict[str, Merged] = {}

    def differing(self) -> Iterator[RowDifference]:
        """The rows that differ, in order of tables and keys."""
        for name, (before, after) in self._pairs.items():
            one, other = before or after, after or before
            assert one is not None
            assert other is not None
            merged = self._merged[name] = Merged(one, other, table=name)
            befores = iter(()) if before is None else self._before.rows_of(before)
            yield from merged.differing(befores, iter(()) if after is None else self._after.rows_of(after))

    def told(self, view: str, position: Position, rows: tuple[RowDifference, ...], reasons: str) -> Difference:
        """All of it, once it was gone through."""
        merged = self._merged
        live, candidate = (
            Side(
                definition_of(shape),
                sum(each.count for each in sides),
                f"{sum(each.total for each in sides) % 2**256:064x}",
            )
            for shape, sides in zip(
                self._shapes,
                ([each.live for each in merged.values()], [each.candidate for each in merged.values()]),
                strict=True,
            )
        )
        added, removed, changed = (
            sum(each.counts[what] for each in merged.values()) for what in ("added", "removed", "changed")
        )
        return Difference(
            view=view,
            position=position,
            live=live,
            candidate=candidate,
            added=added,
            removed=removed,
            changed=changed,
            cells={f"{name}.{cell}": count for name, each in merged.items() for cell, count in each.cells.items()},
            new=(*self._new, *(f"{name}.{cell}" for name, each in merged.items() for cell in each.new)),
            gone=(*self._gone, *(f"{name}.{cell}" for name, each in merged.items() for cell in each.gone)),
            rows=rows,
            reasons=reasons,
        )

"""Between a cell and what PostgreSQL keeps of it: the same comes back to the last character, and sorts alike.

- A text may hold any character but PostgreSQL takes no NUL: U+0000 is written as U+0001 U+0001, and U+0001 as U+0001
  U+0002, which keeps the order and the beginnings of texts.
- An amount is a `numeric`, which keeps the digits behind the point, but neither an exponent above them nor the sign of
  nought: where an amount would come back written differently (`1E+3`, `-0.00`), the column `actum_exact` has it, too.
- A floating-point nought has no sign here either.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from actum.journal.errors import Invalid
from actum.journal.readmodel import Kept
from actum.stores.postgres.arrays import Bigints, Reals, Texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actum.journal.readmodel import Column, Row, Shape, Value

EXACT = "actum_exact"
"""The column for amounts that a `numeric` does not tell exactly: a JSON object by column, almost always missing."""

_PLAIN = re.compile(r"-?[1-9][0-9]*(\.[0-9]+)?|0(\.[0-9]{1,6})?").fullmatch
_AMOUNTS = msgspec.json.Decoder(dict[str, str])


def has_amounts(shape: Shape) -> bool:
    """Whether a table has the column `actum_exact`."""
    return any(column.kept is Kept.AMOUNT for column in shape.columns)


def bound(column: Column, value: Value) -> Value:
    """One cell, for a statement to bind."""
    if value is None:
        return None
    match column.kept:
        case Kept.TEXT:
            return _without_nul(str(value))
        case Kept.REAL:
            return float(value) + 0.0
        case Kept.INTEGER | Kept.AMOUNT:
            return value


def arrays(shape: Shape, rows: Sequence[Row]) -> list[Sequence[Any]]:
    """Rows as one array a column, `actum_exact` included."""
    columns: list[Sequence[Any]] = [
        _array(column, list(cells)) for column, cells in zip(shape.columns, zip(*rows, strict=True), strict=True)
    ]
    if not has_amounts(shape):
        return columns
    inexact: dict[int, dict[str, str]] = {}
    for column, cells in zip(shape.columns, columns, strict=True):
        if column.kept is Kept.AMOUNT:
            for at, cell in enumerate(cells):
                if cell is not None and not _PLAIN(cell) and not _told_exactly(cell):
                    inexact.setdefault(at, {})[column.name] = cell
    return [*columns, Texts(_json(inexact.get(at)) for at in range(len(rows)))]


def keys(shape: Shape, wanted: Sequence[Row]) -> list[Sequence[Any]]:
    """Keys as one array a column; nothing where there are none."""
    if not wanted:
        return []
    return [
        _array(shape.column(name), list(cells))
        for name, cells in zip(shape.key, zip(*wanted, strict=True), strict=True)
    ]


def _array(column: Column, cells: list[Any]) -> list[Any]:
    match column.kept:
        case Kept.TEXT:
            return Texts(None if cell is None else _without_nul(cell) for cell in cells)
        case Kept.REAL:
            return Reals(None if cell is None else cell + 0.0 for cell in cells)
        case Kept.INTEGER:
            return Bigints(cells)
        case Kept.AMOUNT:
            return Texts(cells)


def _told_exactly(amount: str) -> bool:
    """Whether a `numeric` comes back as this very text."""
    try:
        number = Decimal(amount)
    except InvalidOperation as wrong:
        raise Invalid(f"a row cannot be kept in its table: {amount!r:.80} is no amount") from wrong
    sign, _, exponent = number.as_tuple()
    return isinstance(exponent, int) and exponent <= 0 and not (sign and number == 0) and str(number) == amount


def _json(amounts: dict[str, str] | None) -> str | None:
    return None if amounts is None else msgspec.json.encode(amounts).decode()


def rows(shape: Shape, found: Iterable[tuple[Any, ...]]) -> list[Row]:
    """What was found, as cells."""
    texts = [at for at, column in enumerate(shape.columns) if column.kept is Kept.TEXT]
    amounts = [at for at, column in enumerate(shape.columns) if column.kept is Kept.AMOUNT]
    if not amounts:
        return [_row(list(row), texts) if any("\1" in (row[at] or "") for at in texts) else row for row in found]
    return [_with_amounts(shape, list(row), texts, amounts) for row in found]


def _with_amounts(shape: Shape, row: list[Any], texts: list[int], amounts: list[int]) -> Row:
    exact = row.pop()
    told = _AMOUNTS.decode(exact) if exact else {}
    for at in amounts:
        if row[at] is not None:
            row[at] = told.get(shape.columns[at].name) or str(row[at])
    return _row(row, texts)


def _row(row: list[Any], texts: list[int]) -> Row:
    for at in texts:
        if row[at] and "\1" in row[at]:
            row[at] = row[at].replace("\1\1", "\0").replace("\1\2", "\1")
    return tuple(row)


def _without_nul(text: str) -> str:
    if "\0" in text or "\1" in text:
        return text.replace("\1", "\1\2").replace("\0", "\1\1")
    return text

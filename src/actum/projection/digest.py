"""One number for all rows of a table, by which two tables are compared without comparing them row by row."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from actum.journal.readmodel import Order, Row, Selection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.journal.readmodel import ReadDatabase, Shape

STEP = 1000
"""How many rows are read at once."""


def digest_of(database: ReadDatabase, shape: Shape) -> str:
    """The sum of the SHA-256 of every row, as a JSON array of its cells, modulo 2^256, in hexadecimal.

    It does not depend on the order of the rows, and two tables with the same rows have the same.
    """
    total = sum(int.from_bytes(sha256(msgspec.json.encode(row)).digest(), "big") for row in _rows(database, shape))
    return f"{total % 2**256:064x}"


def _rows(database: ReadDatabase, shape: Shape) -> Iterator[Row]:
    orders = tuple(Order(name) for name in shape.key)
    places = [next(at for at, column in enumerate(shape.columns) if column.name == name) for name in shape.key]
    after: Row | None = None
    while True:
        rows = database.select(shape, Selection(orders=orders, after=after, limit=STEP))
        yield from rows
        if len(rows) < STEP:
            return
        after = tuple(rows[-1][place] for place in places)

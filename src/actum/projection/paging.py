"""Pages of rows and the cursors between them.

A cursor names the last row seen by its values, so that rows that come and go do not shift the next page. It is text
to hand out and take back; what comes back is checked like anything from outside.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from actum.journal.errors import Invalid
from actum.journal.foreign import in_64_bits
from actum.journal.readmodel import Kept
from actum.projection.cells import is_amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.journal.readmodel import Column, Row

RowT = TypeVar("RowT")

PLACE = "cursor"
"""What the errors about a cursor name as their place."""

LONGEST_CURSOR = 65536
"""The longest cursor, in characters."""


class Page(msgspec.Struct, Generic[RowT], frozen=True):
    """Some rows, in order, and the cursor behind which the next ones begin; None where there are no more."""

    rows: tuple[RowT, ...]
    next: str | None = None

    def __iter__(self) -> Iterator[RowT]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def cursor_of(row: Row, question: str) -> str:
    """The cursor behind a row: its values in the columns of the order, and a mark of the question it belongs to."""
    text = msgspec.json.encode([_mark(question), *row])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def after(cursor: str, question: str, *, columns: Sequence[Column]) -> Row:
    """The row behind which to go on. `Invalid` for anything but a cursor of this very question."""
    values = _decoded(cursor)
    if not values or values[0] != _mark(question):
        text = "the cursor belongs to another question; use it with the same view, filters and order, or none"
        raise Invalid(text, where=PLACE)
    if len(values) != len(columns) + 1 or not all(map(_fits, values[1:], columns)):
        raise _no_cursor(cursor)
    return tuple(values[1:])


def _decoded(cursor: str) -> Any:
    if not isinstance(cursor, str) or not 0 < len(cursor) <= LONGEST_CURSOR:
        raise _no_cursor(cursor)
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values: Any = msgspec.json.decode(text)
    except (binascii.Error, ValueError, RecursionError) as wrong:
        raise _no_cursor(cursor) from wrong
    if not _is_list(values):
        raise _no_cursor(cursor)
    return values


def _is_list(value: Any) -> bool:
    return type(value) is list


def _no_cursor(cursor: object) -> Invalid:
    text = f"expected a cursor as a page gave it in `next`, found {cursor!r:.60}; leave it out to begin anew"
    return Invalid(text, where=PLACE)


def _mark(question: str) -> str:
    return sha256(question.encode()).hexdigest()[:12]


def _fits(value: Any, column: Column) -> bool:
    """Whether a cell of the column can hold that."""
    if value is None:
        return column.optional
    match column.kept:
        case Kept.TEXT:
            return type(value) is str and "\0" not in value
        case Kept.INTEGER:
            return type(value) is int and in_64_bits(value)
        case Kept.REAL:
            return type(value) in (int, float) and math.isfinite(value)
        case Kept.AMOUNT:
            return type(value) is str and is_amount(value)

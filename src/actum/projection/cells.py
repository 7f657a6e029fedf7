"""Between the fields of a view and the cells of a table: each type has one column type and one way there and back.

str is TEXT; int, bool and enums of int are INTEGER; float is REAL; Decimal is TEXT, to the last digit; datetime is TEXT in UTC
of fixed width, so that it sorts; date, time, UUID and enums of str are TEXT; everything else is JSON as TEXT. None is NULL.
"""

from __future__ import annotations

import math
import operator
import types
import typing
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from actum.journal.errors import Invalid, Misdeclared
from actum.journal.fields import bare, is_pydantic, name_of
from actum.journal.foreign import in_64_bits
from actum.journal.message import decoder_of
from actum.journal.readmodel import Kept, Value

Write: TypeAlias = Callable[[list[Any]], list[Value]]
"""Makes the values of one field, of many rows, into cells."""

Read: TypeAlias = Callable[[Any], Any]
"""Makes one cell into a value."""


class Cell(msgspec.Struct, frozen=True):
    """How one field is kept. No `write` or `read` where the value goes as it is.

    `kind` is the declared type without None. `comparable` says whether its values may be compared with `=`, `ordered`
    whether with `<` too.
    """

    kind: Any
    kept: Kept
    optional: bool = False
    write: Write | None = None
    read: Read | None = None
    comparable: bool = True
    ordered: bool = True

    def bound(self, value: Any) -> Value:
        """One value as a cell."""
        return value if self.write is None else self.write([value])[0]


def cell_of(kind: Any, where: str) -> Cell:
    """The cell of a field of that type. `Misdeclared` where it cannot be kept."""
    inner, optional = _without_none(kind)
    cell = _plain(inner) or _enumerated(inner) or _json(inner, where)
    if not optional:
        return cell
    return msgspec.structs.replace(
        cell, optional=True, write=cell.write and _or_null(cell.write), read=cell.read and _or_none(cell.read)
    )


def _or_null(write: Write) -> Write:
    def written(values: list[Any]) -> list[Value]:
        cells = iter(write([value for value in values if value is not None]))
        return [None if value is None else next(cells) for value in values]

    return written


def _or_none(read: Read) -> Read:
    return lambda value: None if value is None else read(value)


def _without_none(kind: Any) -> tuple[Any, bool]:
    kind = bare(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        parts = [part for part in typing.get_args(kind) if part is not type(None)]
        if len(parts) < len(typing.get_args(kind)):
            return bare(parts[0]) if len(parts) == 1 else typing.Union[tuple(parts)], True  # noqa: UP007
    return kind, False


def _plain(kind: Any) -> Cell | None:
    match kind:
        case type() if kind is str:
            return Cell(kind, Kept.TEXT)
        case type() if kind is int:
            return Cell(kind, Kept.INTEGER, write=_whole)
        case type() if kind is bool:
            return Cell(kind, Kept.INTEGER, write=_each(int), read=bool, ordered=False)
        case type() if kind is float:
            return Cell(kind, Kept.REAL, write=_finite)
        case type() if kind is Decimal:
            return Cell(kind, Kept.AMOUNT, write=_amounts, read=Decimal)
        case type() if kind is datetime:
            return Cell(kind, Kept.TEXT, write=_each(_utc), read=datetime.fromisoformat)
        case type() if kind is date:
            return Cell(kind, Kept.TEXT, write=_each(date.isoformat), read=date.fromisoformat)
        case type() if kind is UUID:
            return Cell(kind, Kept.TEXT, write=_each(str), read=UUID)
        case _:
            return None


def _enumerated(kind: Any) -> Cell | None:
    """Enums and literals by their values, where these are all text or all whole numbers."""
    if typing.get_origin(kind) is typing.Literal:
        values = typing.get_args(kind)
        write, read = None, None
    elif isinstance(kind, type) and issubclass(kind, Enum):
        values = tuple(member.value for member in kind)
        write, read = _each(operator.attrgetter("value")), kind
    else:
        return None
    for type_, kept in ((str, Kept.TEXT), (int, Kept.INTEGER)):
        if values and all(type(value) is type_ for value in values):
            return Cell(kind, kept, write=write, read=read, ordered=False)
    return None


def _json(kind: Any, where: str) -> Cell:
    try:
        decode = decoder_of(kind).decode
    except (TypeError, AttributeError, Misdeclared) as wrong:
        raise Misdeclared(f"{where}: {name_of(kind)} cannot be kept in a table: {wrong}") from wrong

    def write(value: Any) -> str:
        try:
            return _ENCODER.encode(value).decode()
        except (msgspec.MsgspecError, UnicodeError, TypeError, OverflowError) as wrong:
            raise Invalid(f"{where}: {value!r:.80} cannot be kept in a table: {wrong}") from wrong

    return Cell(kind, Kept.TEXT, write=_each(write), read=decode, comparable=False, ordered=False)


def _foreign(value: Any) -> Any:
    if is_pydantic(type(value)):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__qualname__} is not a type that a view can hold")


_ENCODER = msgspec.json.Encoder(
    enc_hook=_foreign, decimal_format="string", uuid_format="canonical", order="deterministic"
)


def _each(write: Callable[[Any], Any]) -> Write:
    return lambda values: list(map(write, values))


def _whole(values: list[Any]) -> list[Value]:
    numbers = list(map(operator.index, values))
    if not (in_64_bits(min(numbers, default=0)) and in_64_bits(max(numbers, default=0))):
        raise Invalid(
            "expected whole numbers of 64 bits, found a longer one; declare a Decimal, which keeps more digits"
        )
    return list(numbers)


def _finite(values: list[Any]) -> list[Value]:
    for value in values:
        if not math.isfinite(value):
            raise Invalid(f"expected a finite number, found {value}; a table cannot hold it")
    return list(map(float, values))


def _amounts(values: list[Any]) -> list[Value]:
    if not all(map(Decimal.is_finite, values)):
        raise Invalid("expected finite amounts, found one that is not; a table cannot hold it")
    return list(map(str, values))


def _utc(value: datetime) -> str:
    if value.tzinfo is None:
        raise Invalid(f"expected a datetime with a time zone, found the naive {value.isoformat()}; say which zone")
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def is_amount(text: str) -> bool:
    """Whether the text is a finite decimal number."""
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False

"""Whether a value is what a type says: msgspec checks what it decodes, but not what is constructed; this does."""

from __future__ import annotations

import math
import operator
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime
from datetime import time as time_of_day
from decimal import Clamped, Context, Decimal, Inexact, Overflow, Subnormal
from typing import Annotated, Any, cast
from uuid import UUID

import msgspec

from actum.journal.errors import Invalid, Misdeclared
from actum.journal.fields import UNIONS, bare, fields_of, is_pydantic, is_record, name_of, once
from actum.journal.foreign import conform_foreign, conform_plain, in_64_bits

MOST_DIGITS = 1000
"""How many digits an amount has, and how many zeros may be before or behind them, at the most. Every database keeps that."""

_UNTYPED = (Any, list, dict)
"""Of whose content nothing is declared."""

_WITHIN = Context(prec=MOST_DIGITS, Emin=-MOST_DIGITS, Emax=MOST_DIGITS, traps=[Clamped, Inexact, Overflow, Subnormal])
"""What does not fit in here raises."""


@once
def checker(cls: type) -> Callable[[Any], None]:
    """The function that raises `Invalid` unless a constructed message holds exactly what its class declares."""
    kinds = fields_of(cls)
    plain = {name: bare(kind) for name, kind in kinds.items() if _is_plain(kind)}
    others = [(name, kind) for name, kind in kinds.items() if name not in plain]
    bounds: dict[type, Callable[[Any], bool]] = {Decimal: _is_amount, int: in_64_bits}
    bounded = [(name, kind, bounds[kind]) for name, kind in plain.items() if kind in bounds]
    read, expected = _reader(tuple(plain)), tuple(plain.values())

    def check(message: Any) -> None:
        if tuple(map(type, read(message))) != expected:
            for name, kind in plain.items():
                conform(getattr(message, name), kind, f"{cls.__name__}.{name}")
        for name, kind, fits in bounded:
            if not fits(getattr(message, name)):
                conform(getattr(message, name), kind, f"{cls.__name__}.{name}")
        for name, kind in others:
            conform(getattr(message, name), kind, f"{cls.__name__}.{name}")

    return check


def _is_amount(value: Decimal) -> bool:
    try:
        return _WITHIN.plus(value).is_finite()
    except ArithmeticError:
        return False


def _is_plain(kind: Any) -> bool:
    """Whether the value's class tells (but for a number that is too long) that it is what was declared."""
    if typing.get_origin(kind) is Annotated and any(isinstance(mark, msgspec.Meta) for mark in kind.__metadata__):
        return False
    return bare(kind) in (str, int, bool, bytes, UUID, Decimal)


def _reader(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if not names:
        return lambda message: ()
    read = operator.attrgetter(*names)
    return read if len(names) > 1 else lambda message: (read(message),)


def conform(value: Any, kind: Any, where: str) -> None:
    """Raise `Invalid`, naming `where`, unless `value` is what the type `kind` says. Exact: an int is no float."""
    origin = typing.get_origin(kind)
    if origin is Annotated:
        conform(value, kind.__origin__, where)
        if any(isinstance(mark, msgspec.Meta) for mark in kind.__metadata__):
            _constrained(value, kind, where)
    elif kind in _UNTYPED:
        conform_plain(value, where)
    elif origin in UNIONS:
        _conform_union(value, typing.get_args(kind), kind, where)
    elif origin is typing.Literal:
        if value not in typing.get_args(kind):
            _nonconforming(where, kind, value)
    elif origin is not None:
        _conform_container(value, origin, typing.get_args(kind), kind, where)
    elif kind is None or kind is type(None):
        if value is not None:
            _nonconforming(where, kind, value)
    elif not isinstance(kind, type):
        raise Misdeclared(f"{where}: {kind!r} is not a type that an event can hold")
    elif (type(value) is not kind and not (isinstance(value, kind) and _open_class(kind))) or (
        kind is date and isinstance(value, datetime)
    ):
        _nonconforming(where, kind, value)
    else:
        _conform_scalar(value, kind, where)


def _open_class(kind: type) -> bool:
    return kind not in (str, int, float, bool, bytes, Decimal, UUID) and not is_record(kind)


def _conform_scalar(value: Any, kind: type, where: str) -> None:
    if kind is Decimal:
        if not _is_amount(value):
            raise Invalid(
                f"{where}: expected a finite amount of at most {MOST_DIGITS:,} digits, "
                f"not beyond 1E+{MOST_DIGITS} or below 1E-{MOST_DIGITS}, found {value!s:.80}",
                where=where,
            )
    elif kind is int:
        if not in_64_bits(value):
            raise Invalid(
                f"{where}: expected a whole number of 64 bits, found one of {value.bit_length() + 1}; "
                "declare a Decimal, which keeps more digits, or a text",
                where=where,
            )
    elif kind is float:
        if not math.isfinite(value):
            raise Invalid(f"{where}: expected a finite number, found {value}", where=where)
    elif kind in (datetime, time_of_day):
        if value.tzinfo is None:
            raise Invalid(
                f"{where}: expected a time with a time zone, found the naive {value.isoformat()}", where=where
            )
    elif kind is not str:
        _conform_inside(value, kind, where)


def _conform_inside(value: Any, kind: type, where: str) -> None:
    if kind in (tuple, set, frozenset):
        for item in value:
            conform_plain(item, where)
    elif is_pydantic(kind):
        conform_foreign(value, kind, where)
    elif is_record(kind):
        checker(kind)(value)
        if hasattr(kind, "__post_init__"):
            conform_foreign(value, kind, where)


def _conform_union(value: Any, parts: tuple[Any, ...], kind: Any, where: str) -> None:
    for part in parts:
        try:
            conform(value, part, where)
        except Invalid:
            if part is not type(None) and type(value) is bare(part):
                raise
        else:
            return
    _nonconforming(where, kind, value)


def _conform_container(value: Any, origin: Any, arguments: tuple[Any, ...], kind: Any, where: str) -> None:
    if not isinstance(origin, type) or not issubclass(type(value), origin):
        _nonconforming(where, kind, value)
    if issubclass(origin, dict) or origin is Mapping:
        for key, item in value.items():
            conform(key, arguments[0], f"{where} key {key!r}")
            conform(item, arguments[1], f"{where}[{key!r}]")
    elif origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        if len(value) != len(arguments):
            _nonconforming(where, kind, value)
        for index, (item, part) in enumerate(zip(cast("tuple[Any, ...]", value), arguments, strict=True)):
            conform(item, part, f"{where}[{index}]")
    elif arguments:
        for index, item in enumerate(value):
            conform(item, arguments[0], f"{where}[{index}]")


def _constrained(value: Any, kind: Any, where: str) -> None:
    try:
        msgspec.convert(msgspec.to_builtins(value), kind, strict=False)
    except msgspec.ValidationError as wrong:
        raise Invalid(f"{where}: {wrong}; found {value!r:.80}", where=where) from wrong


def _nonconforming(where: str, kind: Any, value: Any) -> typing.NoReturn:
    hint = ""
    if kind is Decimal and isinstance(value, float):
        hint = f'; a float has no exact amount, write Decimal("{value}")'
    found = f"{value!r:.80} ({type(value).__name__}){hint}"
    raise Invalid(f"{where}: expected {name_of(kind)}, found {found}", where=where)

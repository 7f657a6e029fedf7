"""Between a message and its JSON, complete and exact; and what of a message can be changed by whoever has it.

msgspec reads a JSON float as a Decimal without a word. That door is closed here, so that what is stored is what was
declared.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Callable
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar, cast
from uuid import UUID

import msgspec

from actum.journal.conforming import checker
from actum.journal.errors import Invalid
from actum.journal.fields import UNIONS, bare, fields_in_words, fields_of, is_record, once
from actum.journal.foreign import ENCODER, reader_of

Message = TypeVar("Message")


def from_json(text: bytes | str, cls: type[Message]) -> Message:
    """A message from outside, as JSON: complete, typed, without unknown fields, without floats where amounts belong.

    Raises `Invalid`, naming the field.
    """
    decoder = decoder_of(cls)
    try:
        made = decoder.decode(text)
        outside = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError) as wrong:
        complaint = str(wrong)
        text = f"{cls.__name__}: {complaint}{_advice(complaint, cls)}"
        raise Invalid(text, where=_place(cls.__name__, complaint)) from wrong
    except RecursionError as wrong:
        raise Invalid(f"{cls.__name__}: the JSON is nested too deeply") from wrong
    _no_float_for_text(outside, msgspec.json.decode(to_json(made)), cls.__name__)
    checker(cls)(made)
    return made


def _place(name: str, complaint: str) -> str | None:
    """Where msgspec found fault: `Object missing required field `x` - at `$.y`` is about `name.y.x`."""
    path = re.search(r"`\$([^`]*)`", complaint)
    field = re.search(r"field `([^`]*)`", complaint)
    place = (path[1] if path else "") + (f".{field[1]}" if field else "")
    return name + place if place else None


def _advice(complaint: str, cls: type) -> str:
    """What msgspec found fault with, it says; this is what to do."""
    if "` - at `$" not in complaint and " field `" in complaint:
        return f"; its fields are {fields_in_words(cls)}"
    if complaint.startswith(("Input data was truncated", "Expected `object`")):
        return f"; expected one whole JSON object with the fields {fields_in_words(cls)}"
    if complaint.startswith("Invalid decimal"):
        return '; write an amount as "12.50"'
    return ""


def _no_float_for_text(found: Any, kept: Any, where: str) -> None:
    """An exact amount is kept as text; where a float came in for one, say so."""
    if isinstance(found, float) and isinstance(kept, str):
        text = f'{where}: a JSON float is no exact amount, found {found!r}; write it as text: "{found}"'
        raise Invalid(text, where=where)
    if isinstance(found, dict) and isinstance(kept, dict):
        for name, value in cast("dict[str, object]", found).items():
            _no_float_for_text(value, cast("dict[str, object]", kept).get(name), f"{where}.{name}")
    elif isinstance(found, list) and isinstance(kept, list):
        pairs = zip(cast("list[object]", found), cast("list[object]", kept), strict=False)
        for index, (one, other) in enumerate(pairs):
            _no_float_for_text(one, other, f"{where}[{index}]")


@once
def copier(cls: type) -> Callable[[Any], Any] | None:
    """How to make a copy of a message that nobody else has; None where nothing in one of that class can be changed."""
    if _lasts(cls, (*_LASTING, datetime, time_of_day)):
        return None
    return lambda message: reader_of(cls).decode(to_json(message))


@once
def changes_inside(cls: type) -> bool:
    """Whether something that a field of that class holds can be changed without the field being set."""
    return not all(_lasts(kind, (*_LASTING, datetime, time_of_day)) for kind in fields_of(cls).values())


@once
def comes_back_alike(cls: type) -> bool:
    """Whether a message cannot be told from the one that is read from its bytes, now or later.

    A list can be changed by whoever made it, and a moment comes back without the name of its zone.
    """
    return _lasts(cls, _LASTING)


_LASTING = (str, int, float, bool, bytes, Decimal, UUID, date, timedelta, type(None))


def _lasts(kind: Any, leaves: tuple[type, ...], within: tuple[Any, ...] = ()) -> bool:
    """Whether a value of the type is built of these alone and of what cannot be changed."""
    kind = bare(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in leaves or kind is None or origin is typing.Literal or kind in within:
        return True
    if origin in UNIONS or origin in (tuple, frozenset):
        return all(part is Ellipsis or _lasts(part, leaves, within) for part in arguments)
    if isinstance(kind, msgspec.StructMeta):
        frozen: bool = kind.__struct_config__.frozen
    elif is_record(kind):
        frozen = kind.__dataclass_params__.frozen
    else:
        return isinstance(kind, type) and issubclass(kind, Enum)
    return frozen and all(_lasts(part, leaves, (*within, kind)) for part in fields_of(kind).values())


def to_json(message: object) -> bytes:
    """The message as JSON, in the order of its fields; amounts as text."""
    try:
        return ENCODER.encode(message)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError) as wrong:
        raise Invalid(f"{type(message).__name__} cannot be written as JSON: {wrong}") from wrong


def decoder_of(cls: type[Message]) -> msgspec.json.Decoder[Message]:
    """The decoder of a message class. `Misdeclared` where a field's type cannot be read from JSON."""
    return reader_of(cls)

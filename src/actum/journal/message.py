"""Between a message and its JSON, complete and exact; and what of a message can be changed by whoever has it.

msgspec reads a JSON float as a Decimal without a word. That door is closed here, so that what is stored is what was
declared.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar, cast
from uuid import UUID

import msgspec

from actum.journal.conforming import checker
from actum.journal.decoders import FIRST_USE
from actum.journal.errors import Invalid, Misdeclared
from actum.journal.fields import UNIONS, bare, fields_of, is_pydantic, is_record, once

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
        raise Invalid(f"{cls.__name__}: {wrong}", where=_place(cls.__name__, str(wrong))) from wrong
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
    return lambda message: _decoder_of(cls).decode(to_json(message))


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
        return _ENCODER.encode(message)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError) as wrong:
        raise Invalid(f"{type(message).__name__} cannot be written as JSON: {wrong}") from wrong


def decoder_of(cls: type[Message]) -> msgspec.json.Decoder[Message]:
    """The decoder of a message class. `Misdeclared` where a field's type cannot be read from JSON."""
    return _decoder_of(cls)


@once
def _decoder_of(cls: type) -> msgspec.json.Decoder[Any]:
    try:
        with FIRST_USE:
            _check_storable(cls)
            return msgspec.json.Decoder(cls, dec_hook=_decode_foreign)
    except TypeError as wrong:
        raise Misdeclared(f"{cls.__qualname__} cannot be stored: {wrong}") from wrong


def _check_storable(cls: type) -> None:
    """`Misdeclared` where a field is of a class that can neither be written as JSON nor read back."""
    import msgspec.inspect  # noqa: PLC0415 - asked only when something is declared

    for foreign in _foreign_classes(msgspec.inspect.type_info(cls), set()):
        if not is_pydantic(foreign):
            raise Misdeclared(
                f"{cls.__qualname__}: {foreign.__qualname__} is not a type that an event can hold; use a struct, a "
                "dataclass, a Pydantic model, or one of the types that msgspec knows"
            )


def _foreign_classes(info: object, seen: set[int]) -> Iterator[type]:
    import msgspec.inspect  # noqa: PLC0415 - asked only when something is declared

    if id(info) in seen:
        return
    seen.add(id(info))
    if isinstance(info, msgspec.inspect.CustomType):
        yield info.cls
    elif isinstance(info, tuple):
        for part in cast("tuple[object, ...]", info):
            yield from _foreign_classes(part, seen)
    elif isinstance(info, msgspec.inspect.Type | msgspec.inspect.Field):
        for name in info.__struct_fields__:
            yield from _foreign_classes(getattr(info, name), seen)


def _encode_foreign(value: Any) -> Any:
    if is_pydantic(type(value)):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__qualname__} is not a type that an event can hold")


def _decode_foreign(kind: type, value: Any) -> Any:
    if is_pydantic(kind):
        model: Any = kind
        return model.model_validate(value)
    raise Misdeclared(f"{kind.__qualname__} is not a type that an event can hold")


_ENCODER = msgspec.json.Encoder(enc_hook=_encode_foreign, decimal_format="string", uuid_format="canonical")

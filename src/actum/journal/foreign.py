"""A value as JSON and back, also of classes that msgspec does not know, and whether it comes back as it was.

msgspec and Pydantic check what they read, and not what has been changed since. What is stored must be read again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from actum.journal.decoders import FIRST_USE
from actum.journal.errors import Invalid, Misdeclared
from actum.journal.fields import is_pydantic, name_of, once


def _encode_foreign(value: Any) -> Any:
    """What is written of a model. `TypeError` for anything else, as msgspec asks for it."""
    if is_pydantic(type(value)):
        return value.model_dump(mode="json", warnings=False)
    raise TypeError(f"{type(value).__qualname__} is not a type that an event can hold")


def _decode_foreign(kind: type, value: Any) -> Any:
    """The model of what was written. `ValueError`, in one sentence, where it would not have it."""
    if not is_pydantic(kind):
        raise Misdeclared(f"{kind.__qualname__} is not a type that an event can hold")
    model: Any = kind
    try:
        return model.model_validate(value)
    except ValueError as wrong:
        raise ValueError(_in_one_sentence(wrong)) from wrong


def _in_one_sentence(wrong: ValueError) -> str:
    """What Pydantic found, without its lines and links."""
    errors: Any = getattr(wrong, "errors", None)
    if errors is None:
        return str(wrong)
    return "; ".join(
        f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}, found {one['input']!r:.80}" for one in errors()
    )


ENCODER = msgspec.json.Encoder(enc_hook=_encode_foreign, decimal_format="string", uuid_format="canonical")
"""Writes a value in the order of its fields, amounts as text."""


@once
def reader_of(cls: type) -> msgspec.json.Decoder[Any]:
    """The decoder of a class. `Misdeclared` where a field's type cannot be read from JSON."""
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


def conform_foreign(value: Any, kind: type, where: str) -> None:
    """A value whose class has rules of its own must still keep them: it may have been changed since it was made.

    Raises `Invalid`, naming `where`.
    """
    try:
        stored = ENCODER.encode(value)
        back = reader_of(kind).decode(stored)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError) as wrong:
        raise Invalid(
            f"{where}: expected what {name_of(kind)} allows, found otherwise: {wrong}", where=where
        ) from wrong
    if back != value and ENCODER.encode(back) != stored:
        raise Invalid(
            f"{where}: expected what comes back alike, found {value!r:.80}, read as {back!r:.80}", where=where
        )


def in_64_bits(number: int) -> bool:
    """Whether a whole number is one that every database keeps."""
    return -(2**63) <= number < 2**63


def conform_plain(value: object, where: str) -> None:
    """Raise `Invalid`, naming `where`, unless it is what JSON itself has: all that can come back without its type."""
    if type(value) is list:
        for index, item in enumerate(cast("list[object]", value)):
            conform_plain(item, f"{where}[{index}]")
    elif type(value) is dict:
        for key, item in cast("dict[object, object]", value).items():
            if type(key) is not str:
                _no_json(key, f"{where} key {key!r}")
            conform_plain(item, f"{where}[{key!r}]")
    elif type(value) is int:
        if not in_64_bits(value):
            raise Invalid(
                f"{where}: expected a whole number of 64 bits, found one of {value.bit_length() + 1}", where=where
            )
    elif type(value) not in (str, float, bool, type(None)) or (type(value) is float and not math.isfinite(value)):
        _no_json(value, where)


def _no_json(value: object, where: str) -> None:
    kind = type(value).__name__
    raise Invalid(
        f"{where}: expected what JSON has, since no type is declared, found {value!r:.80} ({kind}), which would come "
        f"back as something else; declare the field as {kind}",
        where=where,
    )

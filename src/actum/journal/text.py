"""One value of a message from text, as a command line or the address of a page has it: `amount=12.50`."""

from __future__ import annotations

import typing
from typing import Any

import msgspec

from actum.journal.errors import Invalid
from actum.journal.fields import bare, name_of


def value_of(text: str, kind: Any, where: str) -> msgspec.Raw:
    """The JSON of a value of that type. A list or a nested record is JSON already. `Invalid` where it does not fit."""
    utf8(text)
    if is_nested(kind) and text[:1] in ("[", "{"):
        return msgspec.Raw(text.encode())
    try:
        value = msgspec.convert(text, _reading(kind), strict=False)
        return msgspec.Raw(_ENCODER.encode(value))
    except (msgspec.ValidationError, ValueError, OverflowError) as wrong:
        raise Invalid(f"{where}: expected {name_of(bare(kind))}, found {text!r:.80}: {wrong}", where=where) from wrong
    except TypeError:
        # A type that only its own library can make of text: the message's decoder will.
        return msgspec.Raw(msgspec.json.encode(text))


def is_nested(kind: Any) -> bool:
    """Whether values of the type are lists, mappings or records, and so have no other text than JSON."""
    kind = bare(kind)
    if kind is str:
        return False
    origin = typing.get_origin(kind)
    if origin is typing.Union or type(kind).__name__ == "UnionType":
        return any(is_nested(part) for part in typing.get_args(kind)) and str not in typing.get_args(kind)
    return origin in (list, tuple, set, frozenset, dict) or isinstance(kind, type)


def utf8(text: str) -> str:
    """The text itself; `Invalid` where it cannot be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as wrong:
        raise Invalid(f"this is no UTF-8: {text!r:.80}") from wrong
    return text


def _reading(kind: Any) -> Any:
    """The type without what only says which tag it declares: its limits stay."""
    return kind if typing.get_origin(kind) is not None else bare(kind)


_ENCODER = msgspec.json.Encoder(decimal_format="string")

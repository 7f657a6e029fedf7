"""An example of every type: what a page of documentation shows, and what is accepted as it stands."""

from __future__ import annotations

import types
import typing
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec

from actum.journal.fields import bare, fields_of, is_record, tag_declared

_SCALARS: dict[Any, Any] = {
    str: "text",
    int: 1,
    bool: True,
    float: 1.5,
    Decimal: "12.50",
    bytes: "AAAA",
    UUID: "018f4b5e-7c44-7b0e-9d5e-acf1a2b3c4d5",
    datetime: "2026-01-31T12:00:00Z",
    date: "2026-01-31",
    time: "12:00:00Z",
}


def example_of(kind: Any) -> Any:
    """A value of that type, as JSON has it. Only what must be there, where a record has fields with defaults."""
    tag = tag_declared(kind)
    plain = bare(kind)
    if tag is not None and plain is str:
        return f"{tag.name}-1"
    if plain in _SCALARS:
        return _SCALARS[plain]
    if is_enum(plain):
        cls: type[Enum] = plain
        return next(iter(cls)).value
    if is_record(plain):
        return {name: example_of(fields_of(plain)[name]) for name in _needed(plain)}
    return _composed(plain)


def is_enum(kind: object) -> bool:
    """Whether its values are listed."""
    return isinstance(kind, type) and issubclass(kind, Enum)


def _needed(cls: type) -> list[str]:
    """The fields that have no default."""
    whole = list(fields_of(cls))
    if not issubclass(cls, msgspec.Struct):
        return whole
    return [field.name for field in msgspec.structs.fields(cls) if field.required]


def _composed(kind: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return example_of(next(part for part in arguments if part is not type(None)))
    if origin is typing.Literal:
        return arguments[0]
    if origin is tuple and arguments and arguments[-1] is not Ellipsis:
        return [example_of(part) for part in arguments]
    if origin in (list, tuple, set, frozenset) and arguments:
        return [example_of(arguments[0])]
    return {} if origin is dict or kind is dict else None

"""What a class of states or a function does, in few bytes: others whenever it may do something else, on every Python the same.

It goes by the text of the functions, those of the same program that they call, and the types and defaults of the fields. Not
by comments, layout or docstrings, nor by where a module lies.
"""

from __future__ import annotations

import types
import typing
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec

from actum.decision import source
from actum.journal.event import Tag
from actum.journal.fields import fields_of, is_record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actum.journal.event import Event


def digest_of(*parts: object) -> bytes:
    """16 bytes that stand for these texts and numbers."""
    return sha256(repr(parts).encode("utf-8", "backslashreplace")).digest()[:16]


def of_fold(cls: Any, events: tuple[type[Event], ...]) -> bytes:
    """Of a fold: its name and version, its fields and what they may hold, its events, and what `evolve` does."""
    kinds = sorted(str(event.__kind__) for event in events)
    code = source.codes_of(cls.evolve, owners=(cls, *events))
    return digest_of(cls.__name__, cls.__fold_version__, _record(cls, ()), kinds, code)


def of_function(*functions: Any, about: Iterable[object]) -> bytes:
    """Of functions: what they do, and whatever else is said `about` them."""
    return digest_of(*about, [source.codes_of(each, owners=_owner_of(each)) for each in functions])


def _owner_of(function: Any) -> tuple[type, ...]:
    bound_to: Any = getattr(function, "__self__", None)
    return () if bound_to is None else (bound_to.__class__,)


def schema_of(kind: Any, within: tuple[Any, ...] = ()) -> str:
    """What values of a type are: as its author would write it, and what the classes in it hold."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        marks = [_mark(mark) for mark in kind.__metadata__ if isinstance(mark, Tag | msgspec.Meta)]
        return " ".join([schema_of(kind.__origin__, within), *marks])
    if origin is typing.Literal:
        return f"Literal{sorted(map(repr, arguments))}"
    if origin in (typing.Union, types.UnionType):
        return " | ".join(schema_of(part, within) for part in arguments)
    if origin is not None:
        inner = ", ".join("..." if part is Ellipsis else schema_of(part, within) for part in arguments)
        return f"{_name(origin)}[{inner}]"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"{kind.__name__}{[(each.name, repr(each.value)) for each in kind]}"
    return _record(kind, within) if is_record(cast("object", kind)) else _name(kind)


def _record(cls: Any, within: tuple[Any, ...]) -> str:
    if cls in within:
        return str(cls.__name__)
    within = (*within, cls)
    defaults = _defaults(cls)
    fields = [f"{name}: {schema_of(kind, within)}{defaults.get(name, '')}" for name, kind in fields_of(cls).items()]
    return f"{cls.__name__}({', '.join(fields)})"


def _defaults(cls: Any) -> dict[str, str]:
    if not issubclass(cls, msgspec.Struct):
        return {}
    fields = msgspec.structs.fields(cls)
    return {field.name: _default(field) for field in fields if not field.required}


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is msgspec.NODEFAULT:
        return f" = {_name(field.default_factory)}()"
    try:
        return f" = {_ENCODER.encode(field.default).decode()}"
    except (msgspec.MsgspecError, TypeError, ValueError):
        return f" = {_name(type(field.default))}"


def _mark(mark: Tag | msgspec.Meta) -> str:
    if isinstance(mark, Tag):
        return f"Tag({mark.name})"
    bounds = ((name, getattr(mark, name)) for name in _BOUNDS)
    return f"Meta({', '.join(f'{name}={value!r}' for name, value in bounds if value is not None)})"


def _name(kind: Any) -> str:
    return str(getattr(kind, "__qualname__", None) or kind)


_BOUNDS = ("gt", "ge", "lt", "le", "multiple_of", "pattern", "min_length", "max_length", "tz")
"""What a mark says of the values; the rest is for people."""

_ENCODER = msgspec.json.Encoder(decimal_format="string", order="deterministic")

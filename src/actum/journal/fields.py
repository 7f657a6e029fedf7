"""What the types of a message class say: its fields, which of them are identities, and what a type is called."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, cast

import msgspec

from actum.journal.errors import Misdeclared
from actum.journal.event import Tag

Result = TypeVar("Result")

UNIONS = (typing.Union, types.UnionType)
"""What stands between the parts of a union, however it was written."""


def once(derive: Callable[[type], Result]) -> Callable[[type], Result]:
    """Derived once from each class: `functools.cache`, in a type that both type checkers accept classes for."""
    return functools.cache(derive)


@once
def fields_of(cls: type) -> dict[str, Any]:
    """The fields of a struct or dataclass and their types, annotations kept. `Misdeclared` where a type cannot be found."""
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except Exception as wrong:
        raise Misdeclared(f"{cls.__qualname__}: a field's type cannot be resolved: {wrong}") from wrong
    if issubclass(cls, msgspec.Struct):
        return {name: hints[name] for name in cls.__struct_fields__}
    from dataclasses import fields  # noqa: PLC0415 - dear to import, and whoever has a dataclass has it already

    return {field.name: hints[field.name] for field in fields(cast("Any", cls))}


def is_record(kind: object) -> bool:
    """Whether this is a class whose fields we can look into: a struct or a dataclass."""
    return isinstance(kind, msgspec.StructMeta) or (isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"))


def is_pydantic(kind: Any) -> bool:
    """Whether this is a Pydantic model: known by its manners, so that Pydantic need not be installed."""
    return isinstance(kind, type) and hasattr(kind, "model_validate") and hasattr(kind, "model_dump")


def bare(kind: Any) -> Any:
    """The type without its annotations."""
    return kind.__origin__ if typing.get_origin(kind) is Annotated else kind


def name_of(kind: Any) -> str:
    """A type as its author wrote it, near enough to recognise."""
    return kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else str(kind).replace("typing.", "")


def tag_declared(kind: Any) -> Tag | None:
    """The tag that an identity type declares: that of `Annotated[str, Tag("account")]`, also when it is optional."""
    if typing.get_origin(kind) is Annotated:
        return next((mark for mark in kind.__metadata__ if isinstance(mark, Tag)), None)
    if typing.get_origin(kind) in UNIONS:
        tags = {tag: None for part in typing.get_args(kind) if (tag := tag_declared(part))}
        if len(tags) > 1:
            names = " or ".join(repr(tag.name) for tag in tags)
            raise Misdeclared(f"a field cannot be an identity of {names}: nobody could tell which; make it two fields")
        return next(iter(tags), None)
    return None


def identities(cls: type) -> dict[str, Tag]:
    """The fields of a class that are themselves identities, and the tags they declare."""
    return {name: tag for name, kind in fields_of(cls).items() if (tag := tag_declared(kind))}


def fields_in_words(cls: type) -> str:
    """The fields of a class of messages and their types, as one would say them."""
    return ", ".join(f"{name} ({name_of(bare(kind))})" for name, kind in fields_of(cls).items()) or "none"

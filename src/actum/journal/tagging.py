"""The tags of a message, read from its identities wherever in it they stand."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from actum.journal.event import Tag
from actum.journal.fields import UNIONS, bare, fields_of, is_record, once, tag_declared

TagsOf: TypeAlias = Callable[[Any], Iterable[str]]


@once
def tagger(cls: type) -> Callable[[Any], tuple[str, ...]]:
    """The function that says which tags a message of that class carries, in order of its fields, each once."""
    readers = [(name, reader) for name, kind in fields_of(cls).items() if (reader := _tags_in(kind))]
    if not readers:
        return lambda message: ()
    present = [(name, kind) for name, kind in fields_of(cls).items() if bare(kind) in (str, int, UUID)]
    certain = [(name, tag_of(tag)) for name, kind in present if (tag := tag_declared(kind))]
    if len(certain) == len(readers):
        return _certain_tags(certain)

    def tags(message: Any) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tag for name, read in readers for tag in read(getattr(message, name))))

    return tags


def _certain_tags(readers: list[tuple[str, Callable[[Any], str]]]) -> Callable[[Any], tuple[str, ...]]:
    """The tags of a message whose identities are never missing: the usual case, and the fast one."""
    if len(readers) == 1:
        ((only, read),) = readers
        return lambda message: (read(getattr(message, only)),)
    if len(readers) == 2:
        (first, read_first), (second, read_second) = readers

        def pair(message: Any) -> tuple[str, ...]:
            one, other = read_first(getattr(message, first)), read_second(getattr(message, second))
            return (one, other) if one != other else (one,)

        return pair
    return lambda message: tuple(dict.fromkeys([read(getattr(message, name)) for name, read in readers]))


def _tags_in(kind: Any, within: tuple[Any, ...] = ()) -> TagsOf | None:
    if kind in within:
        return None
    declared = tag_declared(kind)
    if declared:
        return _identity_reader(declared)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return _tags_in(arguments[0], within)
    if origin in UNIONS:
        readers = [(_class_of(part), reader) for part in arguments if (reader := _tags_in(part, within))]
        return (
            (lambda value: next((read(value) for cls, read in readers if isinstance(value, cls)), ()))
            if readers
            else None
        )
    if origin in (list, tuple, set, frozenset) and arguments:
        each = _tags_in(arguments[0], within)
        return (lambda values: (tag for value in values or () for tag in each(value))) if each else None
    if is_record(kind):
        inner = [
            (name, reader) for name, part in fields_of(kind).items() if (reader := _tags_in(part, (*within, kind)))
        ]
        return (lambda value: (tag for name, read in inner for tag in read(getattr(value, name)))) if inner else None
    return None


def _class_of(kind: Any) -> type:
    """The class that values of a type have at run time."""
    found: type = typing.get_origin(bare(kind)) or bare(kind)
    return found


def _identity_reader(tag: Tag) -> TagsOf:
    read = tag_of(tag)
    return lambda value: () if value is None else (read(value),)


def tag_of(tag: Tag) -> Callable[[Any], str]:
    """As `Tag.of`, but for what whoever stores or asks for a tag checks anyway."""
    beginning = f"{tag.name}:"

    def read(value: Any) -> str:
        return f"{beginning}{value}" if value != "" else tag.of(value)

    return read

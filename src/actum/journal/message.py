"""What can be known of a message class from its types alone: its tags, whether a value conforms, how to read its JSON.

Messages are msgspec structs. msgspec checks what it decodes, but not what is constructed; and it reads a JSON float
as a Decimal without a word. Both doors are closed here, so that what is stored is what was declared.
"""

from __future__ import annotations

import functools
import math
import operator
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Clamped, Context, Decimal, Inexact, Overflow, Subnormal
from enum import Enum
from typing import Annotated, Any, TypeAlias, TypeVar, cast
from uuid import UUID

import msgspec

from actum.journal.decoders import FIRST_USE
from actum.journal.errors import Invalid, Misdeclared
from actum.journal.event import Tag

Message = TypeVar("Message")
TagsOf: TypeAlias = Callable[[Any], Iterable[str]]

Result = TypeVar("Result")

MOST_DIGITS = 1000
"""How many digits an amount has, and how many zeros may be before or behind them, at the most. Every database keeps that."""

_WITHIN = Context(prec=MOST_DIGITS, Emin=-MOST_DIGITS, Emax=MOST_DIGITS, traps=[Clamped, Inexact, Overflow, Subnormal])
"""What does not fit in here raises."""


def in_64_bits(number: int) -> bool:
    """Whether a whole number is one that every database keeps."""
    return -(2**63) <= number < 2**63


_UNIONS = (typing.Union, types.UnionType)


def _once(derive: Callable[[type], Result]) -> Callable[[type], Result]:
    """Derived once from each class: `functools.cache`, in a type that both type checkers accept classes for."""
    return functools.cache(derive)


@_once
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


def tag_declared(kind: Any) -> Tag | None:
    """The tag that an identity type declares: that of `Annotated[str, Tag("account")]`, also when it is optional."""
    if typing.get_origin(kind) is Annotated:
        return next((mark for mark in kind.__metadata__ if isinstance(mark, Tag)), None)
    if typing.get_origin(kind) in _UNIONS:
        tags = {tag: None for part in typing.get_args(kind) if (tag := tag_declared(part))}
        if len(tags) > 1:
            names = " or ".join(repr(tag.name) for tag in tags)
            raise Misdeclared(f"a field cannot be an identity of {names}: nobody could tell which; make it two fields")
        return next(iter(tags), None)
    return None


def identities(cls: type) -> dict[str, Tag]:
    """The fields of a class that are themselves identities, and the tags they declare."""
    return {name: tag for name, kind in fields_of(cls).items() if (tag := tag_declared(kind))}


@_once
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
    if origin in _UNIONS:
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


@_once
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
    elif kind is Any or kind is object:
        return
    elif origin in _UNIONS:
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
    return kind not in (str, int, float, bool, bytes, Decimal, UUID)


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
    elif kind is str:
        return
    elif is_record(kind):
        checker(value.__class__)(value)


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


def name_of(kind: Any) -> str:
    """A type as its author wrote it, near enough to recognise."""
    return kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else str(kind).replace("typing.", "")


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


@_once
def copier(cls: type) -> Callable[[Any], Any] | None:
    """How to make a copy of a message that nobody else has; None where nothing in one of that class can be changed."""
    if _lasts(cls, (*_LASTING, datetime, time_of_day)):
        return None
    return lambda message: _decoder_of(cls).decode(to_json(message))


@_once
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
    if origin in _UNIONS or origin in (tuple, frozenset):
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


@_once
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

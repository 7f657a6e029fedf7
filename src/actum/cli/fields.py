"""A message from the words of a command line: `account=A-1 amount=12.50`, or one JSON object."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from actum.journal.errors import Invalid
from actum.journal.message import bare, fields_of, from_json, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

MessageT = TypeVar("MessageT")


def message_from(cls: type[MessageT], words: Sequence[str], *, json: str | None) -> MessageT:
    """The message, complete and typed as its class demands. `Invalid` names the word or field that does not fit.

    A value for a list or a nested record is JSON. One word that begins with a brace is the whole message as JSON.
    """
    if json is None and len(words) == 1 and words[0].startswith("{"):
        json, words = words[0], ()
    if json is not None:
        if words:
            raise Invalid("give the fields as key=value or all of them as one JSON object, not both")
        return from_json(_utf8(json), cls)
    kinds = fields_of(cls)
    said: dict[str, msgspec.Raw] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise Invalid(f"expected field=value, found {word!r}; the fields of {cls.__name__} are {_listed(kinds)}")
        if name not in kinds:
            raise Invalid(f"{cls.__name__} has no field {name!r}; its fields are {_listed(kinds)}")
        if name in said:
            raise Invalid(f"{cls.__name__}.{name} is given twice")
        said[name] = _value(text, kinds[name], f"{cls.__name__}.{name}")
    return from_json(msgspec.json.encode(said), cls)


def _listed(kinds: dict[str, Any]) -> str:
    return ", ".join(f"{name} ({name_of(bare(kind))})" for name, kind in kinds.items()) or "none"


def _value(text: str, kind: Any, where: str) -> msgspec.Raw:
    """The JSON of one value."""
    _utf8(text)
    if _nested(bare(kind)) and text[:1] in ("[", "{"):
        return msgspec.Raw(text.encode())
    try:
        value = msgspec.convert(text, _reading(kind), strict=False)
        return msgspec.Raw(_ENCODER.encode(value))
    except (msgspec.ValidationError, ValueError, OverflowError) as wrong:
        raise Invalid(f"{where}: expected {name_of(bare(kind))}, found {text!r:.80}: {wrong}") from wrong
    except TypeError:
        # A type that only its own library can make of text: the message's decoder will.
        return msgspec.Raw(msgspec.json.encode(text))


def _reading(kind: Any) -> Any:
    """The type without what only says which tag it declares: its limits stay."""
    return kind if typing.get_origin(kind) is not None else bare(kind)


def _nested(kind: Any) -> bool:
    if kind is str:
        return False
    origin = typing.get_origin(kind)
    if origin is typing.Union or type(kind).__name__ == "UnionType":
        return any(_nested(bare(part)) for part in typing.get_args(kind)) and str not in typing.get_args(kind)
    return origin in (list, tuple, set, frozenset, dict) or isinstance(kind, type)


def _utf8(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as wrong:
        raise Invalid(f"this is no UTF-8: {text!r:.80}") from wrong
    return text


_ENCODER = msgspec.json.Encoder(decimal_format="string")

"""A message from the words of a command line: `account=A-1 amount=12.50`, or one JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from actum.journal.errors import Invalid
from actum.journal.fields import fields_in_words, fields_of
from actum.journal.message import from_json
from actum.journal.text import utf8, value_of

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
        return from_json(utf8(json), cls)
    kinds = fields_of(cls)
    said: dict[str, msgspec.Raw] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise Invalid(
                f"expected field=value, found {word!r}; the fields of {cls.__name__} are {fields_in_words(cls)}"
            )
        if name not in kinds:
            raise Invalid(f"{cls.__name__} has no field {name!r}; its fields are {fields_in_words(cls)}")
        if name in said:
            raise Invalid(f"{cls.__name__}.{name} is given twice")
        said[name] = value_of(text, kinds[name], f"{cls.__name__}.{name}")
    return from_json(msgspec.json.encode(said), cls)

"""JSON Schema of the types of an application, sharp enough that what it allows is accepted.

msgspec describes the shapes; this adds what actum's doors demand beyond: amounts in plain digits, whole numbers of 64 bits, times with a zone,
identities that are not empty and fit into a tag.
"""

from __future__ import annotations

import typing
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec

from actum.journal.fields import bare, fields_of, is_pydantic, is_record, tag_declared

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMA = dict[str, Any]

AMOUNT = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
"""An amount in digits."""

TEXT = r"^[^\x00-\x1f\x7f-\x9f]+$"
"""A text without control characters, and not empty: what a tag can hold."""


MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$"
"""A time with its zone (RFC 3339)."""

TIME: SCHEMA = {"type": "string", "format": "date-time", "pattern": MOMENT, "minLength": 20}

WHOLE: SCHEMA = {"minimum": -(2**63), "maximum": 2**63 - 1}
"""A whole number of 64 bits."""


class Schemas:
    """The schemas of many types, those of records by name."""

    def __init__(self, types: Iterable[Any]) -> None:
        self._types = list(dict.fromkeys(types))
        schemas, components = msgspec.json.schema_components(
            self._types, schema_hook=_foreign, ref_template="#/components/schemas/{name}"
        )
        self._schemas = dict(zip(map(repr, self._types), map(_sharpened, schemas), strict=True))
        self.components: dict[str, SCHEMA] = {name: _sharpened(schema) for name, schema in components.items()}
        for kind in self._types:
            self._date(kind)

    def of(self, kind: Any) -> SCHEMA:
        """The schema of one of the types."""
        found: SCHEMA = self._schemas[repr(kind)]
        return found

    def field(self, cls: type[msgspec.Struct], name: str) -> SCHEMA:
        """The schema of one field of a record, as a value of its own."""
        schema = {**self.components[self._name(cls)]["properties"][name]}
        schema.pop("default", None)
        return schema

    def _name(self, cls: type) -> str:
        reference: str = self._schemas[repr(cls)]["$ref"]
        return reference.rpartition("/")[2]

    def _date(self, cls: Any) -> None:
        """Say which texts are times: msgspec does so only where a zone is demanded by the type."""
        for part in records_in(cls):
            properties = self.components.get(part.__name__, {}).get("properties", {})
            for name, kind in fields_of(part).items():
                if name in properties:
                    properties[name] = _dated(properties[name], bare(kind))

    def demand_identities(self, cls: type) -> None:
        """Say of a message that its identities, also those of its parts, cannot be empty."""
        for part in records_in(cls):
            properties = self.components.get(part.__name__, {}).get("properties", {})
            for name, kind in fields_of(part).items():
                if tag_declared(kind) is not None and properties.get(name, {}).get("type") == "string":
                    properties[name] = {"pattern": TEXT, "minLength": 1} | properties[name]


def _dated(schema: SCHEMA, kind: Any) -> SCHEMA:
    """The schema of a value of that type, where it is a time, may be one, or is a list of them."""
    if kind is datetime:
        return schema | TIME
    arguments = typing.get_args(kind)
    if datetime in arguments and "anyOf" in schema:
        return schema | {"anyOf": [TIME if part == {"type": "string"} else part for part in schema["anyOf"]]}
    if arguments[:1] == (datetime,) and "items" in schema:
        return schema | {"items": TIME}
    return schema


def records_in(kind: Any, seen: frozenset[Any] = frozenset()) -> set[type]:
    """The records that a type is made of, itself among them."""
    if is_record(kind):
        inner = {
            part for field in fields_of(kind).values() if kind not in seen for part in records_in(field, seen | {kind})
        }
        return {kind, *inner}
    return {part for argument in typing.get_args(kind) for part in records_in(argument, seen)}


def _foreign(kind: type) -> SCHEMA:
    """Of a Pydantic model; of anything else, what can be said without knowing it."""
    model: Any = kind
    schema: SCHEMA = model.model_json_schema() if is_pydantic(kind) else {}
    return schema


def _sharpened(schema: Any) -> Any:
    """The schema with what msgspec leaves open."""
    match schema:
        case [*parts]:
            return [_sharpened(part) for part in parts]
        case dict():
            return _sharper(cast("SCHEMA", schema))
        case _:
            return schema


def _sharper(schema: SCHEMA) -> SCHEMA:
    made = {name: _sharpened(part) for name, part in schema.items()}
    if made.get("format") == "decimal":
        made |= {"type": ["string", "integer"], "pattern": AMOUNT}
    elif made.get("format") == "date-time":
        made |= TIME
    elif made.get("type") == "integer":
        made = WHOLE | made
    return made

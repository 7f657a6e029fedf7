"""What routes take, as OpenAPI's Parameter Objects: those that many have, and how one is made."""

from __future__ import annotations

from typing import Any

from actum.http.parameters import CONTROLS
from actum.http.schemas import SCHEMA, TEXT, TIME
from actum.journal.event import LAST_POSITION, LONGEST_TYPE
from actum.journal.metadata import LONGEST_TEXT


def parameter(name: str, schema: SCHEMA, *, required: bool = False, about: str = "") -> dict[str, Any]:
    """One in the query string."""
    made: dict[str, Any] = {"name": name, "in": "query", "required": required, "schema": schema}
    return made | ({"description": about} if about else {})


def segment(schema: SCHEMA) -> SCHEMA:
    """The schema of an identity that is part of an address."""
    return {"pattern": TEXT, "minLength": 1} | schema if schema.get("type") == "string" else schema


def _several(schema: SCHEMA) -> SCHEMA:
    return {"type": "array", "items": schema}


def path(name: str, schema: SCHEMA, about: str, example: str) -> dict[str, Any]:
    """One in the address itself."""
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": about, "example": example}


def header(name: str, schema: SCHEMA, about: str) -> dict[str, Any]:
    """One that a request may carry as a header."""
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": about}


UUID = "018f4b5e-7c44-7b0e-9d5e-acf1a2b3c4d5"
"""An example of one."""

_POSITION: SCHEMA = {"type": "integer", "minimum": 0, "maximum": LAST_POSITION}
_WORD: SCHEMA = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}
_UUIDS: SCHEMA = {"type": "string", "format": "uuid"}
_MOMENT: SCHEMA = {"anyOf": [{"type": "string", "pattern": "^[0-9]{1,18}$"}, TIME]}

AT = parameter("at", _MOMENT, about="as of a position, or a time with its zone")
"""As of when."""

TIMING = [
    AT,
    parameter("wait_for", _POSITION, about="only once the views show this position: read your own write"),
    parameter("timeout", {"type": "number", "minimum": 0}, about="how many seconds to wait for it"),
]
"""As of when, and how long to wait for it."""

_ROWS: SCHEMA = {"type": "integer", "minimum": 1, "maximum": 1000}

PAGE = [
    parameter("limit", _ROWS, about="how many rows"),
    parameter("after", {"type": "string"}, about="the cursor that a page gave as its `next`"),
]
"""Which rows of how many."""

_TYPE = "^[A-Za-z][A-Za-z0-9._-]*$"

EVENTS = [
    parameter(
        "type", _several({"type": "string", "pattern": _TYPE, "maxLength": LONGEST_TYPE}), about="of one of these types"
    ),
    parameter("tag", _several({"type": "string", "minLength": 1, "pattern": TEXT}), about="with all of these tags"),
    parameter("actor", _several({"type": "string"}), about="what one of these did"),
    parameter("correlation", _several(_UUIDS), about="of one of these stories"),
    parameter("after", _POSITION, about="behind this position"),
    parameter("until", _MOMENT, about="up to this position, or this time"),
    parameter("since", TIME, about="recorded at this time or later"),
    parameter("limit", _ROWS, about="how many events; as many as the door gives, at most 500, where it is not said"),
    parameter("newest", {"enum": ["true", "false"]}, about="the newest first"),
]
"""Which events."""

HEADERS = [header("If-None-Match", {"type": "string"}, "the ETag of what you have")]
"""What each question may carry."""

COMMAND_HEADERS = [
    header("Idempotency-Key", {"type": "string", "format": "uuid"}, "the command's id: it is decided once for it"),
    header("Actum-Actor", _WORD, "who asks, where nobody has logged in"),
    header("Actum-On-Behalf-Of", _WORD, "for whom"),
    header("Actum-Reason", _WORD, "why"),
    header("Actum-Effective-At", TIME, "when it happened, where that is not now"),
    header("Actum-Correlation", {"type": "string", "format": "uuid"}, "the story it belongs to"),
    header("Actum-Causation", {"type": "string", "format": "uuid"}, "the event or command that led to it"),
    header("traceparent", {"type": "string"}, "W3C Trace Context"),
    header("Prefer", {"type": "string"}, "`return=minimal` leaves the receipt out"),
]
"""What a command may carry."""
assert {each["name"] for each in TIMING} == set(CONTROLS)

"""What can be asked of an application, as OpenAPI 3.1: made from the types of its commands, queries, views and states."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from actum.decision.state import fold_of, hints_of
from actum.http.answers import Events, Health, Outcome, Readiness, Record, Recording, Stated
from actum.http.entering import Credentials, Me
from actum.http.examples import example_of
from actum.http.parameter_objects import (
    AT,
    COMMAND_HEADERS,
    EVENTS,
    HEADERS,
    PAGE,
    TIMING,
    UUID,
    header,
    parameter,
    path,
    segment,
)
from actum.http.parameters import OPERATORS
from actum.http.problem import MEDIA_TYPE, TYPES
from actum.http.schemas import SCHEMA, Schemas
from actum.journal.fields import fields_of
from actum.projection.paging import Page
from actum.projection.view import plan_of

if TYPE_CHECKING:
    from actum.decision.command import Command
    from actum.decision.state import State
    from actum.projection.query import Query
    from actum.projection.view import View
    from actum.service.declared import Declared

JSON = "application/json"


_ALWAYS = ("headers-too-large", "invalid", "unavailable", "busy", "draining")

_SENT = ("too-slow", "too-large", "unsupported-media-type")

_SECURED = ("unauthenticated", "forbidden", "too-many-requests")


@lru_cache(maxsize=8)
def describe(app: Declared, *, session: str | None, root: str = "") -> bytes:
    """The document, as JSON. `session` is the name of the cookie by which sessions are known; None where nobody is."""
    return msgspec.json.encode(_Document(app, session=session).made(root))


class _Document:
    def __init__(self, app: Declared, *, session: str | None) -> None:
        self._app = app
        self._session = session
        self._secured = session is not None
        self._answers = {name: _answer_type(app, cls) for name, cls in app.queries.items()}
        self._schemas = Schemas(
            [
                *app.commands.values(),
                *app.queries.values(),
                *app.views.values(),
                *app.states.values(),
                *(_page(view) for view in app.views.values()),
                *self._answers.values(),
                *(Outcome, Record, Recording, Events, Stated, Health, Readiness, Credentials, Me),
            ]
        )

        for command in app.commands.values():
            self._schemas.demand_identities(command)

    def made(self, root: str) -> dict[str, Any]:
        name, _, version = self._app.producer.partition("@")
        document: dict[str, Any] = {
            "openapi": "3.1.0",
            "info": {"title": name, "version": version, "description": _about(self._app)},
            "servers": [{"url": root or "/"}],
            "paths": self._paths(),
            "components": {
                "schemas": {**self._schemas.components, "Problem": _PROBLEM},
                "responses": {each.name: _problem(each.name) for each in TYPES.values()},
            },
        }
        if self._secured:
            session = {"type": "apiKey", "in": "cookie", "name": self._session}
            schemes = {"token": {"type": "http", "scheme": "bearer"}, "session": session}
            document["components"]["securitySchemes"] = schemes
            document["security"] = [{"token": []}, {"session": []}]
        return document

    def _paths(self) -> dict[str, Any]:
        app = self._app
        paths: dict[str, Any] = {}
        for name, command in app.commands.items():
            paths[f"/commands/{name}"] = {"post": self._command(name, command)}
        for name, query in app.queries.items():
            paths[f"/queries/{name}"] = {"get": self._query(name, query)}
            paths[f"/live/{name}"] = {"get": self._live(name, query)}
        for name, view in app.views.items():
            paths[f"/views/{name}"] = {"get": self._rows(name, view)}
            if plan_of(view).fold.identity:
                paths[f"/views/{name}{_key_path(view)}"] = {"get": self._row(name, view)}
        for name, state in {**app.states, **app.views}.items():
            paths[f"/states/{name}{_key_path(state)}"] = {"get": self._state(name, state)}
        return paths | self._fixed() | (self._entrances() if self._secured else {})

    def _fixed(self) -> dict[str, Any]:
        which = path("which", {"type": "string", "pattern": "^[0-9]{1,18}$"}, "its position, or its id", "1")
        key = path("key", {"type": "string", "format": "uuid"}, "the command's id", UUID)
        return {
            "/decisions/{key}": {
                "get": self._get("decision", "What was decided on a command", Record, [key], "not-found")
            },
            "/events": {"get": self._get("events", "Events, page by page", Events, EVENTS, "not-yet")},
            "/events/{which}": {"get": self._get("event", "One event in full", Recording, [which], "not-found")},
            "/feed": {"get": self._feed()},
            "/health": {"get": self._public("health", "Whether the process answers", Health)},
            "/ready": {"get": self._ready()},
            "/metrics": {"get": self._metrics()},
        }

    def _entrances(self) -> dict[str, Any]:
        """How one says who one is, and takes it back."""
        body = {"required": True, "content": {JSON: {"schema": self._schemas.of(Credentials)}}}
        enter = {"requestBody": body, "responses": self._responses(Me, *_SENT)}
        back = parameter("back", {"type": "string", "pattern": "^/"}, about="the page to come back to")
        said = [parameter(name, {"type": "string"}) for name in ("code", "state", "error")]
        gone = self._responses(Me) | {"204": {"description": "It is over"}}
        return {
            "/login": {"post": _entering("login", "Begin a session with name and password", **enter, security=[])},
            "/logout": {"post": _entering("logout", "End the session", responses=_without(gone, "200"))},
            "/me": {"get": _entering("me", "Who one is, and what one may", responses=self._responses(Me))},
            "/login/oidc": {"get": self._provider("oidc", "Off to the provider", [back])},
            "/login/oidc/callback": {"get": self._provider("oidc_callback", "Back from the provider", said)},
        }

    def _provider(self, id: str, summary: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
        answers = self._responses(Me, "not-found") | {"303": {"description": "Go there"}}
        return _entering(id, summary, parameters=parameters, responses=_without(answers, "200"), security=[])

    # One kind of route each.

    def _command(self, name: str, command: type[Command]) -> dict[str, Any]:
        body = {
            "required": True,
            "content": {JSON: {"schema": self._schemas.of(command), "example": example_of(command)}},
        }
        problems = ("refused", "conflict", "reused", *_SENT, "storage-full")
        return {
            "operationId": f"command_{name}",
            "summary": _first_line(command) or f"Have {name} decided",
            "tags": ["commands"],
            "parameters": COMMAND_HEADERS,
            "requestBody": body,
            "responses": self._responses(Outcome, *problems, "outcome-unknown"),
        }

    def _feed(self) -> dict[str, Any]:
        last = header("Last-Event-ID", {"type": "string", "pattern": "^[0-9]{0,18}$"}, "go on behind this position")
        filters = [each for each in EVENTS if each["name"] in ("type", "tag", "actor", "correlation", "after")]
        return self._stream("feed", "Events as they come, each a Recording", [*filters, last], "journal")

    def _live(self, name: str, query: type[Query]) -> dict[str, Any]:
        return self._stream(
            f"live_{name}", f"The answer to {name}, again whenever it changes", self._fields(query), "queries"
        )

    def _stream(self, id: str, summary: str, parameters: list[dict[str, Any]], tag: str) -> dict[str, Any]:
        made = self._get(id, summary, Health, [], "not-yet", tag=tag)
        made["parameters"] = parameters
        del made["responses"]["304"]
        events = {"text/event-stream": {"schema": {"type": "string"}}}
        made["responses"]["200"] = {"description": "Server-sent events", "content": events}
        return made

    def _fields(self, query: type[Query]) -> list[dict[str, Any]]:
        """The fields of a query as parameters."""
        required = {field.name: field.required for field in msgspec.structs.fields(query)}
        return [
            parameter(field, self._schemas.field(query, field), required=required[field]) for field in fields_of(query)
        ]

    def _query(self, name: str, query: type[Query]) -> dict[str, Any]:
        mine = self._fields(query)
        fields = [each["name"] for each in mine]
        timing = [each for each in TIMING if each["name"] not in fields]
        return self._get(
            f"query_{name}",
            _first_line(query) or f"Ask {name}",
            self._answers[name],
            mine + timing,
            "cursor",
            "not-yet",
            "too-costly",
            tag="queries",
        )

    def _rows(self, name: str, view: type[View]) -> dict[str, Any]:
        filters = [
            parameter(f"{field}.{operator}", self._schemas.field(view, field))
            for field, cell in plan_of(view).cells.items()
            if cell.comparable
            for operator in OPERATORS
            if operator != "in"
            and (cell.ordered or operator in ("eq", "ne"))
            and (operator != "starts" or cell.kind is str)
        ]
        order = parameter("order", {"enum": _orders(view)}, about="sort by a field; `-field` descending")
        return self._get(
            f"view_{name}",
            f"Rows of {name}",
            _page(view),
            [*filters, order, *PAGE, *TIMING],
            "cursor",
            "not-yet",
            "too-costly",
            tag="views",
        )

    def _row(self, name: str, view: type[View]) -> dict[str, Any]:
        return self._get(
            f"row_{name}", f"One row of {name}", view, [*self._key(view), *TIMING], "not-found", "not-yet", tag="views"
        )

    def _state(self, name: str, state: type[State]) -> dict[str, Any]:
        made = self._get(
            f"state_{name}",
            f"One {name}, now or as of a moment",
            Stated,
            [*self._key(state), AT],
            "not-found",
            "not-yet",
            tag="states",
        )
        content = made["responses"]["200"]["content"][JSON]
        content["schema"] = {"allOf": [content["schema"], {"properties": {"state": self._schemas.of(state)}}]}
        return made

    def _key(self, cls: type[State]) -> list[dict[str, Any]]:
        kinds = fields_of(cls)
        return [
            path(field, segment(self._schemas.field(cls, field)), f"which {tag.name}", str(example_of(kinds[field])))
            for field, tag in fold_of(cls).identity.items()
        ]

    def _get(
        self, id: str, summary: str, kind: Any, parameters: list[dict[str, Any]], *problems: str, tag: str = "journal"
    ) -> dict[str, Any]:
        return {
            "operationId": id,
            "summary": summary,
            "tags": [tag],
            "parameters": [*parameters, *HEADERS],
            "responses": self._responses(kind, *problems) | {"304": {"description": "You have it already"}},
        }

    def _public(self, id: str, summary: str, kind: Any) -> dict[str, Any]:
        return self._get(id, summary, kind, [], tag="service") | {"security": []}

    def _ready(self) -> dict[str, Any]:
        made = self._public("ready", "Whether requests may be sent here", Readiness)
        schema = {JSON: {"schema": self._schemas.of(Readiness)}, MEDIA_TYPE: {"schema": _REF}}
        made["responses"]["503"] = {"description": "Not now", "content": schema}
        return made

    def _metrics(self) -> dict[str, Any]:
        made = self._public("metrics", "Counters, as OpenMetrics text", Health)
        made["responses"]["200"] = {
            "description": "Counters",
            "content": {"application/openmetrics-text": {"schema": {"type": "string"}}},
        }
        return {name: part for name, part in made.items() if name != "security"}

    def _responses(self, kind: Any, *problems: str) -> dict[str, Any]:
        made: dict[str, Any] = {
            "200": {"description": "The answer", "content": {JSON: {"schema": self._schemas.of(kind)}}}
        }
        by_status: dict[str, list[str]] = {}
        for name in (*problems, *_ALWAYS, *(_SECURED if self._secured else ())):
            by_status.setdefault(str(TYPES[name].status), []).append(name)
        for status, names in by_status.items():
            made[status] = {
                "description": "; or: ".join(f"{TYPES[name].title} (`{TYPES[name].urn}`)" for name in names),
                "content": {MEDIA_TYPE: {"schema": _REF}},
            }
        return made


def _entering(id: str, summary: str, **more: Any) -> dict[str, Any]:
    return {"operationId": id, "summary": summary, "tags": ["entrance"], **more}


def _without(responses: dict[str, Any], status: str) -> dict[str, Any]:
    return {each: response for each, response in responses.items() if each != status}


def _page(view: type[View]) -> Any:
    """The type of a page of its rows."""
    page: Any = Page
    return page[view]


def _answer_type(app: Declared, query: type[Query]) -> Any:
    """What the answer to a query is: what its function says it returns."""
    function = app.answer(query).function
    return hints_of(function, function.__qualname__).get("return", Any)


def _about(app: Declared) -> str:
    return (
        f"Commands, queries and events of {app.name}. A command carries an Idempotency-Key and is decided once for it. "
        "Everything that goes wrong is a problem document (RFC 9457), told apart by its type."
    )


def _first_line(cls: type) -> str | None:
    text = vars(cls).get("__doc__")
    return text.strip().splitlines()[0] if isinstance(text, str) and text.strip() else None


def _key_path(cls: type[State]) -> str:
    return "".join(f"/{{{field}}}" for field in fold_of(cls).identity)


def _orders(view: type[View]) -> list[str]:
    fields = [name for name, cell in plan_of(view).cells.items() if cell.comparable]
    return [*fields, *(f"-{name}" for name in fields)]


def _problem(name: str) -> dict[str, Any]:
    kind = TYPES[name]
    example = {"type": kind.urn, "title": kind.title, "status": kind.status, "detail": kind.remedy}
    return {
        "description": f"{kind.title}: {kind.remedy}",
        "content": {MEDIA_TYPE: {"schema": _REF, "example": example}},
    }


_REF = {"$ref": "#/components/schemas/Problem"}

_PROBLEM: SCHEMA = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"enum": [each.urn for each in TYPES.values()]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}

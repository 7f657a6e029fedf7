"""The table of all routes: method, address, what answers, and the permission that it takes. Nothing is answered outside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import msgspec
from starlette.responses import Response
from starlette.routing import compile_path

from actum.http import commanding, entering, following, looking, operating, reading
from actum.http.call import Call
from actum.http.problem import Problem
from actum.service.part import Part

Answering: TypeAlias = Callable[[Call], Awaitable[Response]]


EVERY = tuple(Part)
"""Whichever service is asked."""


class Route(msgspec.Struct, frozen=True):
    """One route. `permission` may name parts of the address, as in `commands:{name}`; None: open to everybody.

    `parts`: which services of a context answer it, where the context runs as several.
    """

    method: str
    path: str
    answering: Answering
    permission: str | None
    parts: tuple[Part, ...] = (Part.QUERIES,)

    def needed(self, names: Mapping[str, Any]) -> str | None:
        """The permission that a request for these names takes."""
        return None if self.permission is None else self.permission.format_map(names)


ROUTES: tuple[Route, ...] = (
    Route("POST", "/commands/{name}", commanding.command, "commands:{name}", (Part.COMMANDS,)),
    Route("GET", "/queries/{name}", reading.query, "queries:{name}"),
    Route("GET", "/views/{name}", reading.rows, "views:{name}"),
    Route("GET", "/views/{name}/{key:path}", reading.row, "views:{name}"),
    Route("GET", "/states/{name}", reading.state, "states:{name}"),
    Route("GET", "/states/{name}/{key:path}", reading.state, "states:{name}"),
    Route("GET", "/decisions/{key}", commanding.decision, "decisions:read", (Part.QUERIES, Part.COMMANDS)),
    Route("GET", "/events", looking.events, "events:read"),
    Route("GET", "/events/{which}", looking.event, "events:read"),
    Route("GET", "/feed", following.feed, "events:read"),
    Route("GET", "/live/{name}", following.live, "queries:{name}"),
    Route("GET", "/metrics", operating.metrics, "metrics:read", EVERY),
    Route("GET", "/openapi.json", operating.openapi, "openapi:read", EVERY),
    Route("GET", "/ready", operating.ready, None, EVERY),
    Route("GET", "/health", operating.health, None, EVERY),
)
"""Those of every application."""


SECURED: tuple[Route, ...] = (
    Route("POST", "/login", entering.login, None, EVERY),
    Route("POST", "/logout", entering.logout, None, EVERY),
    Route("GET", "/me", entering.me, None, EVERY),
    Route("GET", "/login/oidc", entering.to_provider, None, EVERY),
    Route("GET", "/login/oidc/callback", entering.from_provider, None, EVERY),
)
"""Those of a door that knows who asks."""

ENTRANCES = ("/login", "/login/oidc", "/login/oidc/callback")
"""Where one comes to say who one is: what one has said before does not count."""

UNRECORDED = ("/health", "/ready")
"""What is asked by machines all day long, and says nothing of anybody: on record only where somebody says who they are."""


class Router:
    """Finds the route of a request."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._routes = [(route, compile_path(route.path)[0]) for route in routes]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, Any]]:
        """The route, and the parts of the address by name. Problems for an address or a method that is not there."""
        allowed: list[str] = []
        wanted = "GET" if method == "HEAD" else method
        for route, pattern in self._routes:
            found = pattern.match(path)
            if found is None:
                continue
            if route.method == wanted:
                return route, found.groupdict()
            allowed.append(route.method)
        if allowed:
            names = [*dict.fromkeys(allowed), *(["HEAD"] if "GET" in allowed else [])]
            raise Problem("method-not-allowed", f"expected {' or '.join(names)}", headers={"Allow": ", ".join(names)})
        raise Problem("not-found", f"there is nothing at {path:.200}; /openapi.json says what there is")

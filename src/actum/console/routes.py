"""Every page of the console: method, address, what answers, and the permission that it takes. Nothing is answered outside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actum.console import (
    entering,
    event,
    explained,
    live,
    looks,
    parked,
    processes,
    searched,
    services,
    static,
    thing,
    views,
)
from actum.console.answering import Answering
from actum.http.policy import CONTROL
from actum.http.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOK = "console:look"
"""The permission to look at everything: events, states, views."""

OPERATE = "console:operate"
"""To rebuild, switch and go back, to retry and to pass over."""


class Route(msgspec.Struct, frozen=True):
    """One page. `{name}` stands for one segment of the address, `*` at the end for all that follow."""

    method: str
    path: str
    answering: Answering
    permission: str | None

    @property
    def segments(self) -> tuple[str, ...]:
        """The address in its segments."""
        return tuple(self.path.strip("/").split("/")) if self.path.strip("/") else ()


ROUTES: tuple[Route, ...] = (
    Route("GET", "/", live.live, LOOK),
    Route("GET", "/live", live.live, LOOK),
    Route("GET", "/live/feed", live.feed, LOOK),
    Route("GET", "/search", searched.search, LOOK),
    Route("GET", "/map", services.services, LOOK),
    Route("POST", "/map/{verb}", services.act, CONTROL),
    Route("GET", "/things", thing.things, LOOK),
    Route("GET", "/views", views.views, LOOK),
    Route("GET", "/parked", parked.parked, LOOK),
    Route("GET", "/processes", processes.processes, LOOK),
    Route("GET", "/looks", looks.looks, "console:accesses"),
    Route("GET", "/stories/{id}", event.told_story, LOOK),
    Route("GET", "/events/{id}", event.event_by_id, LOOK),
    Route("GET", "/static/{file}", static.static, None),
    Route("POST", "/settings", entering.settings, None),
    Route("GET", "/login", entering.login_page, None),
    Route("GET", "/{context}/events/{position}", event.event, LOOK),
    Route("GET", "/{context}/events/{position}/json", event.event_json, LOOK),
    Route("GET", "/{context}/views", views.to_views, LOOK),
    Route("GET", "/{context}/views/{name}", views.view, LOOK),
    Route("POST", "/{context}/views/{name}/{verb}", views.act, OPERATE),
    Route("POST", "/{context}/parked/{verb}", parked.act, OPERATE),
    Route("GET", "/{context}/things/{name}", thing.rows, LOOK),
    Route("GET", "/{context}/things/{name}/*", thing.thing, LOOK),
    Route("GET", "/{context}/compare/{name}/*", thing.compared, LOOK),
    Route("GET", "/{context}/explain/{name}/*", explained.explained, LOOK),
)


def find(method: str, segments: Sequence[str]) -> tuple[Route, dict[str, str], tuple[str, ...]]:
    """The page at an address, the parts of that by name, and what follows them. Problems for what is not there."""
    allowed: list[str] = []
    for route in ROUTES:
        found = _matched(route.segments, segments)
        if found is None:
            continue
        if route.method == ("GET" if method == "HEAD" else method):
            return route, *found
        allowed.append(route.method)
    if allowed:
        raise Problem("method-not-allowed", f"expected {' or '.join(allowed)}", headers={"Allow": ", ".join(allowed)})
    raise Problem("not-found", f"there is no page at /{'/'.join(segments):.200}")


def _matched(pattern: Sequence[str], segments: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]] | None:
    open_ended = bool(pattern) and pattern[-1] == "*"
    fixed = pattern[:-1] if open_ended else pattern
    if len(segments) < len(fixed) + open_ended or (len(segments) > len(fixed) and not open_ended):
        return None
    names: dict[str, str] = {}
    for wanted, found in zip(fixed, segments, strict=False):
        if wanted.startswith("{"):
            names[wanted[1:-1]] = found
        elif wanted != found:
            return None
    return names, tuple(segments[len(fixed) :])

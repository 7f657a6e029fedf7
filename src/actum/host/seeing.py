"""What can be seen of a running system from outside: which routes answer with what, and how far followers really are.

Routes are asked through the gateway. How far views, processes and listeners have come is read from their checkpoints, so that
it can be seen also where the services that would say it are off.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from actum.decision.state import fold_of
from actum.host.loading import wrongly
from actum.host.upstream import Lost, Unsent
from actum.http.examples import example_of
from actum.http.problem import read
from actum.journal.query import Query
from actum.messaging.listener import shape_of
from actum.service.consequences import CONSOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from actum.host.loading import Load
    from actum.host.upstream import Reply
    from actum.journal.event import Position
    from actum.service.app import App
    from actum.service.running import Running
    from actum.service.system import System

PATIENCE = 20.0
"""Seconds that a probe waits for an answer."""

SHOWS_VIEWS = ("queries", "views", "live")
"""Routes whose answers are as old as the views."""


class Seen(msgspec.Struct, frozen=True):
    """One answer of a route: status, the problem's type where it was one, and the position that it shows."""

    status: int
    problem: str = ""
    position: int | None = None

    @property
    def refused(self) -> bool:
        """Whether nobody answered, or somebody said that it is off."""
        return self.status in (0, 502, 503, 504, 507)

    @property
    def failed(self) -> bool:
        """Whether it was answered, but wrongly: by a fault of the program, or to nobody."""
        return wrongly(self.status) and not self.refused


class Probe(msgspec.Struct, frozen=True):
    """How a route is looked at: `streams` where only the beginning of an answer is wanted."""

    what: str
    context: str | None
    target: str
    streams: bool = False

    @property
    def shows_views(self) -> bool:
        """Whether its answer is as old as the views are."""
        return self.what.rpartition("/")[2] in SHOWS_VIEWS


def probes_of(system: System, *, console: bool) -> tuple[Probe, ...]:
    """A probe for each route that can be read."""
    found = [probe for name, app in system.contexts.items() for probe in _probes(name, app)]
    if console:
        found.append(Probe("/console", None, f"/{CONSOLE}/"))
    return tuple(found)


def _probes(name: str, app: App) -> Iterator[Probe]:
    question = next(iter(_questions(app)), None)
    if app.views and question is not None:
        yield Probe(f"/{name}/queries", name, f"/{name}/queries/{question}")
    if app.views:
        yield Probe(f"/{name}/views", name, f"/{name}/views/{next(iter(app.views))}?limit=1")
    if app.views and question is not None:
        yield Probe(f"/{name}/live", name, f"/{name}/live/{question}", streams=True)
    if app.states:
        yield Probe(f"/{name}/states", name, f"/{name}/states/{_state(app)}")
    yield Probe(f"/{name}/events", name, f"/{name}/events?newest=true&limit=1")
    yield Probe(f"/{name}/feed", name, f"/{name}/feed", streams=True)


def _questions(app: App) -> Iterator[str]:
    """Queries with what they must be told, made up: those first that must be told least."""
    for query in sorted(app.queries.values(), key=lambda one: len(example_of(one))):
        said: dict[str, Any] = example_of(query)
        if all(isinstance(value, str | int) for value in said.values()):
            yield f"{query.__kind__.type}?{urlencode(said)}"


def _state(app: App) -> str:
    name, cls = min(app.states.items(), key=lambda one: len(fold_of(one[1]).identity))
    ids = (f"{tag.name}-1" for tag in fold_of(cls).identity.values())
    return "/".join([name, *(quote(one) for one in ids)])


class Eyes:
    """Looks at routes through the gateway, over the connections of a load."""

    def __init__(self, load: Load, probes: tuple[Probe, ...]) -> None:
        self._load = load
        self.probes = probes

    async def look(self, probe: Probe) -> Seen:
        """Ask once."""
        request = self._load.request("GET", probe.target)
        try:
            async with asyncio.timeout(PATIENCE):
                reply = await self._load.ask(request)
                if reply.status != 200 or not probe.streams:
                    body = await reply.whole() if not reply.endless else b""
                    problem = "" if reply.status < 400 else read(body, status=reply.status).short
                    position = dict(reply.headers).get(b"actum-position")
                    return Seen(reply.status, problem, None if position is None else int(position))
                return Seen(200, "", await _first_position(reply))
        except (Unsent, Lost, TimeoutError):
            return Seen(0, "no answer")

    async def look_everywhere(self) -> dict[str, Seen]:
        """Ask every route once."""
        seen = await asyncio.gather(*(self.look(probe) for probe in self.probes))
        return {probe.what: one for probe, one in zip(self.probes, seen, strict=True)}


async def _first_position(reply: Reply) -> int | None:
    """The id of the first thing that a stream says, where it says any before it is silent."""
    text = b""
    try:
        async with asyncio.timeout(1.0):
            async for chunk in reply.chunks():
                text += chunk
                ids = [line[3:] for line in text.split(b"\n") if line.startswith(b"id:")]
                if ids:
                    return int(ids[0])
    except TimeoutError:
        return None
    finally:
        reply.abandon()
    return None


class Follower:
    """A follower of the system, seen by its checkpoint: how many positions there are that it has not dealt with.

    `source` is the context whose events it follows.
    """

    def __init__(
        self, what: str, *, source: str, goal: Callable[[], Position], reached: Callable[[], Position]
    ) -> None:
        self.what = what
        self.source = source
        self._goal = goal
        self._reached = reached

    def stand(self) -> tuple[Position, Position]:
        """How far it has come, and how far it is to come."""
        goal = self._goal()
        return self._reached(), goal


def followers_of(system: System, contexts: Mapping[str, Running]) -> tuple[Follower, ...]:
    """Every follower there is."""
    found: list[Follower] = []
    for name, app in system.contexts.items():
        running = contexts[name]
        if app.views:
            views = tuple(app.views.values())
            found.append(
                Follower(
                    f"{name}: views",
                    source=name,
                    goal=running.store.head,
                    reached=lambda running=running, views=views: running.views.shown(*views),  # type: ignore[misc]
                )
            )
        if app.definitions:
            found.append(_processes(name, app, running))
        found += [_hearing(name, running, hearing, contexts[hearing.source]) for hearing in app.hearings]
    return tuple(found)


def _processes(name: str, app: App, running: Running) -> Follower:
    """Processes are behind by the events that concern them."""

    def stands() -> list[tuple[Position, Position]]:
        marks = running.views.database.marks()
        found: list[tuple[Position, Position]] = []
        for definition in app.definitions:
            mark = marks.get(f"actum_process_{definition.name}")
            newest = _newest(running, frozenset(app.codec.names(definition.events)))
            found.append((min(newest, 0 if mark is None else mark.position), newest))
        return found

    return Follower(
        f"{name}: processes",
        source=name,
        goal=lambda: max(newest for _, newest in stands()),
        reached=lambda: min(
            (reached for reached, newest in stands() if reached < newest),
            default=max(newest for _, newest in stands()),
        ),
    )


def _hearing(name: str, running: Running, hearing: Any, source: Running) -> Follower:
    shape = shape_of(hearing)

    def reached() -> Position:
        mark = running.views.database.marks().get(shape.table)
        return 0 if mark is None else mark.position

    return Follower(
        f"{name}: hears {hearing.source}",
        source=hearing.source,
        goal=lambda: _newest(source, frozenset(hearing.types)),
        reached=reached,
    )


def _newest(running: Running, types: frozenset[str]) -> Position:
    found = next(iter(running.store.read(Query.of(types=types), limit=1, backwards=True)), None)
    return 0 if found is None else found.position

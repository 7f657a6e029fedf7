"""A whole system in one process: the same paths as at the gateway, with nothing in between."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from actum.host.behind import Behind
from actum.host.lifespan import Lifespan
from actum.host.piece import Around, console_over, has_console, page_of
from actum.host.plan import PAGE
from actum.http.asgi import asgi
from actum.http.call import answer, trouble
from actum.http.problem import Problem, problem_of
from actum.http.reach import check_reach
from actum.journal.errors import ActumError
from actum.service.consequences import CONSOLE
from actum.service.control import Piece, PieceState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from actum.http.serving import Served
    from actum.http.specified import Receive, Scope, Send
    from actum.service.running import Running
    from actum.service.system import System


class Whole:
    """An ASGI application over the doors of all contexts, the console and the page, each under its path."""

    def __init__(
        self,
        doors: Mapping[str, Served],
        services: tuple[str, ...],
        *,
        closing: Sequence[Callable[[], Awaitable[None]]] = (),
        secured: bool,
        admits: Callable[[Scope], Awaitable[None]] | None = None,
    ) -> None:
        self.secured = secured
        self._doors = dict(doors)
        self._services = services
        self._beginning: list[Callable[[], Awaitable[None]]] = []
        self._closing = list(closing)
        self._admits = admits
        self._since = datetime.now(UTC)

    def add(self, name: str, door: Served) -> None:
        """One more, which had to know where it stands before it could be made."""
        self._doors[name] = door
        lifespan = Lifespan(door)
        self._beginning.append(lifespan.begin)
        self._closing.append(lifespan.end)

    async def stop(self) -> None:
        """See `actum.http.serving.Served`."""
        for door in self._doors.values():
            await door.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        match scope["type"]:
            case "http":
                await self._respond(scope, receive, send)
            case "lifespan":
                await receive()
                try:
                    for begin in self._beginning:
                        await begin()
                except ActumError as wrong:
                    return await send({"type": "lifespan.startup.failed", "message": str(wrong)})
                await send({"type": "lifespan.startup.complete"})
                await receive()
                for close in self._closing:
                    await close()
                await send({"type": "lifespan.shutdown.complete"})
            case _:
                await send({"type": "websocket.close", "code": 1003, "reason": "there are no web sockets here"})

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if not self.secured:
                check_reach(scope, dict(scope["headers"]).get(b"host", b"").decode("latin-1") or None)
            if scope["path"] == "/services":
                if self._admits is not None:
                    await self._admits(scope)
                return await answer({"services": self.pieces()})(scope, receive, send)
            if scope["path"] == "/health":
                return await answer({"status": "ok"})(scope, receive, send)
            door = self._door(scope["path"])
        except (Problem, ActumError) as wrong:
            problem = problem_of(wrong) or Problem("internal", str(wrong))
            return await trouble(problem)(scope, receive, send)
        return await door(scope, receive, send)

    def _door(self, path: str) -> Served:
        door = self._doors.get(path.split("/", 2)[1]) or self._doors.get(PAGE)
        if door is None:
            known = ", ".join(f"/{name}/" for name in self._doors)
            raise Problem("not-found", f"there is nothing at {path:.200}; there are {known}, /services")
        return door

    def pieces(self) -> tuple[Piece, ...]:
        """What runs: everything, in this process."""
        return tuple(
            Piece(
                name=name,
                context=name.rpartition("/")[0] or None,
                kind=name.rpartition("/")[2],
                state=PieceState.RUNNING,
                since=self._since,
                pid=os.getpid(),
            )
            for name in (*self._services, *(each for each in (CONSOLE, PAGE) if each in self._doors))
        )


@contextmanager
def opened(system: System, around: Around) -> Iterator[dict[str, Running]]:
    """Every context at work in this process; each hears the others directly."""
    with ExitStack() as stack:
        contexts = {
            name: stack.enter_context(
                app.open(
                    around.places[name].journal, read_database=around.places[name].read_database, actor=around.actor
                )
            )
            for name, app in system.contexts.items()
        }
        for running in contexts.values():
            if running.app.heard:
                stack.enter_context(running.listen({name: contexts[name] for name in running.app.heard}))
        yield contexts


def whole(
    system: System,
    contexts: Mapping[str, Running],
    around: Around,
    *,
    admits: Callable[[Scope], Awaitable[None]] | None = None,
) -> Whole:
    """The doors of the contexts that are open, and the console over them. The page comes once it is known where it stands."""
    beside = system.contexts.values()
    made_of = {
        name: asgi(system.app(name), running, security=around.security, beside=beside)
        for name, running in contexts.items()
    }
    doors: dict[str, Served] = {name: Behind(door, prefix=f"/{name}") for name, door in made_of.items()}
    closing: list[Callable[[], Awaitable[None]]] = [door.close for door in made_of.values()]
    if has_console():
        made = console_over(contexts, around)
        doors[CONSOLE] = Behind(made, prefix="/console")
        closing.append(made.close)
    services = tuple(service.name for service in system.services)
    return Whole(doors, services, closing=closing, secured=around.security is not None, admits=admits)


def paged(served: Whole, around: Around) -> None:
    """Have the system's own page there, which asks the gateway's paths like anybody else."""
    if around.system.page is not None:
        served.add(PAGE, page_of(around))

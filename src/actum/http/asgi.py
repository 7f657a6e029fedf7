"""An application as an ASGI application: to serve by itself, or to mount in another one.

```python
app = asgi(bank, "bank.db")       # opens the journal when the server starts, closes it when it stops
app = asgi(bank, running)         # a running application that somebody else opened, and closes
```
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from actum.http.call import Call, path_in, trouble
from actum.http.limits import Limits
from actum.http.opening import Opening
from actum.http.policy import METRICS
from actum.http.problem import INSIDE, Problem, kept_in, problem_of
from actum.http.reach import check_reach
from actum.http.routes import ENTRANCES, ROUTES, SECURED, UNRECORDED, Route, Router
from actum.http.said import CORRELATION, TRACEPARENT
from actum.http.security import Guard, Security
from actum.http.served import Served
from actum.journal.errors import Denied
from actum.service.running import Running
from actum.service.running_async import AsyncRunning

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AsyncExitStack
    from pathlib import Path

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from actum.journal.store import JournalStore
    from actum.service.app import App

_LOG = logging.getLogger(__name__)

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
)
"""On every answer: nothing that is said here is a page of its own, belongs into a frame, or is somebody else's to use."""


def asgi(
    app: App,
    journal: Running | AsyncRunning | str | Path | JournalStore,
    *,
    actor: str | None = None,
    limits: Limits | None = None,
    security: Security | None = None,
    beside: Iterable[App] = (),
) -> Door:
    """The application behind a door. Without `security` it answers this machine only.

    `journal` is where it runs: an address, opened when the server starts (or with the first request, where it is mounted
    and nobody says that it starts) and closed with it; or a running application, which stays its owner's to close. `actor` is who acts where a request
    does not say; without it, such a command is turned down. With `security`, whoever asks is the actor; its policy may name
    what the applications `beside` this one have, too. One that runs as one `Part` of its context answers that part only.
    Raises `Misdeclared` where the declarations do not fit.
    """
    app.codec  # noqa: B018 - what does not fit is found before anybody asks
    apps = (app, *(other for other in beside if other is not app))
    if security is not None:
        security.policy.check(*apps)
    return Door(apps, journal, actor=actor, limits=limits or Limits(), security=security)


class Door:
    """Made by `asgi`: an ASGI application."""

    def __init__(
        self,
        apps: tuple[App, ...],
        journal: Running | AsyncRunning | str | Path | JournalStore,
        *,
        actor: str | None,
        limits: Limits,
        security: Security | None = None,
    ) -> None:
        self._apps = apps
        self._app = apps[0]
        self._journal = journal
        self._actor = actor
        self._limits = limits
        self._security = security
        self._router = Router(ROUTES if security is None else (*SECURED, *ROUTES))
        self._opening = Opening(self._open)
        self._draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection of the ASGI specification, https://asgi.readthedocs.io/en/latest/specs/main.html."""
        match scope["type"]:
            case "http":
                response = await self._respond(scope, receive)
                await response(scope, receive, send)
            case "lifespan":
                await self._live(receive, send)
            case _:
                await send({"type": "websocket.close", "code": 1003, "reason": "there are no web sockets here"})

    # Open and close.

    async def open(self) -> Served:
        """What is served, opened where it is not yet. Called by the server's start, and by the first request."""
        return await self._opening.opened()

    @property
    def _served(self) -> Served | None:
        return self._opening.thing

    async def _open(self, stack: AsyncExitStack) -> Served:
        running = await self._running(stack)
        guard = None
        if self._security is not None:
            guard = await Guard.open(self._security, *self._apps)
            stack.push_async_callback(guard.close)
        served = Served(running, self._limits, guard=guard)
        stack.push_async_callback(asyncio.to_thread, served.receipts.close)
        served.draining = self._draining
        return served

    async def _running(self, stack: AsyncExitStack) -> AsyncRunning:
        match self._journal:
            case AsyncRunning():
                return self._journal
            case Running():
                return AsyncRunning(self._journal)
            case address:
                return await stack.enter_async_context(await self._app.open_async(address, actor=self._actor))

    @property
    def secured(self) -> bool:
        """Whether it knows who asks."""
        return self._security is not None

    async def stop(self) -> None:
        """Take in nothing more, and end feeds with a hint to come again. What is under way goes on."""
        self._draining = True
        if self._served is not None:
            self._served.draining = True
            await self._served.end_feeds()

    async def drain(self) -> None:
        """Stop, and wait until what is under way is finished."""
        await self.stop()
        if self._served is not None:
            await self._served.commands.emptied()

    async def close(self) -> None:
        """Drain, and close the journal where this door opened it. It may be opened again."""
        await self.drain()
        await self._opening.close()

    async def _live(self, receive: Receive, send: Send) -> None:
        """The lifespan protocol: open with the server, close with it."""
        await receive()
        self._draining = False
        try:
            await self.open()
        except Exception as wrong:
            await send({"type": "lifespan.startup.failed", "message": str(wrong)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    # Answer.

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        begun = time.perf_counter()
        route, call = None, None
        try:
            call = Call(scope, receive, await self.open())
            if call.served.guard is None:
                check_reach(scope, call.headers.get("host"))
            call.understand()
            route, call.names = self._router.find(call.method, path_in(scope))
            response = await self._answer(route, call)
        except Exception as wrong:  # noqa: BLE001 - whatever it is, whoever asked gets an answer
            response = self._problem(wrong, scope, call)
        if call is not None:
            response = await self._on_record(call, route, response)
            _carry(call, response)
            call.served.metrics.answered(
                route="none" if route is None else route.path,
                method=call.method,
                status=response.status_code,
                seconds=time.perf_counter() - begun,
            )
        response.raw_headers.extend(HEADERS)
        return response

    async def _answer(self, route: Route, call: Call) -> Response:
        """Nobody gets any further than here who may not."""
        if self._draining and route.permission is not None:
            raise Problem("draining", "about to stop; try again", headers={"Retry-After": "1"})
        if call.served.guard is not None and route.path not in (*UNRECORDED, *ENTRANCES):
            needed = route.needed(call.names)
            call.served.guard.admit(call, needed)
            call.still = call.served.guard.still(call, needed)
        _check_part(route, call.served)
        return await route.answering(call)

    async def _on_record(self, call: Call, route: Route | None, response: Response) -> Response:
        """Nothing is answered that is not on record, where it is known who asks."""
        guard = call.served.guard
        if guard is None or (route is not None and route.path in UNRECORDED and call.principal is None):
            return response
        try:
            if call.principal is None and (route is None or route.path not in ENTRANCES):
                with suppress(Denied):  # also of what was turned down before anybody asked who it is
                    call.principal = guard.identify(call)
            needed = None if route is None else route.needed(call.names)
            await guard.record(call, permission=needed, status=response.status_code)
        except Exception as wrong:  # noqa: BLE001 - see there
            return self._problem(wrong, call.scope, call)
        return response

    def _problem(self, wrong: Exception, scope: Scope, call: Call | None) -> Response:
        problem = problem_of(wrong)
        if problem is None or problem.type.name == "internal":
            instance = f"urn:uuid:{uuid4()}"
            _LOG.error("%s: %s %s failed", instance, scope["method"], scope["path"], exc_info=wrong)
            return trouble(Problem("internal", "something went wrong inside; the log has it"), instance)
        knows = call is not None and call.principal is not None and call.principal.may(METRICS)
        if problem.type.name in INSIDE and self.secured and not knows:
            _LOG.warning("%s %s: %s", scope["method"], scope["path"], problem.detail)
            problem = kept_in(problem)
        return trouble(problem)


def _check_part(route: Route, served: Served) -> None:
    """`elsewhere` for what another service of this context is there for."""
    part = served.running.running.part
    if part is None or part in route.parts:
        return
    names = [f"{served.app.name}/{one.value}" for one in route.parts]
    here = f"{served.app.name}/{part.value}"
    raise Problem("elsewhere", f"this is {here}; {route.path} is answered by {' or '.join(names)}", services=names)


def _carry(call: Call, response: Response) -> None:
    """The story and the trace that the request named, on its answer. Both are ASCII, as `said_in` has found."""
    acting = call.said.acting
    if acting.correlation is not None:
        response.headers.setdefault(CORRELATION, str(acting.correlation))
    if acting.traceparent is not None:
        response.headers[TRACEPARENT] = acting.traceparent

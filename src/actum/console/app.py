"""The console as an ASGI application: to serve by itself, or to mount under a path of another one.

```python
app = console({"accounts": accounts_running, "placements": placements_running})
```

Every answer is a page that works without a script, under a content security policy that lets none but the console's own run.
Without `security` it answers this machine only. With it, whoever looks is known, has the permission, and is on record before the
page is theirs; every change is on record in their name.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

from starlette.responses import RedirectResponse, Response, StreamingResponse

from actum.console import entering
from actum.console.answering import Answer, Moved, Sent, Shown, Streamed
from actum.console.asked import Asked
from actum.console.house import House
from actum.console.rendering import prepare, render
from actum.console.routes import Route, find
from actum.console.troubles import told
from actum.http.opening import Opening
from actum.http.problem import INSIDE, Problem, kept_in, problem_of
from actum.http.reach import check_reach
from actum.http.security import Guard, Security, check_origin
from actum.http.sessions import CSRF
from actum.http.streams import watched
from actum.journal.errors import Denied

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AsyncExitStack
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from actum.service.control import Control
    from actum.service.declared import Declared
    from actum.service.running import Running

Door: TypeAlias = Callable[[Asked, Guard], Awaitable[entering.Entered]]

_LOG = logging.getLogger(__name__)

AT_ONCE = 16
"""How many pages are made at once; whoever comes too many waits."""

MOST_FEEDS = 200
"""How many live feeds are open at once."""

YEAR = 365 * 86_400

LOOK = 60.0
"""Seconds for which a page that refreshes itself is one and the same look."""

MOST_LOOKS = 10_000
"""How many looks are remembered at once."""

_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
    (b"content-security-policy", _POLICY),
)
"""On every answer. No inline script or style, nothing from elsewhere, no frame."""

SAFE = ("GET", "HEAD")


def console(
    contexts: Mapping[str, Running],
    *,
    name: str = "actum",
    control: Control | None = None,
    security: Security | None = None,
    language: str | None = None,
    search: str | Path | None = None,
    older: Mapping[str, Declared] | None = None,
) -> Console:
    """The console of these contexts, which stay their owner's to close.

    `control` has it start and stop services. `language` is that of whoever has not chosen one (`en`, `fr`); without it, as the
    browser would like. `search` is the folder of the search indexes; without it, they are in memory and made at every start.
    `older` has, by context, applications of before: with the definition that made the live rows, a comparison says since which
    events cells differ. Changes need contexts that were opened as a whole (`open(follow=False)`), not as a part that only reads.
    """
    house = House(contexts, name=name, control=control, search=search, older=older or {})
    return Console(house, security=security, language=language)


class Console:
    """Made by `console`: an ASGI application. Opened by its server's start or by the first request; closed by `close`."""

    def __init__(self, house: House, *, security: Security | None, language: str | None) -> None:
        self.house = house
        self._security = security
        self._language = language
        self._guard: Guard | None = None
        self._opening = Opening(self._open)
        self._pages = asyncio.Semaphore(AT_ONCE)
        self._looks: dict[tuple[str, str], float] = {}
        self._feeds: set[asyncio.Task[None]] = set()

    @property
    def secured(self) -> bool:
        """Whether it knows who asks."""
        return self._security is not None

    async def open(self) -> None:
        """Begin to follow the journals; the first request does it where nobody else has."""
        await self._opening.opened()

    async def _open(self, stack: AsyncExitStack) -> House:
        stack.push_async_callback(asyncio.to_thread, self.house.close)
        await asyncio.to_thread(prepare)
        await asyncio.to_thread(self.house.open)
        if self._security is not None:
            apps = (running.app for running in self.house.contexts.values())
            self._guard = await Guard.open(self._security, *apps)
            stack.push_async_callback(self._guard.close)
        return self.house

    async def stop(self) -> None:
        """End the feeds: whoever listens comes again by itself."""
        for feed in list(self._feeds):
            feed.cancel()

    async def close(self) -> None:
        """End everything that was opened."""
        await self.stop()
        await self._opening.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection of the ASGI specification."""
        match scope["type"]:
            case "http":
                response = await self._respond(scope, receive)
                await self._send(response, scope, receive, send)
            case "lifespan":
                await self._live(receive, send)
            case _:
                await send({"type": "websocket.close", "code": 1003, "reason": "there are no web sockets here"})

    async def _send(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        if not isinstance(response, StreamingResponse):
            await response(scope, receive, send)
            return
        feed = asyncio.ensure_future(response(scope, receive, send))
        self._feeds.add(feed)
        try:
            with suppress(asyncio.CancelledError):
                await feed
        finally:
            self._feeds.discard(feed)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
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
        asked, route = None, None
        try:
            await self.open()
            asked = self._asked(scope)
            asked.understand()
            response, route = await self._routed(asked, receive)
            self._check_room(response)
        except Exception as wrong:  # noqa: BLE001 - whatever it is, whoever asked gets an answer
            response = self._trouble(asked, wrong)
        open_to_all = route is not None and route.permission is None
        if asked is not None and self._guard is not None and not open_to_all and not self._same_look(asked, response):
            try:
                await self._guard.record(asked, permission=asked.needed, status=response.status_code)
            except Exception as wrong:  # noqa: BLE001 - nothing is shown that is not on record
                response = self._trouble(asked, wrong)
        response.raw_headers.extend(HEADERS)
        return response

    def _check_room(self, response: Response) -> None:
        """`busy` for a feed too many: each of them is written for whoever listens."""
        if isinstance(response, StreamingResponse) and len(self._feeds) >= MOST_FEEDS:
            detail = f"{len(self._feeds)} feeds are open, the most there may be"
            raise Problem("busy", detail, headers={"Retry-After": "5"})

    def _same_look(self, asked: Asked, response: Response) -> bool:
        """Whether a page that somebody looks at only refreshes itself: that is on record again once a minute."""
        refreshed = (
            asked.method == "GET" and "hx-request" in asked.headers and response.status_code < HTTPStatus.BAD_REQUEST
        )
        if not refreshed or asked.principal is None:
            return False
        look, now = (asked.principal.id, asked.address()), time.monotonic()
        if now - self._looks.get(look, -LOOK) < LOOK:
            return True
        if len(self._looks) >= MOST_LOOKS:
            self._looks.clear()
        self._looks[look] = now
        return False

    def _asked(self, scope: Scope) -> Asked:
        asked = Asked(scope, self.house, language=self._language)
        asked.secured = self.secured
        if self._guard is not None:
            asked.oidc = self._guard.provider is not None
            asked.accesses = self._guard.accesses
        else:
            check_reach(scope, asked.headers.get("host"))
        return asked

    async def _routed(self, asked: Asked, receive: Receive) -> tuple[Response, Route | None]:
        segments = asked.segments()
        if asked.method not in SAFE:
            await asked.read(receive)
        door = entering.DOORS.get((asked.method, "/".join(segments)))
        if self._guard is not None and door is not None:
            return await self._entered(asked, door, self._guard), None
        route, asked.names, asked.rest = find(asked.method, segments)
        asked.needed = route.permission
        self._admit(asked, route)
        async with self._pages:
            answer = await asyncio.to_thread(route.answering, asked)
            return await asyncio.to_thread(self._response, asked, answer), route

    def _admit(self, asked: Asked, route: Route) -> None:
        """Nobody gets any further who may not, and no form is taken that another site sent."""
        changes = asked.method not in SAFE
        if self._guard is None:
            if changes:
                check_origin(asked)
                if not hmac.compare_digest(asked.form.get("csrf", "").encode(), self.house.token.encode()):
                    raise Denied(
                        "the form was not this console's, or is of before its start; load the page again", needed="csrf"
                    )
            return
        if changes:
            asked.headers.setdefault(CSRF, asked.form.get("csrf", ""))
        if route.permission is None and not changes:
            with suppress(Denied):
                asked.principal = self._guard.identify(asked)
        else:
            self._guard.admit(asked, route.permission)
            asked.still = self._guard.still(asked, route.permission)
        if asked.principal is not None and asked.principal.session is not None:
            asked.csrf = self._guard.keeper.csrf(asked.principal.session)

    async def _entered(self, asked: Asked, door: Door, guard: Guard) -> Response:
        if door is entering.logout:
            asked.headers.setdefault(CSRF, asked.form.get("csrf", ""))
            guard.admit(asked, None)
        answer, cookies = await door(asked, guard)
        response = self._response(asked, answer)
        for cookie in cookies:
            response.headers.append("set-cookie", cookie)
        return response

    def _response(self, asked: Asked, answer: Answer) -> Response:
        match answer:
            case Shown():
                return _page(asked, answer)
            case Moved():
                response: Response = RedirectResponse(answer.to, status_code=303)
                for name, value in answer.cookies.items():
                    response.set_cookie(name, value, max_age=YEAR, path="/", httponly=True, samesite="lax")
                return response
            case Sent():
                kept = "public, max-age=31536000, immutable" if "/static/" in asked.scope["path"] else "no-store"
                return Response(answer.body, media_type=answer.kind, headers={"cache-control": kept})
            case Streamed():
                return StreamingResponse(
                    watched(answer.chunks, asked.still, last=""),
                    media_type="text/event-stream",
                    headers={"cache-control": "no-store", "x-accel-buffering": "no"},
                )

    def _trouble(self, asked: Asked | None, wrong: Exception) -> Response:
        """What went wrong, as a page; to the login, where it is that nobody is known."""
        problem = problem_of(wrong)
        if problem is None or problem.type.name == "internal":
            instance = uuid4()
            _LOG.error("urn:uuid:%s: a page failed", instance, exc_info=wrong)
            problem = Problem("internal", f"something went wrong inside; the log has it under {instance}")
        if problem.type.name in INSIDE and self.secured and (asked is None or asked.principal is None):
            _LOG.warning("a page failed: %s", problem.detail)
            problem = kept_in(problem)
        if asked is None:
            return Response(
                problem.detail, status_code=problem.type.status, headers=problem.headers, media_type="text/plain"
            )
        if problem.type.name == "unauthenticated" and self.secured and asked.method in SAFE and not asked.fragment:
            return RedirectResponse(asked.link("login", back=asked.address()), status_code=303)
        trouble = told(problem, asked.words)
        values: dict[str, Any] = {"status": problem.type.status, "trouble": trouble}
        response = _page(asked, Shown("trouble.html", trouble.title, values, status=problem.type.status))
        response.headers.update(problem.headers)
        return response


def _page(asked: Asked, shown: Shown) -> Response:
    """The whole page, or its middle."""
    values = {"title": shown.title, "menu": shown.here, "whole": not asked.fragment} | shown.values
    html = render(asked, shown.template, values)
    headers = {"cache-control": "no-store", "vary": "cookie, accept-language"}
    return Response(html, status_code=shown.status, media_type="text/html; charset=utf-8", headers=headers)

"""A door behind a gateway: it stands under the path of its context, and knows through whom a request came.

Only who shows the key that a host gives to its own pieces is believed when it says for whom it asks. `/health` is answered here,
whatever the piece: it says that the process answers, and is nobody's look at anything.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote

from actum.http.answers import Health
from actum.http.call import answer, trouble
from actum.http.problem import Problem, kept_in, problem_of
from actum.http.security import SAFE
from actum.journal.errors import ActumError
from actum.service.site import VISITOR

if TYPE_CHECKING:
    from actum.host.admitting import Admission
    from actum.http.serving import Served
    from actum.http.specified import ASGIApp, Receive, Scope, Send

KEY = b"actum-gateway"
"""The header that carries the key."""

CLIENT = b"actum-client"
"""The header that says from where a request came to the gateway."""

SCHEME = b"actum-scheme"
"""The header that says by which scheme."""


class Behind:
    """The same door under `prefix`; also without it, for whoever asks it directly."""

    def __init__(self, door: Served, *, prefix: str = "", key: str | None = None) -> None:
        self._door = door
        self._prefix = prefix
        self._key = None if key is None else key.encode()

    @property
    def secured(self) -> bool:
        """See `Served`."""
        return self._door.secured

    async def stop(self) -> None:
        """See `Served`."""
        await self._door.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See `Served`."""
        if scope["type"] != "http":
            await self._door(scope, receive, send)
        elif scope["path"] == "/health":
            await answer(Health("ok"))(scope, receive, send)
        else:
            await self._door(self._seen(scope), receive, send)

    def _seen(self, scope: Scope) -> Scope:
        said = {name: value for name, value in scope["headers"] if name in (KEY, CLIENT, SCHEME)}
        if said:
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in said]
        if self._key is not None and hmac.compare_digest(said.get(KEY, b""), self._key):
            scope["client"] = (said.get(CLIENT, b"").decode("latin-1"), 0)
            scope["scheme"] = said.get(SCHEME, b"http").decode("latin-1")
        path: str = scope["path"]
        if self._prefix and (path == self._prefix or path.startswith(self._prefix + "/")):
            scope["root_path"] = self._prefix
        return scope


PUBLIC = "/static/"
"""Below that is what a page looks like; it says nothing of anybody, and everybody is given it."""


class Plain:
    """An ASGI application that has no feeds to end, such as a system's own page.

    Where it is to be known who asks, nobody comes in there who may not see it: whoever has not said who they are is sent to `login`.
    """

    def __init__(self, app: ASGIApp, *, entrance: Admission | None = None, login: str | None = None) -> None:
        self._app = app
        self._entrance = entrance
        self._login = login
        self.secured = entrance is not None

    async def stop(self) -> None:
        """See `Served`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See `Served`."""
        if scope["type"] == "http" and self._entrance is not None and not _is_public(scope):
            try:
                scope[VISITOR] = await self._entrance.enter(scope)
            except (Problem, ActumError) as wrong:
                await self._turned_away(scope, wrong)(scope, receive, send)
                return
        await self._app(scope, receive, send)
        if scope["type"] == "lifespan" and self._entrance is not None:
            await self._entrance.close()

    def _turned_away(self, scope: Scope, wrong: Exception) -> ASGIApp:
        problem = kept_in(problem_of(wrong) or Problem("internal", "something went wrong inside"))
        response = trouble(problem)
        if problem.type.name == "unauthenticated" and self._login is not None:
            query = scope["query_string"].decode("latin-1")
            back = quote(scope["path"]) + (f"?{query}" if query else "") if scope["method"] in SAFE else "/"
            response.status_code = 303
            response.headers["location"] = f"{self._login}?back={quote(back, safe='')}"
        return response


def _is_public(scope: Scope) -> bool:
    return scope["method"] in SAFE and str(scope["path"]).startswith(PUBLIC)

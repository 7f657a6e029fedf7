"""The control door of a host: on loopback, for whoever can read its token. `actum.host.control` has the client."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import unquote

from actum.http.call import answer, trouble
from actum.http.problem import Problem, problem_of
from actum.http.reach import check_reach
from actum.journal.errors import ActumError, Denied

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actum.host.supervisor import Supervisor
    from actum.http.specified import Receive, Scope, Send


class ControlDoor:
    """An ASGI application: `GET /pieces`, `POST /pieces/{name}/{verb}`, `POST /reload`."""

    secured = True

    def __init__(self, supervisor: Supervisor, *, token: str, reload: Callable[[], Awaitable[object]]) -> None:
        self._supervisor = supervisor
        self._token = token.encode()
        self._reload = reload

    async def stop(self) -> None:
        """There is nothing here that goes on for ever."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        try:
            headers = dict(scope["headers"])
            check_reach(scope, headers.get(b"host", b"").decode("latin-1"))
            if not hmac.compare_digest(headers.get(b"authorization", b""), b"Bearer " + self._token):
                raise Denied("this door opens for the token in the data folder's host/control.json")
            response = answer(await self._do(scope["method"], scope["raw_path"].decode("ascii")))
        except (Problem, ActumError) as wrong:
            response = trouble(problem_of(wrong) or Problem("internal", str(wrong)))
        await response(scope, receive, send)

    async def _do(self, method: str, path: str) -> object:
        match method, path.strip("/").split("/"):
            case "GET", ["pieces"]:
                return self._supervisor.pieces()
            case "POST", ["reload"]:
                return await self._reload()
            case "POST", ["pieces", name, verb]:
                return await self._supervisor.do(verb, unquote(name))
            case _:
                raise Problem("not-found", f"there is no {method} {path:.100}; see `actum ps`")

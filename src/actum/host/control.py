"""The control door of a host: on loopback, for whoever can read its token; and the client that speaks to it."""

from __future__ import annotations

import hmac
import http.client
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

import msgspec

from actum.http.call import answer, trouble
from actum.http.problem import Problem, error_of, problem_of, read
from actum.http.reach import check_reach
from actum.journal.errors import ActumError, Denied, Unavailable
from actum.service.control import Piece

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from actum.host.supervisor import Supervisor
    from actum.http.specified import Receive, Scope, Send

PATIENCE = 120.0
"""Seconds that a client waits for something to be done."""


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


class ControlClient:
    """Controls the host that runs on a data folder. See `actum.service.control.Control`."""

    def __init__(self, data: Path) -> None:
        from actum.host.folder import Folder  # noqa: PLC0415 - the server's side has no use for it

        self._folder = Folder(data)

    def pieces(self) -> tuple[Piece, ...]:
        return self._ask("GET", "/pieces")

    def start(self, name: str) -> tuple[Piece, ...]:
        return self._do(name, "start")

    def stop(self, name: str) -> tuple[Piece, ...]:
        return self._do(name, "stop")

    def kill(self, name: str) -> tuple[Piece, ...]:
        return self._do(name, "kill")

    def pause(self, name: str) -> tuple[Piece, ...]:
        return self._do(name, "pause")

    def resume(self, name: str) -> tuple[Piece, ...]:
        return self._do(name, "resume")

    def _do(self, name: str, verb: str) -> tuple[Piece, ...]:
        return self._ask("POST", f"/pieces/{quote(name, safe='')}/{verb}")

    def _ask(self, method: str, path: str) -> tuple[Piece, ...]:
        reached = self._folder.reached()
        place = urlsplit(reached.url)
        line = http.client.HTTPConnection(place.hostname or "127.0.0.1", place.port, timeout=PATIENCE)
        try:
            line.request(method, path, headers={"authorization": f"Bearer {reached.token}"})
            response = line.getresponse()
            body = response.read()
        except OSError as wrong:
            raise Unavailable(
                f"the host of {self._folder.path} does not answer ({wrong}): it has ended; begin with `actum up`"
            ) from wrong
        finally:
            line.close()
        if response.status != 200:
            raise error_of(read(body, status=response.status))
        return msgspec.json.decode(body, type=tuple[Piece, ...])

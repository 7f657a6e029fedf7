"""The gateway: one address for a whole system, in front of its services.

Commands go to a context's *commands* service, all that is read to its *queries*. What is down is said to be down, with the
service's name and what that means; what is about to be there is waited for. A command gets an idempotency key here if it has
none, so that one that was lost on the way can be sent again and is still decided once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from actum.host.behind import CLIENT, KEY, SCHEME
from actum.host.carrying import Bodies
from actum.host.upstream import Lost, Reply, Unsent, request_of
from actum.http.call import answer, trouble
from actum.http.limits import Limits
from actum.http.problem import Problem, problem_of
from actum.http.reach import check_reach
from actum.journal.clock import SYSTEM_IDS
from actum.journal.errors import ActumError
from actum.service.consequences import CONSOLE, Happens, predicted
from actum.service.part import Part

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actum.host.directory import Directory, Found
    from actum.host.upstream import Header
    from actum.http.specified import Receive, Scope, Send
    from actum.service.system import System

PAGE = "page"
IDEMPOTENCY_KEY = b"idempotency-key"
DRAINING = b"urn:actum:problem:draining"

_HOP = frozenset(
    {b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"proxy-connection"}
)
_OURS = frozenset({KEY, CLIENT, SCHEME, b"content-length", b"expect"})
_SAFE = ("GET", "HEAD", "OPTIONS")


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How long the gateway waits, in seconds, and how much it keeps."""

    hold: float = 20.0
    """For a service that is about to be there."""
    answer: float = 45.0
    """For an answer to begin."""
    receive: float = 15.0
    """For the body of a request to arrive."""
    body: int = Limits().body
    """Bytes of a request's body at the most: as many as a door takes."""
    bodies: int = 32 * 1024 * 1024
    """Bytes of the bodies of all requests under way; one more is told to come again."""
    held: int = 2000
    """How many requests wait for services at the most."""


class Gateway:
    """An ASGI application. `admits` checks who may see what runs, where the system has a security."""

    def __init__(
        self,
        contexts: frozenset[str],
        directory: Directory,
        *,
        key: str,
        secured: bool,
        bounds: Bounds | None = None,
        means: Callable[[str], str] = lambda _: "",
        admits: Callable[[Scope], Awaitable[None]] | None = None,
    ) -> None:
        self.secured = secured
        self._contexts = contexts
        self._directory = directory
        self._key = key.encode()
        self._bounds = bounds or Bounds()
        self._bodies = Bodies(one=self._bounds.body, together=self._bounds.bodies, patience=self._bounds.receive)
        self._means = means
        self._admits = admits
        self._held = 0
        self._stopping = asyncio.Event()

    async def stop(self) -> None:
        """End what would go on for ever."""
        self._stopping.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        match scope["type"]:
            case "http":
                await self._respond(scope, receive, send)
            case "lifespan":
                await self._live(receive, send)
            case _:
                await send({"type": "websocket.close", "code": 1003, "reason": "there are no web sockets here"})

    async def _live(self, receive: Receive, send: Send) -> None:
        """The lifespan protocol: in the end the connections to the pieces are given back."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._directory.close()
        await asyncio.sleep(0)
        await send({"type": "lifespan.shutdown.complete"})

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if not self.secured:
                check_reach(scope, _header(scope, b"host"))
            if scope["path"] == "/services":
                await self._say_services(scope, receive, send)
            elif scope["path"] == "/health":
                await answer({"status": "ok"})(scope, receive, send)
            else:
                await self._forward(scope, receive, send)
        except (Problem, ActumError) as wrong:
            await trouble(problem_of(wrong) or Problem("internal", str(wrong)))(scope, receive, send)

    async def _say_services(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._admits is not None:
            await self._admits(scope)
        shown = [msgspec.structs.replace(piece, pid=None) for piece in self._directory.pieces()]
        await answer({"services": shown})(scope, receive, send)

    # Forwarding.

    def _service(self, scope: Scope) -> str:
        """Whose request that is."""
        first, _, rest = scope["path"].removeprefix("/").partition("/")
        if first == CONSOLE:
            return CONSOLE
        if first in self._contexts:
            commands = rest.startswith("commands/") and scope["method"] not in _SAFE
            return f"{first}/{(Part.COMMANDS if commands else Part.QUERIES).value}"
        return PAGE

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = self._service(scope)
        if not scope["path"].startswith("/") or self._directory.find(service) is None:
            known = [*sorted(f"/{name}/" for name in self._contexts), "/console/", "/services"]
            raise Problem("not-found", f"there is nothing at {scope['path']:.200}; there are {', '.join(known)}")
        key, headers = self._headers(scope, service)
        if scope["method"] in _SAFE:
            reply = await self._ask(service, _request(scope, headers, b""), method=scope["method"], key=key)
        else:
            async with self._bodies.carry(receive, length=_header(scope, b"content-length")) as body:
                reply = await self._ask(service, _request(scope, headers, body), method=scope["method"], key=key)
        await self._pass_on(reply, scope, receive, send)

    def _headers(self, scope: Scope, service: str) -> tuple[str | None, list[Header]]:
        """What is sent on, and the key of the command, where it is one."""
        client = scope.get("client")
        headers = [pair for pair in scope["headers"] if pair[0] not in _HOP and pair[0] not in _OURS]
        headers += ((KEY, self._key), (SCHEME, scope["scheme"].encode()))
        if client:
            headers.append((CLIENT, str(client[0]).encode()))
        if not service.endswith("/" + Part.COMMANDS.value):
            return None, headers
        key = _header(scope, IDEMPOTENCY_KEY)
        if key is None:
            key = str(UUID(bytes=SYSTEM_IDS.new()))
            headers.append((IDEMPOTENCY_KEY, key.encode()))
        return key, headers

    async def _ask(self, service: str, request: bytes, *, method: str, key: str | None) -> Reply:
        """The answer of whoever does the service, asked again where that does no harm."""
        deadline = asyncio.get_running_loop().time() + self._bounds.hold
        repeatable, lost = method in _SAFE or key is not None, False
        while True:
            found = await self._found(service, deadline, key=key if lost else None)
            assert found.upstream is not None
            try:
                reply = await found.upstream.ask(request, patience=self._bounds.answer)
                if reply.status != 503 or not await _draining(reply):
                    return reply
                reply.abandon()
            except Unsent as wrong:
                if asyncio.get_running_loop().time() > deadline:
                    raise self._down(service, f"{service} takes no connection: {wrong}", 1) from wrong
            except Lost as wrong:
                lost = True
                if not repeatable or asyncio.get_running_loop().time() > deadline:
                    raise _unknown(str(wrong), key) from wrong
            await asyncio.sleep(0.02)

    async def _found(self, service: str, deadline: float, *, key: str | None) -> Found:
        """Somebody who does the service, waited for where one is on its way. `key`: of a command that was sent already."""
        waits = False
        try:
            while True:
                found = self._directory.find(service)
                assert found is not None
                if found.upstream is not None:
                    return found
                if not found.coming or asyncio.get_running_loop().time() > deadline or self._stopping.is_set():
                    raise _unknown(found.why, key) if key else self._down(service, found.why, found.again)
                if not waits:
                    if self._held >= self._bounds.held:
                        raise self._down(service, f"{found.why}, and {self._held} requests wait for it", found.again)
                    waits, self._held = True, self._held + 1
                await asyncio.sleep(0.02)
        finally:
            self._held -= waits

    def _down(self, service: str, why: str, again: int) -> Problem:
        means = self._means(service)
        detail = f"{why}. {means}" if means else why
        return Problem("service-off", detail, headers={"Retry-After": str(again)}, service=service)

    async def _pass_on(self, reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the answer to whoever asked, as it comes."""
        headers = [pair for pair in reply.headers if pair[0] not in _HOP]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        if not reply.endless:
            await send({"type": "http.response.body", "body": await reply.whole()})
            return
        gone = asyncio.create_task(self._until_gone(receive, reply))
        try:
            async for chunk in reply.chunks():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except Lost:
            # Whoever listens to events asks again from where it was; of anything else, half an answer must not look whole.
            if not _is_feed(reply) and not self._stopping.is_set() and not gone.done():
                raise
        finally:
            gone.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _until_gone(self, receive: Receive, reply: Reply) -> None:
        """Whoever listens goes away, or the gateway is about to stop: then nobody wants the rest."""
        listening = asyncio.create_task(_disconnected(receive))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((listening, stopping), return_when=asyncio.FIRST_COMPLETED)
            reply.abandon()
        finally:
            listening.cancel()
            stopping.cancel()


def meaning_in(system: System) -> Callable[[str], str]:
    """What it means that a service is off: what is refused for it, in one sentence."""

    def means(service: str) -> str:
        if service in (CONSOLE, PAGE):
            return "Everything else goes on."
        refused = (one for one in predicted(system, [service]) if one.happens is Happens.REFUSED)
        return next((one.en for one in refused), "")

    return means


def _is_feed(reply: Reply) -> bool:
    return dict(reply.headers).get(b"content-type", b"").startswith(b"text/event-stream")


def _request(scope: Scope, headers: list[Header], body: bytes) -> bytes:
    target = scope.get("raw_path") or scope["path"].encode()
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    return request_of(scope["method"], target, headers, body)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


async def _draining(reply: Reply) -> bool:
    """Whether whoever answered is about to stop, and has done nothing. An answer that is looked at is put back."""
    body = await reply.whole()
    reply.keep(body)
    return DRAINING in body


def _unknown(why: str, key: str | None) -> Problem:
    if key is None:
        return Problem("unavailable", why, headers={"Retry-After": "1"})
    return Problem(
        "outcome-unknown",
        f"{why}; perhaps it was decided: send the same command again with the same key",
        headers={"Retry-After": "1"},
        idempotency_key=key,
    )


def _header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)

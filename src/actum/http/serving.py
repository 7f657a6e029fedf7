"""A door on a port, by uvicorn: until somebody stops it, or for the time of a `with` block.

Stopping is gentle: no new connections, feeds ended with a hint to come again, what is under way finished, then the journal closed.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import asynccontextmanager, contextmanager, suppress
from signal import SIGINT
from typing import TYPE_CHECKING, Protocol, Self, cast

import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from actum.http.reach import is_loopback
from actum.journal.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator
    from types import FrameType, TracebackType

    from starlette.types import Receive, Scope, Send
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

PATIENCE = 30
"""Seconds that what is under way has to finish when the server stops."""

LONGEST_HEAD = 64 * 1024
"""Bytes of a request at the most that are neither a complete head nor part of its body: then the connection is closed."""


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of connections: how long one may be silent before it has asked, and how many there are."""

    head: float = 10.0
    """Seconds in which the head of a request must have arrived, from its first byte on; of the first one from the connection on."""
    most: int = 5000
    """Connections at once; one more is told to come again, and closed."""


class _Protocol(HttpToolsProtocol):
    """HTTP/1.1 with a bound on what may come in that is no body: the head, and what stands around and behind its chunks."""

    lines = Lines()
    _pending = 0
    _begun = False
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.lines.most:
            transport.write(_FULL)
            transport.close()
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._wait_for_head()
        super().on_message_begin()

    def _wait_for_head(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(self.lines.head, self._give_up)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        """Nobody is kept waiting by half a head; an answer that is under way to the same caller is finished."""
        self._late = None
        answering = cast("RequestResponseCycle | None", self.cycle)  # none before the first request
        if answering is None or answering.response_complete:
            self.transport.write(_LATE)
            self.transport.close()
        else:
            answering.keep_alive = False

    def data_received(self, data: bytes) -> None:
        self._pending += len(data)
        super().data_received(data)
        if self._pending > LONGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The headers are too large.")

    def on_header(self, name: bytes, value: bytes) -> None:
        # What follows a body in chunks is nobody's here, and must not change headers that were looked at already (RFC 9110, §6.5.1).
        if not self._begun:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._wait_no_more()
        self._pending, self._begun = 0, True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._pending = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._pending, self._begun = 0, False
        super().on_message_complete()


def _bare(status: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join((b"HTTP/1.1 " + status, *headers, b"content-length: 0", b"connection: close", b"", b""))


_LATE = _bare(b"408 Request Timeout")
_FULL = _bare(b"503 Service Unavailable", b"retry-after: 1")


class Served(Protocol):
    """An ASGI application that knows when it is to stop: a door, or what stands in front of some."""

    @property
    def secured(self) -> bool:
        """Whether it knows who asks."""
        ...

    async def stop(self) -> None:
        """Take in nothing more, and end what would go on for ever."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        ...


class _Server(uvicorn.Server):
    """Ends the door's feeds before it waits for connections to close; a second interrupt does not wait."""

    def __init__(self, config: uvicorn.Config, door: Served, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._door = door
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._tell()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._door.stop()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and sig == SIGINT
        self.should_exit = True


class _Guest(_Server):
    """Serves in a loop that is somebody else's: so are the signals."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Take none."""
        yield


class Serving:
    """A door on an address. `with Serving(asgi(bank, "bank.db")) as serving:` serves from a thread, at `serving.url`.

    Port 0 is a free one; `lines` are the bounds of connections. Raises `Invalid` for an address beyond loopback where the door has no authentication,
    `Unavailable` where the address is taken or the application cannot start.
    """

    def __init__(self, door: Served, *, host: str = "127.0.0.1", port: int = 0, lines: Lines | None = None) -> None:
        if not door.secured and not is_loopback(host):
            raise Invalid(
                f"{host} can be reached from other machines, and this door has no authentication: say security=…, "
                "or listen on 127.0.0.1"
            )
        self._door = door
        self._lines = lines or Lines()
        self._socket = _bound(host, port)
        self._address = self._socket.getsockname()[:2]
        self._ready = threading.Event()
        self._server = _Server(_config(door, self._lines), door, self._ready.set)
        self._thread = threading.Thread(target=self._serve, name="actum-http", daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        host, port = self._address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def run(self, started: Callable[[], None] | None = None) -> None:
        """Serve until interrupted or told to stop; `started` is called once requests are answered."""
        self._server = _Server(_config(self._door, self._lines), self._door, started or (lambda: None))
        self._serve()
        self._check_started()

    @asynccontextmanager
    async def here(self) -> AsyncIterator[Self]:
        """Serve for the time of an `async with` block, in the event loop that runs; signals stay the caller's business."""
        ready = asyncio.Event()
        self._server = _Guest(_config(self._door, self._lines), self._door, ready.set)
        task = asyncio.create_task(self._server.serve([self._socket]))
        task.add_done_callback(lambda _: ready.set())
        await ready.wait()
        try:
            self._check_started()
            yield self
        finally:
            self.stop()
            await task
            self._socket.close()

    def _serve(self) -> None:
        # The server ends its process where the application cannot start; here, whoever waits is told.
        with suppress(SystemExit):
            self._server.run(sockets=[self._socket])
        self._socket.close()
        self._ready.set()

    def _check_started(self) -> None:
        if not self._server.started:
            raise Unavailable("the application could not start; its log says why")

    def stop(self) -> None:
        """Finish what is under way, and end."""
        self._server.should_exit = True

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        self._check_started()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._thread.join()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Head and body of an answer are two writes: the second must not wait for the first one's receipt (Nagle, delayed ACK).
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        bound.bind((host.strip("[]"), port))
    except OSError as wrong:
        bound.close()
        raise Unavailable(f"cannot listen on {host} port {port}: {wrong.strerror}; say another one") from wrong
    return bound


def _config(door: Served, lines: Lines) -> uvicorn.Config:
    return uvicorn.Config(
        door,
        http=type("_Bounded", (_Protocol,), {"lines": lines}),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=PATIENCE,
    )

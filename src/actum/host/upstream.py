"""From the gateway to a piece: HTTP/1.1 over connections that are kept, with answers that are passed on as they come.

Tells apart what a retry depends on: a request that cannot have been read (`Unsent`), one that perhaps was (`Lost`). Made for
the loopback between a gateway and its own pieces, not for the world. httptools parses.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

import httptools

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

FULL = 256 * 1024
"""Bytes of an answer that wait to be passed on, before no more are read."""

LONGEST_IDLE = 3.0
"""Seconds after which a free connection is not used again: the other side may be about to close it (uvicorn: after 5)."""

CONNECT = 5.0
"""Seconds for a connection to be made."""

Header = tuple[bytes, bytes]


class Unsent(Exception):
    """Nobody has read anything of the request."""


class Lost(Exception):
    """The request was sent, and no answer came."""


class Reply:
    """An answer as it comes."""

    def __init__(self, line: Connection, status: int, headers: list[Header]) -> None:
        self._line = line
        self._kept: bytes | None = None
        self.status = status
        self.headers = headers

    def keep(self, body: bytes) -> None:
        """Have the body, which was read already, to be read again."""
        self._kept = body

    @property
    def endless(self) -> bool:
        """Whether nobody knows how long it is."""
        return self._line.streams and self._kept is None

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body. `Lost` where it breaks off."""
        async for chunk in self._line.body():
            yield chunk

    async def whole(self) -> bytes:
        """The body at once."""
        if self._kept is not None:
            return self._kept
        return b"".join([chunk async for chunk in self.chunks()])

    def abandon(self) -> None:
        """Nobody wants the rest."""
        self._line.close()


class Connection(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._head: asyncio.Future[Reply] | None = None
        self._headers: list[Header] = []
        self._chunks: deque[bytes] = deque()
        self._waiting = 0
        self._news: asyncio.Future[None] | None = None
        self._complete = False
        self._bodiless = False
        self._goes_on = False
        self._paused = False
        self.closed = False
        self.freed = 0.0
        self.streams = False

    async def ask(self, request: bytes) -> Reply:
        """Send it; the answer, once its head is there."""
        assert self._transport is not None
        self._headers, self._complete, self._goes_on, self.streams = [], False, False, True
        self._chunks.clear()
        self._waiting = 0
        self._bodiless = request.startswith(b"HEAD ")
        self._head = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._head
        except BaseException:
            self.close()
            raise

    async def body(self) -> AsyncIterator[bytes]:
        """The body, chunk by chunk."""
        try:
            while True:
                while self._chunks:
                    chunk = self._chunks.popleft()
                    self._waiting -= len(chunk)
                    self._take_more()
                    yield chunk
                if self._complete:
                    break
                if self.closed:
                    raise Lost("the answer broke off")
                self._news = asyncio.get_running_loop().create_future()
                await self._news
        finally:
            if self._complete and not self.closed and self._goes_on:
                self.freed = self._upstream.loop.time()
                self._upstream.idle.append(self)
            else:
                self.close()

    def close(self) -> None:
        """Give it up."""
        if self._transport is not None:
            self._transport.abort()
        self.closed = True
        self._upstream.forget(self)

    def fail(self, wrong: Exception) -> None:
        """Whoever waits for an answer waits no longer."""
        if self._head is not None and not self._head.done():
            self._head.set_exception(wrong)
        self.close()

    def _take_more(self) -> None:
        if self._paused and self._waiting < FULL // 2 and self._transport is not None and not self.closed:
            self._paused = False
            self._transport.resume_reading()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    # What asyncio says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol`."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as wrong:
            self.fail(Lost(f"what it answered is no HTTP: {wrong}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.BaseProtocol`."""
        self.closed = True
        self._upstream.forget(self)
        if self._head is not None and not self._head.done():
            self._head.set_exception(Lost("the connection ended before there was an answer"))
        self._tell()

    # What the parser says.

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._headers.append((name.lower(), value))
        if name.lower() == b"content-length":
            self.streams = False

    def on_headers_complete(self) -> None:
        """All of them."""
        if self._head is not None and not self._head.done():
            self._head.set_result(Reply(self, self._parser.get_status_code(), self._headers))
        # The parser does not know of HEAD and waits for a body: such a connection is not used again, `_goes_on` stays False.
        self._complete = self._bodiless

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self._chunks.append(body)
        self._waiting += len(body)
        if self._waiting > FULL and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._tell()

    def on_message_complete(self) -> None:
        """All of it."""
        self._complete = True
        self._goes_on = self._parser.should_keep_alive()
        self._tell()


class Upstream:
    """A piece that is asked. Belongs to one event loop."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.loop = asyncio.get_running_loop()
        self.idle: deque[Connection] = deque()
        self._open: set[Connection] = set()

    async def ask(self, request: bytes, *, patience: float) -> Reply:
        """Send a request over a connection that is free, or a new one. `Unsent`, or `Lost` after `patience` seconds as well."""
        line = self._free() or await self._connect()
        try:
            async with asyncio.timeout(patience):
                return await line.ask(request)
        except TimeoutError:
            raise Lost(f"no answer within {patience:g} seconds") from None

    def _free(self) -> Connection | None:
        while self.idle:
            line = self.idle.pop()
            if not line.closed and self.loop.time() - line.freed < LONGEST_IDLE:
                return line
            line.close()
        return None

    async def _connect(self) -> Connection:
        try:
            async with asyncio.timeout(CONNECT):
                _, line = await self.loop.create_connection(lambda: Connection(self), self.host, self.port)
        except (OSError, TimeoutError) as wrong:
            raise Unsent(str(wrong) or "it takes no connection") from wrong
        self._open.add(line)
        return line

    def forget(self, line: Connection) -> None:
        """The connection is no more."""
        self._open.discard(line)

    def let_go(self) -> None:
        """Use none of the free connections again: what is under way is finished."""
        while self.idle:
            self.idle.pop().close()

    def abandon(self, why: str) -> None:
        """End everything: whoever waits is told `Lost`."""
        for line in tuple(self._open):
            line.fail(Lost(why))
        self.idle.clear()


def request_of(method: str, target: bytes, headers: Sequence[Header], body: bytes) -> bytes:
    """A request as it is sent."""
    lines = [method.encode(), b" ", target, b" HTTP/1.1\r\n"]
    for name, value in headers:
        lines += (name, b": ", value, b"\r\n")
    if body or method not in ("GET", "HEAD"):
        lines.append(b"content-length: %d\r\n" % len(body))
    lines += (b"\r\n", body)
    return b"".join(lines)

"""Answers without an end: server-sent events, until the listener goes away or the server stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack, aclosing
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from starlette.responses import Response

from actum.journal.errors import Denied

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from starlette.types import Receive, Scope, Send

    from actum.http.served import Gate

MEDIA_TYPE = "text/event-stream"

LOOK_AGAIN = 1.0
"""Seconds for which whoever was let in may hear more without being asked again who they are."""

DENIED = b'event: closing\ndata: {"reason":"you may not hear more; say again who you are"}\n\n'
"""The last words to whom that is not allowed any more."""

PieceT = TypeVar("PieceT")
Still: TypeAlias = Callable[[], object]
"""Raises `Denied` once whoever was let in may not be here any more."""


class Stream(Response):
    """Sends what it is given, a piece at a time: the next one is asked for only when there is room for it.

    Takes a place behind the gate for as long as it lasts. The problem `busy` where there is none. Ends once `still` raises
    `Denied`, which is asked before a piece is sent, though not more often than once a second.
    """

    def __init__(self, pieces: AsyncGenerator[bytes, None], gate: Gate, *, still: Still = lambda: None) -> None:
        super().__init__(b"", 200, {"cache-control": "no-store", "x-accel-buffering": "no"}, MEDIA_TYPE)
        del self.headers["content-length"]
        self._pieces = watched(pieces, still, last=DENIED)
        self._place = ExitStack()
        self._place.enter_context(gate.enter())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        with self._place:
            async with aclosing(self._pieces):
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                if scope["method"] != "HEAD":
                    await _first_of(_send(self._pieces, send), _gone(receive))
                else:
                    await send({"type": "http.response.body", "body": b""})


async def watched(pieces: AsyncGenerator[PieceT, None], still: Still, *, last: PieceT) -> AsyncGenerator[PieceT, None]:
    """The pieces, for as long as whoever listens may hear them; then the `last` words."""
    looked = time.monotonic()
    async with aclosing(pieces):
        async for piece in pieces:
            if time.monotonic() - looked >= LOOK_AGAIN:
                looked = time.monotonic()
                try:
                    still()
                except Denied:
                    yield last
                    return
            yield piece


async def _send(pieces: AsyncGenerator[bytes, None], send: Send) -> None:
    async for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Until one of them is done; the others are given up."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in done:
        if isinstance(outcome, Exception):
            raise outcome

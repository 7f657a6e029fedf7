"""The bodies of requests on their way through a gateway: each of them bounded, all of them together, and in good time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from actum.http.problem import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from actum.http.specified import Receive


class Bodies:
    """What all requests together have brought along and not yet delivered, in bytes."""

    def __init__(self, *, one: int, together: int, patience: float) -> None:
        self._one = one
        self._together = together
        self._patience = patience
        self.carried = 0

    @asynccontextmanager
    async def carry(self, receive: Receive, *, length: str | None) -> AsyncIterator[bytes]:
        """The body of a request, kept for the time of the block; `length` is what was said of it.

        The problem `too-large`, told before anything is read where that was said; `too-slow`; `busy` where too much is carried.
        """
        body = bytearray()
        if length is not None and length.isdecimal() and int(length[:19]) > self._one:
            raise self._too_large()
        try:
            try:
                async with asyncio.timeout(self._patience):
                    await self._take_in(body, receive)
            except TimeoutError:
                raise Problem("too-slow", f"the body did not arrive within {self._patience:g} seconds") from None
            yield bytes(body)
        finally:
            self.carried -= len(body)

    async def _take_in(self, body: bytearray, receive: Receive) -> None:
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise Problem("invalid", "the sender went away before the body was complete")
            piece = message.get("body", b"")
            if len(body) + len(piece) > self._one:
                raise self._too_large()
            if self.carried + len(piece) > self._together:
                why = f"{self.carried} bytes of requests are under way, about the most there may be"
                raise Problem("busy", why, headers={"Retry-After": "1"})
            self.carried += len(piece)
            body += piece
            if not message.get("more_body", False):
                return

    def _too_large(self) -> Problem:
        return Problem("too-large", f"the body has more than {self._one} bytes", limit=self._one)

"""Questions that stay open: the answer, and the answer again whenever the views have moved on and it is another one.

Whoever asks the same shares one answer: it is worked out once for each position of the views, however many listen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from actum.http.feed import CLOSING, block_of, heartbeat
from actum.journal.event import Position
from actum.journal.message import to_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from actum.http.limits import Limits
    from actum.projection.query import Query
    from actum.service.running import Running

Looked: TypeAlias = tuple[Position, bytes]
Reading: TypeAlias = Callable[[Callable[[], Looked]], Awaitable[Looked]]
"""Does it where reading may block."""

LOOK_ANYWAY = 1.0
"""Seconds after which the views are looked at without having been told: another process may keep them up."""


class Live:
    """The open questions of a door. Belongs to the event loop of the first that is asked."""

    def __init__(self, running: Running, read: Reading, limits: Limits) -> None:
        self._running = running
        self._read = read
        self._limits = limits
        self._questions: dict[tuple[type[Query], bytes], _Question] = {}
        self._changed = asyncio.Event()
        self._stop_listening: Callable[[], None] | None = None
        self._ended = False

    async def answers(self, question: Query) -> AsyncGenerator[bytes, None]:
        """The answer now, and each time it is another one, written out; for as long as the server goes on."""
        self._listen()
        limits = self._limits
        shared = self._shared(question)
        said: bytes | None = None
        silent = time.monotonic()
        yield b"retry: 2000\n\n"
        while not self._ended:
            changed = self._changed
            position, body = await shared.answer(limits.live)
            if body != said:
                said, silent = body, time.monotonic()
                yield block_of(body, id=position)
            elif time.monotonic() - silent >= limits.heartbeat:
                silent = time.monotonic()
                yield heartbeat(position)
            await self._pause(changed, limits.live)
        yield CLOSING

    def end(self) -> None:
        """Let every listener go, with a hint to come again."""
        self._ended = True
        if self._stop_listening is not None:
            self._stop_listening()
        self._tell()

    async def _pause(self, changed: asyncio.Event, least: float) -> None:
        try:
            async with asyncio.timeout(LOOK_ANYWAY):
                await changed.wait()
        except TimeoutError:
            return
        if not self._ended:
            await asyncio.sleep(least)

    def _shared(self, question: Query) -> _Question:
        key = type(question), to_json(question)
        for forgotten in [key for key, one in self._questions.items() if one.idle]:
            del self._questions[forgotten]
        return self._questions.setdefault(key, _Question(self._running, self._read, question))

    def _listen(self) -> None:
        if self._stop_listening is None:
            loop = asyncio.get_running_loop()
            progress = self._running.views.progress
            self._stop_listening = progress.listen(lambda: loop.call_soon_threadsafe(self._tell))

    def _tell(self) -> None:
        told, self._changed = self._changed, asyncio.Event()
        told.set()


class _Question:
    """One question that somebody, or many, have left open."""

    def __init__(self, running: Running, read: Reading, question: Query) -> None:
        self._running = running
        self._read = read
        self._question = question
        self._views = tuple(running.app.answer(type(question)).tables.values())
        self._lock = asyncio.Lock()
        self._looked = 0.0
        self._position: Position = -1
        self._body = b""

    @property
    def idle(self) -> bool:
        """Whether nobody has asked for a while."""
        return time.monotonic() - self._looked > 10 * LOOK_ANYWAY

    async def answer(self, fresh: float) -> tuple[Position, bytes]:
        """The position of the views and the answer; one that is not older than `fresh` seconds will do."""
        async with self._lock:
            if time.monotonic() - self._looked >= fresh / 2 or self._position < 0:
                self._position, self._body = await self._read(self._look)
                self._looked = time.monotonic()
            return self._position, self._body

    def _look(self) -> tuple[Position, bytes]:
        position = self._running.views.shown(*self._views)
        return position, self._body if position == self._position else to_json(self._running.ask(self._question))

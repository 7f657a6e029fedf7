"""The newest events, read and written out once for all who follow; whoever is further behind reads the journal itself.

Nobody is sent anything: each follower takes what it has room for, when it has room for it. A slow one so costs no memory, and
misses nothing: positions have no gaps, so it is certain what comes next.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec

from actum.http.answers import recording_of
from actum.journal.event import Position, SequencedEvent
from actum.journal.message import to_json
from actum.journal.query import Query
from actum.subscription.patience import pause

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from actum.http.choice import Choice
    from actum.journal.codec import Codec
    from actum.journal.store import EventStore

_LOG = logging.getLogger(__name__)

KEPT = 2000
"""How many of the newest events are kept in memory for all followers together."""

KEPT_BYTES = 8 * 1024 * 1024
"""How many bytes of them."""

PAGE = 200
"""How many events one who is behind reads at once."""

PIECE = 64 * 1024
"""How many bytes go out at once, or one event where it has more."""

LOOK_ANYWAY = 1.0
"""Seconds after which the journal is looked at without having been rung."""

CLOSING = b'retry: 500\nevent: closing\ndata: {"reason":"about to stop; come again, and go on where this ends"}\n\n'
"""The last words of a feed whose server stops."""


class Entry(msgspec.Struct, frozen=True):
    """An event and how it is written on the wire."""

    stored: SequencedEvent
    block: bytes


def block_of(data: bytes, *, id: Position, event: str | None = None) -> bytes:
    """A server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    name = b"" if event is None else b"event: %s\n" % event.encode()
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\ndata: ")
    return b"id: %d\n%sdata: %s\n\n" % (id, name, lines)


def heartbeat(position: Position) -> bytes:
    """Says that all is well, and where to go on from; programs that listen are told nothing."""
    return b": %d\nid: %d\n\n" % (position, position)


class Feed:
    """One for a door. Belongs to the event loop of its first follower."""

    def __init__(self, store: EventStore, codec: Codec) -> None:
        self._store = store
        self._codec = codec
        self._window: dict[Position, Entry] = {}
        self._bytes = 0
        self._head: Position = 0
        self._changed = asyncio.Event()
        self._rung = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._stop_watching: Callable[[], None] = lambda: None
        self.trouble: Exception | None = None
        """What keeps new events from all who follow, until it is over."""
        self.ended = False

    async def follow(self, choice: Choice, *, after: Position, heartbeats: float) -> AsyncGenerator[bytes, None]:
        """The chosen events behind that position and those that come, written out, for as long as the feed goes on."""
        await self._start()
        place = after
        yield b"retry: 2000\n\n"
        while not self.ended:
            changed = self._changed
            piece, reached = await self._next(choice, place)
            if piece:
                yield piece
            if reached > place:
                place = reached
                continue
            try:
                async with asyncio.timeout(heartbeats):
                    await changed.wait()
            except TimeoutError:
                yield heartbeat(place)
        yield CLOSING

    async def end(self) -> None:
        """Let every follower go, with a hint to come again."""
        self.ended = True
        self._stop_watching()
        self._tell()
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])

    # What comes next for one follower.

    async def _next(self, choice: Choice, place: Position) -> tuple[bytes, Position]:
        """Some of what is chosen behind that place, and up to where it reaches."""
        if place >= self._head:
            return b"", place
        if place + 1 in self._window:
            return self._from_window(choice, place)
        return await asyncio.to_thread(self._from_journal, choice, place)

    def _from_window(self, choice: Choice, place: Position) -> tuple[bytes, Position]:
        piece: list[bytes] = []
        size = 0
        while size < PIECE and (entry := self._window.get(place + 1)) is not None:
            place += 1
            if choice.query.matches(entry.stored.type, entry.stored.tags) and choice.wants(entry.stored):
                piece.append(entry.block)
                size += len(entry.block)
        return b"".join(piece), place

    def _from_journal(self, choice: Choice, place: Position) -> tuple[bytes, Position]:
        piece: list[bytes] = []
        size = seen = 0
        head = self._head
        for stored in self._store.read(choice.query, after=place, until=head, limit=PAGE):
            place, seen = stored.position, seen + 1
            if choice.wants(stored):
                piece.append(self._block(stored))
                size += len(piece[-1])
            if size >= PIECE:
                return b"".join(piece), place
        return b"".join(piece), place if seen == PAGE else head

    def _block(self, stored: SequencedEvent) -> bytes:
        return block_of(to_json(recording_of(stored, self._codec)), id=stored.position)

    # The newest events.

    async def _start(self) -> None:
        async with self._starting:
            if self._pump is None:
                loop = asyncio.get_running_loop()
                self._head = await asyncio.to_thread(self._store.head)
                self._stop_watching = self._store.watch(lambda _: _call(loop, self._rung.set))
                self._pump = asyncio.create_task(self._pumping(), name="actum-feed")

    async def _pumping(self) -> None:
        """Goes on for as long as the feed does: a journal that is away is asked until it is back."""
        attempts = 0
        while not self.ended:
            try:
                fresh = await asyncio.to_thread(self._fresh, self._head)
            except Exception as wrong:  # noqa: BLE001 - whatever it is, nobody else would go on
                attempts += 1
                self._say(wrong)
                await asyncio.sleep(pause(attempts))
                continue
            attempts, self.trouble = 0, None
            if fresh:
                self._keep(fresh)
            else:
                await self._rest()

    def _say(self, wrong: Exception) -> None:
        if self.trouble is None:
            _LOG.warning("the feed waits at position %d: %s", self._head, wrong, exc_info=wrong)
        self.trouble = wrong

    async def _rest(self) -> None:
        """Until there is something new, perhaps."""
        try:
            async with asyncio.timeout(LOOK_ANYWAY):
                await self._rung.wait()
        except TimeoutError:
            pass
        self._rung.clear()

    def _fresh(self, after: Position) -> list[Entry]:
        found = self._store.read(Query.all(), after=after, limit=PAGE)
        return [Entry(stored, self._block(stored)) for stored in found]

    def _keep(self, fresh: list[Entry]) -> None:
        for entry in fresh:
            self._window[entry.stored.position] = entry
            self._bytes += 2 * len(entry.block)
        self._head = fresh[-1].stored.position
        while self._window and (len(self._window) > KEPT or self._bytes > KEPT_BYTES):
            oldest = self._window.pop(next(iter(self._window)))
            self._bytes -= 2 * len(oldest.block)
        self._tell()

    def _tell(self) -> None:
        told, self._changed = self._changed, asyncio.Event()
        told.set()


def _call(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)

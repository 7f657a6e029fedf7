"""A subscription follows the journal: what there is, then what comes, in order, without missing an event.

It asks the store for what is new whenever the store rings; a ring says only that it is worth looking. So nothing is
lost between looking and waiting, and a ring that comes early, twice or merged with another does no harm.
"""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Self

from actum.journal.bell import Bell
from actum.journal.errors import Unavailable
from actum.journal.event import LAST_POSITION, checked_position
from actum.journal.query import Query

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import TracebackType

    from actum.journal.event import Position, SequencedEvent
    from actum.journal.store import EventStore

PAGE = 500
"""How many events an awaiting subscriber fetches at once."""

LOOK_ANYWAY = 1.0
"""Seconds after which one looks without having been rung."""


class Subscription:
    """Follows what matches `query`, from behind position `after` on. Iterate over it, or `async for`; it ends by `close`.

    One iteration at a time; the next one goes on where the last one stopped. Waiting costs an awaiter no thread.
    """

    def __init__(self, store: EventStore, query: Query | None = None, *, after: Position = 0) -> None:
        self._store = store
        self._query = Query.all() if query is None else query
        self._position = checked_position(after, "after")
        self._ended = threading.Event()
        self._bell = Bell()
        self._stop = store.watch(self._bell.ring)

    @property
    def position(self) -> Position:
        """Everything up to here was given or does not match."""
        return self._position

    def close(self) -> None:
        """End every iteration, also one that waits in another thread."""
        self._ended.set()
        self._stop()
        self._bell.ring(LAST_POSITION)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[SequencedEvent]:
        while not self._ended.is_set():
            head = self._head()
            for event in self._read(head):
                self._position = event.position
                yield event
                if self._ended.is_set():
                    return
            self._pass(head)
            self._bell.wait(self._position + 1, timeout=LOOK_ANYWAY)

    async def __aiter__(self) -> AsyncIterator[SequencedEvent]:
        import asyncio  # noqa: PLC0415 - half of what `import actum` may cost

        while not self._ended.is_set():
            head, events = await asyncio.to_thread(self._next_page)
            for event in events:
                self._position = event.position
                yield event
                if self._ended.is_set():
                    return
            if len(events) < PAGE:
                self._pass(head)
                await self._bell.wait_async(self._position + 1, timeout=LOOK_ANYWAY)

    def _head(self) -> Position:
        """The head, 0 where the journal was closed together with this."""
        try:
            return self._store.head()
        except Unavailable:
            if self._ended.is_set():
                return 0
            raise

    def _read(self, head: Position) -> Iterator[SequencedEvent]:
        if head <= self._position:
            return iter(())
        return self._store.read(self._query, after=self._position, until=head)

    def _next_page(self) -> tuple[Position, list[SequencedEvent]]:
        head = self._head()
        return head, list(itertools.islice(self._read(head), PAGE))

    def _pass(self, head: Position) -> None:
        """Nothing more matches up to there."""
        self._position = max(self._position, head)

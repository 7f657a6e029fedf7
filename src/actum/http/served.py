"""What a door serves: a running application, its limits and counters, and how many are inside just now."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from actum.history.as_of import position_at
from actum.http.feed import Feed
from actum.http.live import Live
from actum.http.metrics import Metrics
from actum.http.problem import Problem
from actum.http.receipts import Receipts

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from actum.history.as_of import Moment
    from actum.http.limits import Limits
    from actum.http.security import Guard
    from actum.journal.event import Position
    from actum.service.running_async import AsyncRunning

ResultT = TypeVar("ResultT")
ArgsP = ParamSpec("ArgsP")


class Gate:
    """Lets in so many at once; whoever comes too many is told to come again, at once and at no cost."""

    def __init__(self, what: str, most: int) -> None:
        self._what = what
        self._most = most
        self._empty = asyncio.Event()
        self._empty.set()
        self.inside = 0

    @contextmanager
    def enter(self) -> Generator[None, None, None]:
        """Be inside for the time of the `with` block. The problem `busy` where it is full."""
        if self.inside >= self._most:
            raise Problem(
                "busy", f"{self.inside} {self._what} are under way, the most there may be", headers={"Retry-After": "1"}
            )
        self.inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self.inside -= 1
            if not self.inside:
                self._empty.set()

    async def emptied(self) -> None:
        """Until nobody is inside."""
        await self._empty.wait()


class Served:
    """One running application behind one door."""

    def __init__(self, running: AsyncRunning, limits: Limits, *, guard: Guard | None = None) -> None:
        self.running = running
        self.guard = guard
        self.draining = False
        self.app = running.app
        self.limits = limits
        self.metrics = Metrics()
        self.commands = Gate("commands", limits.commands)
        self.reads = Gate("reads", limits.reads)
        self.feeds = Gate("feeds", limits.feeds)
        self.feed = Feed(running.running.store, running.app.codec)
        self.live = Live(running.running, self.read, limits)
        self.receipts = Receipts(running.running.store)

    async def end_feeds(self) -> None:
        """Let all who follow go, with a hint to come again."""
        self.live.end()
        await self.feed.end()

    async def read(self, call: Callable[ArgsP, ResultT], /, *args: ArgsP.args, **kwargs: ArgsP.kwargs) -> ResultT:
        """Do it in a thread, where reading may block."""
        with self.reads.enter():
            return await asyncio.to_thread(call, *args, **kwargs)

    def there(self, moment: Moment | None, what: str) -> None:
        """`not-yet` for a position that the journal has not reached."""
        if isinstance(moment, int):
            head = self.running.running.head()
            if moment > head:
                raise Problem("not-yet", f"{what}: position {moment} is from the future, the journal ends at {head}")

    def affordable(self, at: Moment | None) -> None:
        """`too-costly` where a view as of that moment would have to fold more events than the limit says."""
        store, most = self.running.running.store, self.limits.replay
        if at is not None and position_at(store, at) > most:
            raise Problem(
                "too-costly", f"a view as of that moment folds more than {most:,} events; ask for one row, or a state"
            )

    async def wait_for(self, position: Position | None, timeout: float) -> None:
        """Until the views show that position, where one is named."""
        if position is not None:
            await self.read(self.there, position, "wait_for")
            await self.running.wait_for(position, timeout=timeout)

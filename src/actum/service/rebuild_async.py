"""The asynchronous twin of `Rebuild`: the same verbs, awaited; each hops to a thread once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic

from actum.projection.changed import SHOWN
from actum.projection.view import ViewT

if TYPE_CHECKING:
    from actum.journal.event import Position
    from actum.projection.build import Pace
    from actum.projection.difference import Difference
    from actum.projection.projector import Progressed
    from actum.projection.view import View
    from actum.service.declared import Declared
    from actum.service.rebuild import Rebuild
    from actum.service.rebuild_rows import RowsRebuild


class AsyncRebuild(Generic[ViewT]):
    """Made by `AsyncRunning.rebuild`. Cancelling an awaiter abandons its answer; the build goes on."""

    def __init__(self, rebuild: Rebuild[ViewT]) -> None:
        self.rebuild = rebuild
        """The same for callers who block."""

    @property
    def view(self) -> type[ViewT]:
        """See `Rebuild.view`."""
        return self.rebuild.view

    def progress(self) -> Pace:
        """See `Rebuild.progress`."""
        return self.rebuild.progress()

    async def pause(self) -> None:
        """See `Rebuild.pause`."""
        await asyncio.to_thread(self.rebuild.pause)

    async def resume(self) -> None:
        """See `Rebuild.resume`."""
        await asyncio.to_thread(self.rebuild.resume)

    async def wait(self, *, timeout: float | None = None, progress: Progressed | None = None) -> None:
        """See `Rebuild.wait`."""
        await asyncio.to_thread(self.rebuild.wait, timeout=timeout, progress=progress)

    async def cancel(self, *, actor: str | None = None, reason: str | None = None) -> Position:
        """See `Rebuild.cancel`."""
        return await asyncio.to_thread(self.rebuild.cancel, actor=actor, reason=reason)

    async def diff(self, *, old: type[View] | Declared | None = None, limit: int = SHOWN) -> Difference:
        """See `Rebuild.diff`."""
        return await asyncio.to_thread(self.rebuild.diff, old=old, limit=limit)

    async def switch(
        self, diffed: Difference | str | None = None, *, actor: str | None = None, reason: str | None = None
    ) -> Position:
        """See `Rebuild.switch`."""
        return await asyncio.to_thread(self.rebuild.switch, diffed, actor=actor, reason=reason)


class AsyncRowsRebuild(Generic[ViewT]):
    """Made by `AsyncRunning.rebuild_rows`."""

    def __init__(self, rebuild: RowsRebuild[ViewT]) -> None:
        self.rebuild = rebuild
        """The same for callers who block."""

    @property
    def view(self) -> type[ViewT]:
        """See `RowsRebuild.view`."""
        return self.rebuild.view

    @property
    def count(self) -> int:
        """See `RowsRebuild.count`."""
        return self.rebuild.count

    async def diff(self, *, limit: int = SHOWN) -> Difference:
        """See `RowsRebuild.diff`."""
        return await asyncio.to_thread(self.rebuild.diff, limit=limit)

    async def switch(
        self, diffed: Difference | None = None, *, actor: str | None = None, reason: str | None = None
    ) -> Position:
        """See `RowsRebuild.switch`."""
        return await asyncio.to_thread(self.rebuild.switch, diffed, actor=actor, reason=reason)

"""Something that is opened by whoever is first to need it, and closed as a whole. An attempt that fails leaves nothing open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Generic, TypeVar

ThingT = TypeVar("ThingT")

HELD_OFF = 1.0
"""Seconds after a failed attempt in which everybody is told of it, and no other is made."""


class Opening(Generic[ThingT]):
    """`make` opens it, and leaves with the stack how each part of it is closed."""

    def __init__(self, make: Callable[[AsyncExitStack], Awaitable[ThingT]]) -> None:
        self._make = make
        self._one = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._failed: Exception | None = None
        self.again = 0.0
        """When the next attempt may be made, by the monotonic clock."""
        self.thing: ThingT | None = None
        """What is open, where it is."""

    async def opened(self) -> ThingT:
        """The thing; opened where it is not."""
        if self.thing is not None:
            return self.thing
        async with self._one:
            if self.thing is None:
                self.thing = await self._attempt()
            return self.thing

    async def close(self) -> None:
        """Close it, where it is open. It may be opened again."""
        async with self._one:
            self.thing = None
            await self._stack.aclose()

    async def _attempt(self) -> ThingT:
        if self._failed is not None and time.monotonic() < self.again:
            raise self._failed.with_traceback(None)
        async with AsyncExitStack() as stack:
            try:
                made = await self._make(stack)
            except Exception as wrong:
                self._failed, self.again = wrong, time.monotonic() + HELD_OFF
                raise
            self._stack = stack.pop_all()
        self._failed = None
        return made

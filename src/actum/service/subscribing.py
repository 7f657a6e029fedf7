"""A query subscribed to: its answer now, and again whenever it has become another one."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from actum.journal.errors import Invalid
from actum.subscription.runner import LOOK_ANYWAY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from actum.projection.query import AnswerT, Query
    from actum.service.views import Views

PAUSE = 0.05
"""Seconds between two answers at the least: what changes meanwhile is in the next one."""


def checked_pause(pause: float) -> float:
    """The pause itself; `Invalid` where it is negative."""
    if not pause >= 0:
        raise Invalid(f"pause: expected seconds from 0, found {pause!r}")
    return pause


def answers(views: Views, query: Query[AnswerT], *, pause: float) -> Iterator[AnswerT]:
    """The answer, and each other one that follows, for ever. Looks when the views have moved, and every second anyway."""
    moved = threading.Event()
    stop = views.progress.listen(moved.set)
    try:
        answer = views.ask(query)
        yield answer
        while True:
            moved.wait(LOOK_ANYWAY)
            moved.clear()
            before, answer = answer, views.ask(query)
            if answer != before:
                yield answer
                time.sleep(pause)
    finally:
        stop()


async def answers_async(views: Views, query: Query[AnswerT], *, pause: float) -> AsyncIterator[AnswerT]:
    """The same, awaited: between two answers it costs no thread."""
    import asyncio  # noqa: PLC0415 - half of what `import actum` may cost

    loop, moved = asyncio.get_running_loop(), asyncio.Event()
    stop = views.progress.listen(lambda: loop.call_soon_threadsafe(moved.set))
    try:
        answer = await asyncio.to_thread(views.ask, query)
        yield answer
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(moved.wait(), LOOK_ANYWAY)
            moved.clear()
            before, answer = answer, await asyncio.to_thread(views.ask, query)
            if answer != before:
                yield answer
                await asyncio.sleep(pause)
    finally:
        stop()

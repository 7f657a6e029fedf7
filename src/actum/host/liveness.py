"""Whether a piece still answers: asked at its `/health`, again and again, for as long as it is to run.

Busy is not dead: who answers late has answered, and only who answers nothing, several times in a row, hangs. What
counts is that anything is said, not what: what ails a service its own words tell, and to begin it again would not mend that.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

ASKS = 3
"""So often in a row nothing must have been answered."""

BREATH = 5.0
"""Seconds between two asks, where the last one was answered; less where the patience is shorter."""

_ASK = b"GET /health HTTP/1.1\r\nhost: %s\r\nconnection: close\r\n\r\n"


async def until_it_hangs(url: str, *, silence: float, is_to_answer: Callable[[], bool], breath: float = BREATH) -> None:
    """Until the piece at `url` has answered nothing for `silence` seconds in all.

    While it is not to answer, because somebody paused it or it ends, it is not asked, and what was is forgotten. The seconds
    are those of this loop: a machine, or a host, that stood still itself for a while takes nobody for dead.
    """
    patience = silence / ASKS
    silences = 0
    while silences < ASKS:
        if silences == 0:
            await asyncio.sleep(min(breath, patience))
        answered = is_to_answer() and await _answers(url, patience)
        silences = 0 if answered or not is_to_answer() else silences + 1


async def _answers(url: str, patience: float) -> bool:
    """Whether anything is answered within so many seconds. One that takes no connection has all of them as well."""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            try:
                return await _asked(url)
            except OSError:
                await asyncio.sleep(patience)
    return False


async def _asked(url: str) -> bool:
    there = urlsplit(url)
    reader, writer = await asyncio.open_connection(there.hostname, there.port)
    try:
        writer.write(_ASK % there.netloc.encode())
        return bool(await reader.read(1))
    finally:
        writer.close()

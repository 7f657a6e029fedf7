"""What has changed in the user's code, by looking at its files now and then."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

LOOK = 0.3
"""Seconds between two looks."""

SETTLED = 0.1
"""Seconds for which nothing more must have changed: editors write several files, some of them twice."""

Seen = dict[str, tuple[int, int]]


def seen_in(folders: Iterable[str]) -> Seen:
    """The Python files there, each with when it was changed and how long it is."""
    found: Seen = {}
    for folder in folders:
        for at, inner, names in os.walk(folder):
            inner[:] = [
                name for name in inner if not name.startswith(".") and name not in ("__pycache__", "node_modules")
            ]
            for name in names:
                if name.endswith(".py"):
                    path = os.path.join(at, name)  # noqa: PTH118 - thousands of them several times a second
                    try:
                        about = os.stat(path)  # noqa: PTH116
                    except OSError:
                        continue
                    found[path] = about.st_mtime_ns, about.st_size
    return found


def changed(before: Seen, after: Seen) -> set[str]:
    """The files that are new, gone or other ones."""
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


async def changes(folders: Iterable[str]) -> AsyncIterator[set[str]]:
    """The files that have changed, each time that some have and then rest."""
    folders = tuple(folders)
    before = await asyncio.to_thread(seen_in, folders)
    while True:
        await asyncio.sleep(LOOK)
        now = await asyncio.to_thread(seen_in, folders)
        if now == before:
            continue
        while True:
            await asyncio.sleep(SETTLED)
            later = await asyncio.to_thread(seen_in, folders)
            if later == now:
                break
            now = later
        yield changed(before, now)
        before = now

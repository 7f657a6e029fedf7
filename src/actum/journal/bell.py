"""The one place that wakes whoever waits for news: followers in threads, awaiters on event loops.

A bell knows the newest position and who waits for one; it never polls and asks nothing of a store.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from actum.journal.event import Position

_LOG = logging.getLogger(__name__)


class Bell:
    """Rung with ever newer positions; wakes everyone who waits for one of them. Safe to share between threads.

    A listener that raises is logged and changes nothing for the ringer and the other listeners.
    """

    def __init__(self, position: Position = 0) -> None:
        self._position = position
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._waiting = 0
        self._listeners: dict[int, Callable[[Position], None]] = {}
        self._next = 0

    @property
    def position(self) -> Position:
        """The newest position that was rung."""
        return self._position

    def ring(self, position: Position) -> None:
        """Make it known that this position exists. An older one than known is ignored."""
        with self._lock:
            if position <= self._position:
                return
            self._position = position
            if self._waiting:
                self._changed.notify_all()
            listeners = tuple(self._listeners.values())
        for listener in listeners:
            try:
                listener(position)
            except Exception:  # noqa: BLE001 - whatever it is
                # Whoever rings has news of something that is done; a listener's trouble is not the ringer's.
                _LOG.exception("a listener failed when it was rung with position %s", position)

    def listen(self, listener: Callable[[Position], None]) -> Callable[[], None]:
        """Call `listener` at every ring, in the ringing thread; the answer stops that, and may be given twice."""
        with self._changed:
            number = self._next = self._next + 1
            self._listeners[number] = listener

        def stop() -> None:
            with self._changed:
                self._listeners.pop(number, None)

        return stop

    def wait(self, position: Position, *, timeout: float | None = None) -> bool:
        """Block until that position was rung, or `timeout` seconds have passed; whether it was."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            self._waiting += 1
            try:
                while self._position < position:
                    left = None if deadline is None else deadline - time.monotonic()
                    if left is not None and left <= 0:
                        return False
                    self._changed.wait(left)
            finally:
                self._waiting -= 1
        return True

    async def wait_async(self, position: Position, *, timeout: float | None = None) -> bool:
        """The same, awaited: costs no thread."""
        import asyncio  # noqa: PLC0415 - whoever awaits has it; for all others it is half of what `import actum` costs

        loop = asyncio.get_running_loop()
        rung = asyncio.Event()

        def hear(newest: Position) -> None:
            if newest >= position:
                loop.call_soon_threadsafe(rung.set)

        stop = self.listen(hear)
        try:
            if self._position < position:
                await asyncio.wait_for(rung.wait(), timeout)
        except TimeoutError:
            return self._position >= position
        finally:
            stop()
        return True

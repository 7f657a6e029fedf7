"""How far somebody's work has come, and why it comes no further: what others wait for.

Unlike a bell it may go back (work begun anew) and it can fail: whoever waits is told, and does not wait for ever.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from actum.journal.errors import ActumError, Busy, Invalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from actum.journal.event import Position


def checked_timeout(seconds: float) -> float:
    """For how long somebody waits at the most. `Invalid` for what is no number of seconds from 0."""
    if type(seconds) not in (int, float) or not seconds >= 0:
        raise Invalid(f"timeout: expected seconds from 0, found {seconds!r}")
    return seconds


class Progress:
    """A position that others wait for. Safe to share between threads."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._position: Position = 0
        self._trouble: BaseException | None = None
        self._over = False
        self._changed = threading.Condition()
        self._listeners: dict[int, Callable[[], object]] = {}
        self._next = 0
        self._waiting = 0

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for a position just now."""
        return self._waiting > 0

    @contextmanager
    def _awaiting(self) -> Iterator[None]:
        with self._changed:
            self._waiting += 1
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1

    @property
    def position(self) -> Position:
        """How far the work has come."""
        return self._position

    @property
    def error(self) -> BaseException | None:
        """What stopped the work, or keeps it from going on for the moment; None while all is well."""
        return self._trouble

    def reach(self, position: Position) -> None:
        """The work has come so far, and all is well."""
        self._tell(position, None, over=False)

    def stumble(self, trouble: BaseException, *, at: Position | None = None) -> None:
        """The work met with trouble and will try again; it stands where it stood, or `at` a position."""
        self._tell(self._position if at is None else at, trouble, over=False)

    def fail(self, trouble: BaseException, *, at: Position | None = None) -> None:
        """The work has stopped, where it stood or `at` a position. Whoever waits is told at once."""
        self._tell(self._position if at is None else at, trouble, over=True)

    def _tell(self, position: Position, trouble: BaseException | None, *, over: bool) -> None:
        with self._changed:
            if (position, trouble, over) == (self._position, self._trouble, self._over):
                return
            self._position, self._trouble, self._over = position, trouble, over
            self._changed.notify_all()
            listeners = tuple(self._listeners.values())
        for listener in listeners:
            try:
                listener()
            except RuntimeError:
                continue  # An event loop was closed: nobody awaits there any more.

    def wait(self, position: Position, *, timeout: float) -> None:
        """Block until the work has come so far. `Busy` after `timeout` seconds, `Unavailable` where it cannot go on."""
        deadline = time.monotonic() + timeout
        with self._awaiting(), self._changed:
            while not self._arrived(position):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise self._late(position, timeout) from self._trouble
                self._changed.wait(left)

    async def wait_async(self, position: Position, *, timeout: float) -> None:
        """The same, awaited: costs no thread."""
        import asyncio  # noqa: PLC0415 - half of what `import actum` may cost

        loop, changed = asyncio.get_running_loop(), asyncio.Event()
        stop = self.listen(lambda: loop.call_soon_threadsafe(changed.set))
        try:
            async with asyncio.timeout(timeout):
                with self._awaiting():
                    while not self._arrived(position):
                        await changed.wait()
                        changed.clear()
        except TimeoutError:
            raise self._late(position, timeout) from self._trouble
        finally:
            stop()

    def listen(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call `listener` at every change, in the thread that made it; the answer stops that."""
        with self._changed:
            number = self._next = self._next + 1
            self._listeners[number] = listener

        def stop() -> None:
            with self._changed:
                self._listeners.pop(number, None)

        return stop

    def _arrived(self, position: Position) -> bool:
        if self._position >= position:
            return True
        if self._over:
            trouble = self._trouble
            if isinstance(trouble, ActumError):
                raise Unavailable(f"{self._what} stopped at position {self._position}: {trouble}") from trouble
            raise Unavailable(
                f"{self._what} stopped at position {self._position}: {type(trouble).__name__}: {trouble}"
            ) from trouble
        return False

    def _late(self, position: Position, timeout: float) -> Busy | Unavailable:
        waited = f"waited {timeout:g} s for {self._what} to reach position {position}, found them at {self._position}"
        if self._trouble is None:
            return Busy(f"{waited}; wait longer, or go on with what they show")
        kind = Busy if isinstance(self._trouble, Busy) else Unavailable
        return kind(f"{waited}, where they cannot go on: {self._trouble}")

"""One connection for each thread that reads, let go of once its thread has ended."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Kept = TypeVar("Kept")


class PerThread(Generic[Kept]):
    """What `make` makes, once for each thread that asks for it.

    What threads had that have ended is closed when the next one comes: there are never more than threads that live at once.
    """

    def __init__(self, make: Callable[[], Kept], *, close: Callable[[Kept], None]) -> None:
        self._make = make
        self._close = close
        self._lock = threading.Lock()
        self._local = threading.local()
        self._kept: list[tuple[threading.Thread, Kept]] = []

    def mine(self) -> Kept:
        """That of this thread."""
        mine: Kept | None = getattr(self._local, "mine", None)
        if mine is None:
            self._let_go(of_the_living=False)
            mine = self._make()
            self._local.mine = mine
            with self._lock:
                self._kept.append((threading.current_thread(), mine))
        return mine

    def close(self) -> None:
        """Let go of all. Whoever asks later gets a new one."""
        self._local = threading.local()
        self._let_go(of_the_living=True)

    def _let_go(self, *, of_the_living: bool) -> None:
        with self._lock:
            ended = [each for each in self._kept if of_the_living or not each[0].is_alive()]
            self._kept = [each for each in self._kept if each not in ended]
        for _, one in ended:
            self._close(one)

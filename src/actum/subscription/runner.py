"""A runner: a thread that does its work whenever the journal grows, tries again after trouble, and says how far it is."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol

from actum.subscription.patience import Trouble, pause

if TYPE_CHECKING:
    from collections.abc import Callable

    from actum.journal.event import Position
    from actum.subscription.progress import Progress

_LOG = logging.getLogger(__name__)

LOOK_ANYWAY = 1.0
"""Seconds after which the work is tried without having been rung."""


class Watched(Protocol):
    """What the work is about: a journal, or what stands for one."""

    def watch(self, ring: Callable[[Position], None]) -> Callable[[], None]:
        """Call `ring` soon after it has grown; the answer stops that."""
        ...


class Runner:
    """Calls `step`, which does one piece of work and says whether there may be more, and `position` after each.

    Trouble that may pass (`Busy`, `Unavailable`) is tried again with growing pauses; any other error stops the work and is
    told to whoever waits on `progress`. Work that copes with trouble itself says so by `trouble`, and by `rest` for how
    long it may be left alone where there is nothing more to do. The thread ends with the process.
    """

    def __init__(
        self,
        store: Watched,
        step: Callable[[], bool],
        *,
        position: Callable[[], Position],
        progress: Progress,
        name: str,
        trouble: Callable[[], Trouble | None] = lambda: None,
        rest: Callable[[float], float] = float,
    ) -> None:
        self._step = step
        self._where = position
        self._trouble = trouble
        self._rest = rest
        self._progress = progress
        self._name = name
        self._stopped = False
        self._stopping = threading.Event()
        self._nudged = threading.Event()
        self._stop_watching = store.watch(self._hear)
        self._thread = threading.Thread(target=self._run, name=f"actum-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def nudge(self) -> None:
        """Have the work looked at now, also where it had stopped."""
        self._nudged.set()

    def stop(self) -> None:
        """End after the piece of work under way, and wait for that."""
        self._stopping.set()
        self._stop_watching()
        self._nudged.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _hear(self, position: Position) -> None:
        if not self._stopped:
            self._nudged.set()

    def _run(self) -> None:
        attempts = 0
        while True:
            self._nudged.clear()
            if self._stopping.is_set():
                return
            try:
                more = self._step()
                self._tell()
                attempts = 0
            except Exception as wrong:  # noqa: BLE001 - it is logged, and told to whoever waits
                attempts = self._after(Trouble(wrong, attempts + 1))
                continue
            if not more:
                self._nudged.wait(self._rest(LOOK_ANYWAY))

    def _tell(self) -> None:
        """Say how far the work is, and what it copes with."""
        trouble = self._trouble()
        if trouble is None:
            self._progress.reach(self._where())
        elif trouble.passes:
            self._progress.stumble(trouble.error, at=self._where())
        else:
            self._progress.fail(trouble.error, at=self._where())

    def _after(self, trouble: Trouble) -> int:
        """What to do after trouble; how many attempts in a row have failed."""
        if trouble.passes:
            wait = pause(trouble.attempts)
            _LOG.warning("%s: %s; trying again in %.2f s", self._name, trouble.error, wait)
            self._progress.stumble(trouble.error)
            self._stopping.wait(wait)
            return trouble.attempts
        _LOG.error("%s stopped: %s", self._name, trouble.error, exc_info=trouble.error)
        self._progress.fail(trouble.error)
        self._wait_for_help()
        return 0

    def _wait_for_help(self) -> None:
        """Until somebody nudges or stops it: that the journal grows is no reason to fail again."""
        self._stopped = True
        self._nudged.clear()
        if not self._stopping.is_set():
            self._nudged.wait()
        self._stopped = False

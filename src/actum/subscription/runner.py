"""A runner: a thread that does its work whenever the journal grows, tries again after trouble, and says how far it is."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from actum.journal.errors import Busy, Corrupted, NewerSchema, NotAJournal, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from actum.journal.event import Position
    from actum.journal.store import EventStore
    from actum.subscription.progress import Progress

_LOG = logging.getLogger(__name__)

LOOK_ANYWAY = 1.0
"""Seconds after which the work is tried without having been rung."""

FIRST_PAUSE = 0.02
"""Seconds before the first new attempt after trouble; twice as many before each next one."""

LONGEST_PAUSE = 5.0
"""Seconds between two attempts at the most."""

_FINAL = (Corrupted, NewerSchema, NotAJournal)


class Runner:
    """Calls `step`, which does one piece of work and says whether there may be more, and `position` after each.

    Trouble that may pass (`Busy`, `Unavailable`) is tried again with growing pauses; any other error stops the work and is
    told to whoever waits on `progress`. The thread ends with the process.
    """

    def __init__(
        self,
        store: EventStore,
        step: Callable[[], bool],
        *,
        position: Callable[[], Position],
        progress: Progress,
        name: str,
    ) -> None:
        self._step = step
        self._where = position
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
        pause = FIRST_PAUSE
        while True:
            self._nudged.clear()
            if self._stopping.is_set():
                return
            try:
                more = self._step()
                self._progress.reach(self._where())
                pause = FIRST_PAUSE
            except Exception as trouble:  # noqa: BLE001 - it is logged, and told to whoever waits
                pause = self._after(trouble, pause)
                continue
            if not more:
                self._nudged.wait(LOOK_ANYWAY)

    def _after(self, trouble: Exception, pause: float) -> float:
        """What to do after trouble; the next pause."""
        if isinstance(trouble, (Busy, Unavailable)) and not isinstance(trouble, _FINAL):
            _LOG.warning("%s: %s; trying again in %.2f s", self._name, trouble, pause)
            self._progress.stumble(trouble)
            self._stopping.wait(pause)
            return min(pause * 2, LONGEST_PAUSE)
        _LOG.error("%s stopped: %s", self._name, trouble, exc_info=trouble)
        self._progress.fail(trouble)
        self._wait_for_help()
        return FIRST_PAUSE

    def _wait_for_help(self) -> None:
        """Until somebody nudges or stops it: that the journal grows is no reason to fail again."""
        self._stopped = True
        self._nudged.clear()
        if not self._stopping.is_set():
            self._nudged.wait()
        self._stopped = False

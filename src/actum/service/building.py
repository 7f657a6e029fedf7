"""A build at work: in a thread of its own, which can be paused, goes on after trouble that passes, and can be waited for."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from actum.journal.errors import ActumError, Busy, Misdeclared, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from actum.projection.build import Build, Pace
    from actum.projection.projector import Progressed

_LOG = logging.getLogger(__name__)

FIRST_PAUSE = 0.02
"""Seconds before the first new attempt after trouble; twice as many before each next one."""

LONGEST_PAUSE = 5.0
"""Seconds between two attempts at the most."""

LOOK = 0.05
"""How often, in seconds, whoever waits is told how far it is."""


class Building:
    """Works on a build until it has come as far as the live table, and then does `then`.

    `patient`: tries again after any trouble that may pass, for as long as it takes; otherwise only where somebody else is
    busy, and tells whoever waits of all else. `refused` is done where what is declared cannot be built beside.
    """

    def __init__(
        self,
        build: Build[Any],
        *,
        then: Callable[[], object] | None = None,
        refused: Callable[[Misdeclared], object] | None = None,
        patient: bool = False,
    ) -> None:
        self.build = build
        self._then = then
        self._refused = refused
        self._passes = (Busy, Unavailable) if patient else (Busy,)
        self._wanted = threading.Event()
        self._turn = threading.Lock()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._done = False
        self._trouble: Exception | None = None

    @property
    def trouble(self) -> Exception | None:
        """What keeps it from going on; None while all is well."""
        return self._trouble

    @property
    def done(self) -> bool:
        """Whether it has come as far as it was to come."""
        return self._done

    @property
    def paused(self) -> bool:
        """Whether it waits to be resumed."""
        return not self._wanted.is_set()

    def pace(self) -> Pace:
        """How far it is, and how fast it goes."""
        return self.build.pace()

    def resume(self) -> None:
        """Go on, or begin."""
        with self._changed:
            if self._done and self._trouble is None:
                return
            self._trouble, self._done = None, False
            self._stopping.clear()
            self._wanted.set()
            if self._thread is None or not self._thread.is_alive():
                name = f"actum-build-{self.build.plan.table}"
                self._thread = threading.Thread(target=self._run, name=name, daemon=True)
                self._thread.start()

    def pause(self) -> None:
        """Stand still after the step under way, and wait for that."""
        self._wanted.clear()
        with self._turn:
            self.build.rest()

    def stop(self) -> None:
        """End after the step under way, and wait for that. What was built stays."""
        self._stopping.set()
        self._wanted.set()
        thread = self._thread
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            thread.join()
        with suppress(ActumError):
            self.build.rest()
        with self._changed:
            self._changed.notify_all()

    def wait(self, *, timeout: float | None = None, progress: Progressed | None = None) -> None:
        """Until it is done; begins where that was not begun yet. Raises what keeps it from going on, and `Busy` after `timeout` seconds, or where it is paused."""
        if self._thread is None:
            self.resume()
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not self._done:
                self._check_waiting(deadline, timeout)
                self._changed.wait(LOOK)
                self._tell(progress)
        if self._trouble is not None:
            raise self._trouble

    def _tell(self, progress: Progressed | None) -> None:
        if progress is not None:
            pace = self.pace()
            progress(pace.position, pace.goal)

    def _check_waiting(self, deadline: float | None, timeout: float | None) -> None:
        pace = self.pace()
        at = f"the build of {self.build.place.plan.name} is at position {pace.position} of {pace.goal}"
        if self._stopping.is_set() or self.paused:
            raise Busy(f"{at} and {'has ended' if self._stopping.is_set() else 'is paused; resume it'}")
        if deadline is not None and time.monotonic() > deadline:
            raise Busy(f"after {timeout:g} s {at}; wait longer") from self._trouble

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while self._wanted.wait() and not self._stopping.is_set():
            try:
                if self._step():
                    pause, self._trouble = FIRST_PAUSE, None
                    continue
                if self._then is not None:
                    self._then()
                self._end(None)
            except self._passes as trouble:
                _LOG.warning("%s: %s; trying again in %.2f s", self.build.plan.table, trouble, pause)
                self._trouble = trouble
                self._stopping.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            except Misdeclared as wrong:
                if self._refused is not None:
                    self._refused(wrong)
                self._end(wrong if self._refused is None else None)
            except Exception as trouble:  # noqa: BLE001 - it is logged, and told to whoever waits
                _LOG.error("the build of %s stopped: %s", self.build.place.plan.name, trouble)
                self._end(trouble)
            return

    def _step(self) -> bool:
        """One step, unless somebody wants it to stand still; whether there may be more."""
        with self._turn:
            return self.paused or self.build.step()

    def _end(self, trouble: Exception | None) -> None:
        with self._changed:
            self._trouble, self._done = trouble, True
            self._changed.notify_all()

"""How long another Python thread may keep the writer waiting for the interpreter.

Every step of SQLite gives the interpreter's lock up and must win it back. Beside a thread that only computes, each of
the few steps of a commit then waits a whole switch interval: at CPython's 5 ms a writer falls to a twentieth of its
rate, at 0.2 ms it keeps a third or more (`benchmarks`, "beside a busy thread"). So while a journal is open for
writing, the interval is 0.2 ms at most. It belongs to the process: what was set before comes back with the last close.
"""

from __future__ import annotations

import sys
import threading

AT_MOST = 0.0002
"""Seconds."""


class _Interval:
    """How many journals of this process are open for writing, and what was set before the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = 0
        self._before = 0.0

    def shorten(self) -> None:
        """One more journal is open for writing."""
        with self._lock:
            if self._open == 0:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(self._before, AT_MOST))
            self._open += 1

    def restore(self) -> None:
        """One less is. What somebody else has set meanwhile stays."""
        with self._lock:
            self._open -= 1
            if self._open == 0 and abs(sys.getswitchinterval() - min(self._before, AT_MOST)) < 1e-6:
                sys.setswitchinterval(self._before)


_interval = _Interval()
shorten, restore = _interval.shorten, _interval.restore

"""How long another Python thread may keep the writer waiting for the interpreter.

Every step of SQLite gives the interpreter's lock up and must win it back. Beside a thread that only computes, each of
the few steps of a commit then waits a whole switch interval: at CPython's 5 ms a writer falls to a twentieth of its
rate, at 0.5 ms it keeps a third or more (`benchmarks`, "beside a busy thread"). So while a journal is open for
writing, the interval is 0.5 ms at most. It belongs to the process: what was set before comes back with the last close.
"""

from __future__ import annotations

import sys
import threading

AT_MOST = 0.0005
"""Seconds."""

_lock = threading.Lock()
_open = 0
_before = 0.0


def shorten() -> None:
    """One more journal is open for writing."""
    global _open, _before
    with _lock:
        if _open == 0:
            _before = sys.getswitchinterval()
            sys.setswitchinterval(min(_before, AT_MOST))
        _open += 1


def restore() -> None:
    """One less is."""
    global _open
    with _lock:
        _open -= 1
        if _open == 0 and abs(sys.getswitchinterval() - min(_before, AT_MOST)) < 1e-6:
            sys.setswitchinterval(_before)

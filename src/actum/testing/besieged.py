"""A worker that is besieged, in a process of its own: `python -m actum.testing.besieged APP JOURNAL …`, until it is killed.

It keeps an application's views up and its processes at work as `actum work` does, over a read database in hostile surroundings.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from random import Random
from typing import Any

from actum.testing.followers import Point, hostile

NEVER = "never"
"""Said where a worker shall not die by itself."""


def load(app: str) -> Any:
    """The application that MODULE:ATTRIBUTE names."""
    module, _, attribute = app.partition(":")
    found: Any = getattr(importlib.import_module(module), attribute)
    return found


def value_mark(database: object) -> str:
    """How the driver of a read database marks a value."""
    return "%s" if ".postgres." in type(database).__module__ else "?"


def main(app: str, journal: str, read_database: str, lease: float, seed: int, point: str, after: int) -> None:
    """Work until whoever began it is gone, or says so."""
    loaded = load(app)
    plain = loaded.open(journal, read_database=read_database or None, follow=False)
    database = plain.views.database
    dies = None if point == NEVER else Point(point)
    around = hostile(database, Random(seed), mark=value_mark(database), dies=dies, after=after, delay=lease / 10)
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: over.set())
    with loaded.open(plain.store, read_database=around, follow=False) as running, running.work(1, lease=lease):
        sys.stdout.write("at work\n")
        sys.stdout.flush()
        threading.Thread(target=_until_alone, args=[over], daemon=True).start()
        over.wait()
    os._exit(0)


def _until_alone(over: threading.Event) -> None:
    """Whoever began it holds the other end of its input, and lets go of that by dying."""
    sys.stdin.read()
    over.set()


if __name__ == "__main__":
    named, opened, beside, lasts, drawn, where, times = sys.argv[1:]
    main(named, opened, beside, float(lasts), int(drawn), where, int(times))

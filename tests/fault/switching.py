"""A process that switches a projection to its candidate and ends itself at one of the statements that this takes:
`python -m tests.fault.switching JOURNAL VIEWS AT`. Says how many statements there were, where it comes to the end.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any

import apsw
import psycopg

from tests.unit.projection.flows import second
from tests.unit.projection.versions import at_work


class Count:
    """Of the statements since the switch began."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.done = -1

    def one(self) -> None:
        """One is about to be done."""
        if self.done >= 0:
            self.done += 1
            if self.done == self.at:
                os.kill(os.getpid(), signal.SIGKILL)

    def statement(self, cursor: Any, statement: str, bindings: object) -> bool:
        """One of SQLite is about to be done."""
        self.one()
        return True

    def watch(self, connection: apsw.Connection) -> None:
        """Every connection of this process to SQLite is watched from now on."""
        connection.exec_trace = self.statement

    def call(self, frame: FrameType, event: str, argument: object) -> None:
        """A function is called in this thread: that by which statements go to PostgreSQL, perhaps."""
        if event == "call" and frame.f_code is psycopg.Connection.execute.__code__:
            self.one()


def main(journal: str, views: str, at: int) -> None:
    count = Count(at)
    if "://" in views:
        sys.setprofile(count.call)
    else:
        apsw.connection_hooks.append(count.watch)
    app = second()
    with at_work(app, journal, views=views) as running:
        rebuild = running.rebuild(app.projections["flows"].cls)
        rebuild.wait()
        count.done = 0
        rebuild.switch()
        print(count.done)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))

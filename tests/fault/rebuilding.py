"""A process that builds version 2 of a view until it is killed: `python -m tests.fault.rebuilding JOURNAL VIEWS STEP`.

It makes a step, and says a line, for each line of its input; after the last one it goes on to the end. With one more number it
kills itself before it reads what is behind that position.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Collection

from actum.journal.errors import Busy
from actum.journal.event import LAST_POSITION, Position
from actum.journal.skim import Skimmed
from actum.projection.build import Build
from actum.stores.sqlite.database import SqliteStore
from tests.unit.projection.versions import at_work, second, view_of

NEVER_OVER = 600.0
"""Seconds that no step takes."""


class Deadly(SqliteStore):
    """A journal that is the end of whoever reads beyond a position."""

    until = LAST_POSITION

    def skim(self, types: Collection[str], *, after: Position, until: Position, limit: int) -> list[Skimmed]:
        """See `Skims.skim`."""
        if after >= self.until:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().skim(types, after=after, until=until, limit=limit)


def main(journal: str, views: str, *, step: int, until: Position) -> None:
    app, store = second(), Deadly(journal)
    store.until = until
    with at_work(app, journal, views=views) as running:
        place = running.views.shelf.place(view_of(app))
        build = Build(place, store=store, codec=app.codec, step=step, longest=NEVER_OVER)
        more = True
        while more:
            sys.stdin.readline()
            more = _in_turn(build.step)
            sys.stdout.write(f"{build.pace().position}\n")
            sys.stdout.flush()


def _in_turn(step: Callable[[], bool]) -> bool:
    while True:
        try:
            return step()
        except Busy:
            continue


if __name__ == "__main__":
    main(
        sys.argv[1], sys.argv[2], step=int(sys.argv[3]), until=int(sys.argv[4]) if len(sys.argv) > 4 else LAST_POSITION
    )

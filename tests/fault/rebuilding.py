"""A process that builds version 2 of a view until it is killed: `python -m tests.fault.rebuilding JOURNAL VIEWS STEP`.

It makes a step, and says a line, for each line of its input; after the last one it goes on to the end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from actum.journal.errors import Busy
from tests.unit.projection.versions import at_work, second, view_of


def main(journal: str, views: str, *, step: int) -> None:
    app = second()
    with at_work(app, journal, views=views) as running:
        build = running.views.shelf.build(view_of(app), step=step)
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
    main(sys.argv[1], sys.argv[2], step=int(sys.argv[3]))

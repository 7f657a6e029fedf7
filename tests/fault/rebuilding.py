"""A process that builds version 2 of a view until it is killed: `python -m tests.fault.rebuilding JOURNAL VIEWS STEP`, a line a step."""

from __future__ import annotations

import sys

from actum.journal.errors import Busy
from tests.unit.projection.versions import at_work, second, view_of


def main(journal: str, views: str, *, step: int) -> None:
    app = second()
    with at_work(app, journal, views=views) as running:
        build = running.views.shelf.build(view_of(app), step=step)
        more = True
        while more:
            try:
                more = build.step()
            except Busy:
                continue
            sys.stdout.write(f"{build.pace().position}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], step=int(sys.argv[3]))

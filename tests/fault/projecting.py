"""A process that projects until it is killed: `python -m tests.fault.projecting JOURNAL VIEWS PAGE`, a line a page."""

from __future__ import annotations

import sys

from actum.journal.errors import Busy
from actum.projection.changed import Rebuilds
from actum.projection.projector import Projector
from actum.service.opening import open_read_database, open_store
from actum.service.shelf import Shelf
from tests.unit.projection.bank import bank


def main(journal: str, views: str, *, page: int) -> None:
    store = open_store(journal)
    database = open_read_database(views, journal=journal, origin=store.origin)
    shelf = Shelf(bank, store, database=database, rebuilds=Rebuilds.AUTOMATIC)
    projector = Projector(store, bank.codec, database=database, plans=shelf.plans, page=page)
    more = True
    while more:
        try:
            more = projector.step()
        except Busy:
            continue
        sys.stdout.write(f"{projector.position}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], page=int(sys.argv[3]))

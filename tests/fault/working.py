"""A worker in a process of its own: `python -m tests.fault.working JOURNAL VIEWS LEASE SEED POINT AFTER PAGE`, until it is killed."""

from __future__ import annotations

import sys
import threading
from random import Random

from actum.projection.view import plan_of
from actum.service.opening import in_postgres, open_read_database, open_store
from actum.service.working import Projecting, Worker
from actum.testing.followers import Point, hostile
from tests.unit.projection.bank import Balance, Turnover, bank


def main(journal: str, views: str, lease: float, seed: int, point: str, after: int, page: int) -> None:
    store = open_store(journal)
    database = open_read_database(views, journal=journal, origin=store.origin)
    wrapped = hostile(
        database,
        Random(seed),
        mark="%s" if in_postgres(views) else "?",
        dies=Point(point) if point != "never" else None,
        after=after,
        delay=lease / 10,
    )
    plans = [plan_of(Balance), plan_of(Turnover)]
    worker = Worker(
        store,
        lambda name, nudge: [Projecting(store, bank.codec, database=wrapped, plans=plans, owner=name, page=page)],
        database=wrapped,
        lease=lease,
    )
    worker.start()
    sys.stdout.write(f"{worker.name}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main(
        sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), sys.argv[5], int(sys.argv[6]), int(sys.argv[7])
    )

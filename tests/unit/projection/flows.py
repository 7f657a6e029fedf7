"""Two versions of one projection with tables of its own, as two versions of a program have them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import psycopg

from actum import App, Event
from actum.journal.event import SequencedEvent
from tests.unit.projection.bank import Deposited, Opened, Transferred

BIG = Decimal(500)


def do(db: Any, statement: str, *values: Any) -> Any:
    """Each driver marks values in its own way."""
    return db.execute(statement.replace("?", "%s") if isinstance(db, psycopg.Connection) else statement, values)


def _make(db: Any) -> None:
    db.execute("DROP TABLE IF EXISTS flows")
    db.execute("CREATE TABLE flows (source TEXT, target TEXT, times INTEGER NOT NULL, PRIMARY KEY (source, target))")
    db.execute("DROP TABLE IF EXISTS moves")
    db.execute("CREATE TABLE moves (account TEXT, cents INTEGER)")


def first(version: int = 1) -> App:
    """The older program: every transfer is a flow, and every deposit a move."""
    app = App("bank", version="1")
    app.knows(Opened)

    @app.projection(begin=_make, version=version)
    def flows(event: Transferred | Deposited, db: Any) -> None:
        if isinstance(event, Transferred):
            _count(db, event.source, event.target)
        else:
            do(db, "INSERT INTO moves VALUES (?, ?)", event.account, int(event.amount * 100))

    return app


def second(version: int = 2) -> App:
    """The newer one: big transfers count twice, flows to A-1 are none, and when a flow was last seen is known."""
    app = App("bank", version="2")
    app.knows(Opened)

    def make(db: Any) -> None:
        _make(db)
        db.execute("CREATE TABLE seen (source TEXT PRIMARY KEY, position INTEGER NOT NULL)")
        db.execute("CREATE INDEX flows_by_target ON flows (target)")

    @app.projection(begin=make, version=version)
    def flows(event: Transferred | Deposited, db: Any, stored: SequencedEvent) -> None:
        if isinstance(event, Deposited):
            do(db, "INSERT INTO moves VALUES (?, ?)", event.account, int(event.amount * 100))
            return
        if event.target != "A-1":
            _count(db, event.source, event.target, times=2 if event.amount >= BIG else 1)
        statement = "INSERT INTO seen VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET position = excluded.position"
        do(db, statement, event.source, stored.position)

    return app


def _count(db: Any, source: str, target: str, *, times: int = 1) -> None:
    statement = "INSERT INTO flows VALUES (?, ?, ?) ON CONFLICT (source, target) DO UPDATE SET times = flows.times + excluded.times"
    do(db, statement, source, target, times)


def flows_of(events: Sequence[Event], *, new: bool = False) -> dict[tuple[str, str], int]:
    """What a program makes of the events, counted in the plainest way there is."""
    found: dict[tuple[str, str], int] = {}
    for event in events:
        if isinstance(event, Transferred) and not (new and event.target == "A-1"):
            key = event.source, event.target
            found[key] = found.get(key, 0) + (2 if new and event.amount >= BIG else 1)
    return found

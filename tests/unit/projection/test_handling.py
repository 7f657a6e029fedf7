"""Projections of any shape: what they write stands or falls with the checkpoint, and each event has its effect once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import apsw
import pytest

from actum import App, Misdeclared, Table, Unavailable
from actum.journal.event import Event, SequencedEvent
from actum.service.running import Running
from actum.subscription.policy import Policy, park, skip
from tests.unit.projection.bank import AccountId, Balance, Deposited, Opened, Transferred, fill, some_events


class Broken:
    """What the handlers of today cannot take: mended by emptying it."""

    owners: set[str] = set()


@pytest.fixture(autouse=True)
def mended() -> Iterator[None]:
    yield
    Broken.owners = set()


def _make(db: Any) -> None:
    db.execute("DROP TABLE IF EXISTS flows")
    db.execute("CREATE TABLE flows (source TEXT, target TEXT, amount TEXT, position INTEGER PRIMARY KEY)")


def _app(*, by: Any = None, policy: Policy | None = None) -> App:
    """A bank with a table of all transfers, and one line for each time an account was opened."""
    app = App("bank")
    app.view(Balance)

    @app.projection(begin=_make)
    def flows(event: Transferred, db: Any, stored: SequencedEvent) -> None:
        row = (event.source, event.target, str(event.amount), stored.position)
        db.execute("INSERT INTO flows VALUES (?, ?, ?, ?)", row)

    @app.projection(by=by, on_failure=policy)
    class Openings:
        def begin(self, db: Any) -> None:
            db.execute("DROP TABLE IF EXISTS openings_of")
            db.execute("CREATE TABLE openings_of (account TEXT, owner TEXT, number INTEGER)")

        def handle(self, event: Opened, db: Any, key: str) -> None:
            number = db.execute("SELECT count(*) FROM openings_of WHERE account = ?", (event.account,)).get
            db.execute("INSERT INTO openings_of VALUES (?, ?, ?)", (key or event.account, event.owner, number + 1))
            if event.owner in Broken.owners:
                raise ValueError(f"{event.owner} is unheard of")

    return app


def _rows(path: Path, table: str) -> list[Any]:
    with apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY) as connection:
        return list(connection.execute(f"SELECT * FROM {table}"))


def _openings(events: list[Event]) -> list[tuple[str, str, int]]:
    counts: dict[str, int] = {}
    found: list[tuple[str, str, int]] = []
    for event in events:
        if isinstance(event, Opened):
            counts[event.account] = counts.get(event.account, 0) + 1
            found.append((event.account, event.owner, counts[event.account]))
    return found


def test_a_handler_writes_what_it_likes_in_the_transaction_of_its_checkpoint(tmp_path: Path):
    events = some_events(2500, seed=31)
    with _app().open(tmp_path / "bank.actum", actor="tester", follow=False) as running:
        fill(running.store, events)
        assert running.catch_up() == 2500
        flows = [
            (event.source, event.target, str(event.amount), position)
            for position, event in enumerate(events, 1)
            if isinstance(event, Transferred)
        ]
        assert _rows(tmp_path / "bank.views.db", "flows") == flows
        assert _rows(tmp_path / "bank.views.db", "openings_of") == _openings(events)


def test_keys_are_divided_among_workers_and_each_keeps_its_order(tmp_path: Path):
    events = some_events(3000, seed=32)
    with _app(by=AccountId).open(tmp_path / "bank.actum", actor="tester", follow=False) as running:
        with running.work(3, lease=5):
            fill(running.store, events)
            running.wait_for(3000, timeout=60)
        found = _rows(tmp_path / "bank.views.db", "openings_of")
        assert sorted(found) == sorted(_openings(events))


def test_a_projection_that_fails_leaves_nothing_half_done_and_does_not_hold_up_the_others(tmp_path: Path):
    Broken.owners = {"nobody"}
    events = [*some_events(50, seed=33), Opened(account="A-1", owner="nobody"), *some_events(50, seed=34)]
    with _app().open(tmp_path / "bank.actum", actor="tester", follow=False) as running:
        fill(running.store, events)
        with pytest.raises(Unavailable, match=r"openings cannot take Opened.*nobody is unheard of; mend its handler"):
            running.catch_up()
        assert _rows(tmp_path / "bank.views.db", "openings_of") == []
        assert len(_rows(tmp_path / "bank.views.db", "flows")) == sum(isinstance(one, Transferred) for one in events)
        Broken.owners = set()
        running.views.look_again()
        running.catch_up()
        assert _rows(tmp_path / "bank.views.db", "openings_of") == _openings(events)


def test_what_a_handler_cannot_take_is_parked_by_key_undone_and_taken_up_in_order(tmp_path: Path):
    Broken.owners = {"nobody"}
    opened = [("A", "x"), ("A", "nobody"), ("B", "y"), ("A", "z")]
    app = _app(by=AccountId, policy=park(attempts=1))
    with app.open(tmp_path / "bank.actum", actor="tester", follow=False) as running:
        fill(running.store, [Opened(account=account, owner=owner) for account, owner in opened])
        running.catch_up()
        assert _rows(tmp_path / "bank.views.db", "openings_of") == [("A", "x", 1), ("B", "y", 1)]
        (one,) = running.parked()
        assert (one.follower, one.key, one.position, one.waiting) == ("openings", "A", 2, 2)
        assert one.error == "ValueError: nobody is unheard of"
        assert not running.retry("openings", "A")
        assert len(_rows(tmp_path / "bank.views.db", "openings_of")) == 2
        Broken.owners = set()
        assert running.retry("openings")
        assert [row for row in _rows(tmp_path / "bank.views.db", "openings_of") if row[0] == "A"] == [
            ("A", "x", 1),
            ("A", "nobody", 2),
            ("A", "z", 3),
        ]
        notes = [event.type for event in running.events() if event.type.startswith("actum.")]
        assert notes == ["actum.view-parked", "actum.view-resumed"]


def test_what_a_handler_cannot_take_is_passed_over_where_it_is_told_to(tmp_path: Path):
    Broken.owners = {"nobody"}
    app = _app(policy=skip("of no use", attempts=1))
    with app.open(tmp_path / "bank.actum", actor="tester", follow=False) as running:
        fill(running.store, [Opened(account="A", owner=owner) for owner in ("x", "nobody", "z")])
        running.catch_up()
        assert _rows(tmp_path / "bank.views.db", "openings_of") == [("A", "x", 1), ("A", "z", 2)]


def test_a_handler_looks_into_views(tmp_path: Path):
    app = App("bank")

    @app.projection(begin=lambda db: db.execute("CREATE TABLE seen (account TEXT, balance TEXT)"))
    def seen(event: Opened, db: Any, balances: Table[Balance]) -> None:
        row = balances.get(event.account)
        db.execute("INSERT INTO seen VALUES (?, ?)", (event.account, None if row is None else str(row.balance)))

    with app.open(tmp_path / "bank.actum", actor="tester", follow=False) as running:
        running.append(Deposited(account="A", amount=Decimal(5)))
        running.catch_up()
        running.append(Opened(account="A", owner="x"), Opened(account="B", owner="y"))
        running.catch_up()
        assert _rows(tmp_path / "bank.views.db", "seen") == [("A", "5"), ("B", None)]


def test_another_handler_begins_anew(tmp_path: Path):
    def shop(factor: int) -> App:
        app = App("bank")

        @app.projection(begin=_begin_sums, version=factor)
        def sums(event: Deposited, db: Any) -> None:
            db.execute("UPDATE sums SET cents = cents + ?", (int(event.amount * 100) * factor,))

        return app

    for factor in (1, 2):
        with shop(factor).open(tmp_path / "bank.actum", actor="tester", follow=False) as running:
            running.append(Deposited(account="A", amount=Decimal(1)))
            running.catch_up()
    assert _rows(tmp_path / "bank.views.db", "sums") == [(400,)]


def _begin_sums(db: Any) -> None:
    db.execute("DROP TABLE IF EXISTS sums")
    db.execute("CREATE TABLE sums (cents INTEGER)")
    db.execute("INSERT INTO sums VALUES (0)")


def test_what_makes_no_projection_is_said_where_it_is_declared():
    app = App("odd")
    with pytest.raises(Misdeclared, match=r"expected events first, as in"):

        @app.projection
        def nothing(db: Any) -> None: ...

    with pytest.raises(Misdeclared, match="Bare has no handle"):

        @app.projection
        class Bare: ...

    with pytest.raises(Misdeclared, match="cannot name a projection"):

        @app.projection(name="No Name")
        def named(event: Opened, db: Any) -> None: ...

    with pytest.raises(Misdeclared, match="is no identity type"):

        @app.projection(by=int)
        def keyed(event: Opened, db: Any) -> None: ...

    app.view(Balance)
    with pytest.raises(Misdeclared, match="both called 'balances'"):

        @app.projection(name="balances")
        def taken(event: Opened, db: Any) -> None: ...


def test_killed_between_work_and_commit_nothing_has_happened(tmp_path: Path):
    """Whatever is raised in the transaction, of whatever kind, undoes all of it, and it is done again."""
    random, app = Random(7), App("bank")
    fails = [True]

    @app.projection(begin=_begin_sums)
    def sums(event: Deposited, db: Any) -> None:
        db.execute("UPDATE sums SET cents = cents + ?", (int(event.amount * 100),))
        if fails and random.random() < 0.05:
            raise KeyboardInterrupt

    with app.open(tmp_path / "bank.actum", actor="tester", follow=False) as running:
        running.append(*[Deposited(account="A", amount=Decimal(1)) for _ in range(100)])
        interrupted = 0
        while interrupted < 5:
            with pytest.raises(KeyboardInterrupt):
                running.catch_up()
            interrupted += 1
            assert _rows(tmp_path / "bank.views.db", "sums") == [(0,)]
        fails.clear()
        running.catch_up()
        assert _rows(tmp_path / "bank.views.db", "sums") == [(10_000,)]
        assert _kept(running) == 100


def _kept(running: Running) -> int:
    return running.followers()[0].position

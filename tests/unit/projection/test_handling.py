"""Projections of any shape: what they write stands or falls with the checkpoint, and each event has its effect once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Annotated, Any
from uuid import uuid4

import apsw
import psycopg
import pytest

from actum import App, Invalid, Misdeclared, Table, Tag, Unavailable
from actum.journal.event import Event, SequencedEvent
from actum.projection.enrichment import AsOf
from actum.projection.projector import Projector
from actum.service.running import Running
from actum.stores.postgres.address import address_of
from actum.subscription.policy import Policy, park, skip
from actum.testing.postgres import with_journal
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
        _do(db, "INSERT INTO flows VALUES (?, ?, ?, ?)", *row)

    @app.projection(by=by, on_failure=policy)
    class Openings:
        def begin(self, db: Any) -> None:
            db.execute("DROP TABLE IF EXISTS openings_of")
            db.execute("CREATE TABLE openings_of (account TEXT, owner TEXT, number INTEGER)")

        def handle(self, event: Opened, db: Any, key: str) -> None:
            ((number,),) = _do(db, "SELECT count(*) FROM openings_of WHERE account = ?", event.account).fetchall()
            _do(db, "INSERT INTO openings_of VALUES (?, ?, ?)", key or event.account, event.owner, number + 1)
            if event.owner in Broken.owners:
                raise ValueError(f"{event.owner} is unheard of")

    return app


def _do(db: Any, statement: str, *values: Any) -> Any:
    """Each driver marks values in its own way."""
    return db.execute(statement.replace("?", "%s") if isinstance(db, psycopg.Connection) else statement, values)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def views(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the views are kept."""
    if request.param == "SQLite":
        return str(tmp_path / "bank.views.db")
    return with_journal(request.getfixturevalue("postgres"), f"t{uuid4().hex[:20]}")


def _opened(app: App, tmp_path: Path, views: str) -> Running:
    return app.open(tmp_path / "bank.actum", actor="tester", follow=False, read_database=views)


def _rows(views: str, table: str, *, order: str = "") -> list[Any]:
    """What anybody finds there by SQL; a table without a schema lies in that of the views."""
    if "://" in views:
        address = address_of(views).views
        with psycopg.connect(address.conninfo) as server:
            return server.execute(f"SELECT * FROM {address.schema}.{table}{order}".encode()).fetchall()
    with apsw.Connection(views, flags=apsw.SQLITE_OPEN_READONLY) as connection:
        return list(connection.execute(f"SELECT * FROM {table}{order}"))


def _openings(events: list[Event]) -> list[tuple[str, str, int]]:
    counts: dict[str, int] = {}
    found: list[tuple[str, str, int]] = []
    for event in events:
        if isinstance(event, Opened):
            counts[event.account] = counts.get(event.account, 0) + 1
            found.append((event.account, event.owner, counts[event.account]))
    return found


def test_a_handler_writes_what_it_likes_in_the_transaction_of_its_checkpoint(tmp_path: Path, views: str):
    events = some_events(2500, seed=31)
    with _opened(_app(), tmp_path, views) as running:
        fill(running.store, events)
        assert running.catch_up() == 2500
        flows = [
            (event.source, event.target, str(event.amount), position)
            for position, event in enumerate(events, 1)
            if isinstance(event, Transferred)
        ]
        assert _rows(views, "flows", order=" ORDER BY position") == flows
        assert _rows(views, "openings_of") == _openings(events)


def test_keys_are_divided_among_workers_and_each_keeps_its_order(tmp_path: Path, views: str):
    events = some_events(3000, seed=32)
    with _opened(_app(by=AccountId), tmp_path, views) as running:
        with running.work(3, lease=5):
            fill(running.store, events)
            running.wait_for(3000, timeout=60)
        found = _rows(views, "openings_of")
        assert sorted(found) == sorted(_openings(events))


def test_a_projection_that_fails_leaves_nothing_half_done_and_does_not_hold_up_the_others(tmp_path: Path, views: str):
    Broken.owners = {"nobody"}
    events = [*some_events(50, seed=33), Opened(account="A-1", owner="nobody"), *some_events(50, seed=34)]
    with _opened(_app(), tmp_path, views) as running:
        fill(running.store, events)
        with pytest.raises(Unavailable, match=r"openings cannot take Opened.*nobody is unheard of; mend its handler"):
            running.catch_up()
        assert _rows(views, "openings_of") == []
        assert len(_rows(views, "flows")) == sum(isinstance(one, Transferred) for one in events)
        Broken.owners = set()
        running.views.look_again()
        running.catch_up()
        assert _rows(views, "openings_of") == _openings(events)


def test_what_a_handler_cannot_take_is_parked_by_key_undone_and_taken_up_in_order(tmp_path: Path, views: str):
    Broken.owners = {"nobody"}
    opened = [("A", "x"), ("A", "nobody"), ("B", "y"), ("A", "z")]
    app = _app(by=AccountId, policy=park(attempts=1))
    with _opened(app, tmp_path, views) as running:
        fill(running.store, [Opened(account=account, owner=owner) for account, owner in opened])
        running.catch_up()
        assert _rows(views, "openings_of") == [("A", "x", 1), ("B", "y", 1)]
        (one,) = running.parked()
        assert (one.follower, one.key, one.position, one.waiting) == ("openings", "A", 2, 2)
        assert one.error == "ValueError: nobody is unheard of"
        assert not running.retry("openings", "A")
        assert len(_rows(views, "openings_of")) == 2
        Broken.owners = set()
        assert running.retry("openings")
        assert [row for row in _rows(views, "openings_of") if row[0] == "A"] == [
            ("A", "x", 1),
            ("A", "nobody", 2),
            ("A", "z", 3),
        ]
        notes = [event.type for event in running.events() if event.type.startswith("actum.")]
        assert notes == ["actum.view-parked", "actum.view-parked", "actum.view-resumed"]


def test_what_a_handler_cannot_take_is_passed_over_where_it_is_told_to(tmp_path: Path, views: str):
    Broken.owners = {"nobody"}
    app = _app(policy=skip("of no use", attempts=1))
    with _opened(app, tmp_path, views) as running:
        fill(running.store, [Opened(account="A", owner=owner) for owner in ("x", "nobody", "z")])
        running.catch_up()
        assert _rows(views, "openings_of") == [("A", "x", 1), ("A", "z", 2)]


def test_a_handler_looks_into_views(tmp_path: Path, views: str):
    app = App("bank")

    @app.projection(begin=lambda db: db.execute("CREATE TABLE seen (account TEXT, balance TEXT)"))
    def seen(event: Opened, db: Any, balances: Table[Balance]) -> None:
        row = balances.get(event.account)
        _do(db, "INSERT INTO seen VALUES (?, ?)", event.account, None if row is None else str(row.balance))

    with _opened(app, tmp_path, views) as running:
        running.append(Deposited(account="A", amount=Decimal(5)))
        running.catch_up()
        running.append(Opened(account="A", owner="x"), Opened(account="B", owner="y"))
        running.catch_up()
        assert _rows(views, "seen") == [("A", "5"), ("B", None)]


def test_a_handler_is_told_what_a_view_says_now_or_as_of_the_event_whenever_it_asks(tmp_path: Path, views: str):
    """Built anew, what it finds in a table is of today; what it finds as of an event is the same again."""

    def app(version: int) -> App:
        app = App("bank")
        app.view(Balance)

        @app.projection(begin=_begin_seen, version=version)
        def seen(event: Deposited, db: Any, stored: SequencedEvent, now: Table[Balance], then: AsOf[Balance]) -> None:
            row, past = now.get(event.account), then.get(event.account)
            assert past is not None
            assert then.get("nobody") is None
            past.balance += 1000  # it is a copy
            known = 0 if row is None else row.changes
            _do(db, "INSERT INTO seen VALUES (?, ?, ?)", stored.position, known, then.get(event.account).changes)  # type: ignore[union-attr]

        return app

    with _opened(app(1), tmp_path, views) as running:
        for _ in range(3):
            running.append(Deposited(account="A", amount=Decimal(5)), Deposited(account="B", amount=Decimal(5)))
            running.catch_up()
        rows = _rows(views, "seen", order=" ORDER BY position")
        assert [then for _, _, then in rows] == [1, 1, 2, 2, 3, 3]
        assert {now for position, now, _ in rows if position > 4} <= {2, 3}
    with _opened(app(2), tmp_path, views) as running:
        running.catch_up()
        assert _rows(views, "seen", order=" ORDER BY position") == [
            (position, 3, then) for position, then in enumerate((1, 1, 2, 2, 3, 3), 1)
        ]


def _begin_seen(db: Any) -> None:
    db.execute("DROP TABLE IF EXISTS seen")
    db.execute("CREATE TABLE seen (position INTEGER, now INTEGER, past INTEGER)")


class _Counting:
    """A journal that counts the events that are read of it, but for single ones."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.read_so_far = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def read(self, *arguments: Any, **how: Any) -> Any:
        found = list(self._store.read(*arguments, **how))
        self.read_so_far += len(found) if len(found) > 1 else 0
        return iter(found)

    def skim(self, *arguments: Any, **how: Any) -> Any:
        """Said outright: from Python 3.12 on, whether a protocol is met is not asked of `__getattr__`."""
        return self._store.skim(*arguments, **how)


def test_several_followers_are_kept_up_in_one_pass_over_the_journal(tmp_path: Path, views: str):
    with _opened(_app(), tmp_path, views) as running:
        fill(running.store, some_events(2500, seed=31))
        journal: Any = _Counting(running.store)
        database, plans = running.views.database, running.views.shelf.plans
        assert len(plans) == 3
        assert Projector(journal, running.app.codec, database=database, plans=plans).catch_up() == 2500
        assert journal.read_so_far == 2500


def test_another_handler_begins_anew(tmp_path: Path, views: str):
    def shop(factor: int) -> App:
        app = App("bank")

        @app.projection(begin=_begin_sums, version=factor)
        def sums(event: Deposited, db: Any) -> None:
            _do(db, "UPDATE sums SET cents = cents + ?", int(event.amount * 100) * factor)

        return app

    for factor in (1, 2):
        with _opened(shop(factor), tmp_path, views) as running:
            running.append(Deposited(account="A", amount=Decimal(1)))
            running.catch_up()
    assert _rows(views, "sums") == [(400,)]


def test_without_begin_other_code_goes_on_and_another_version_begins_anew(tmp_path: Path, views: str):
    """What it did before cannot be taken back by it: it does nothing a second time that nobody has asked for."""

    def shop(handler: Any, version: int) -> App:
        app = App("bank")
        app.projection(name="sums", version=version)(handler)
        return app

    def adds(event: Deposited, db: Any) -> None:
        db.execute("CREATE TABLE IF NOT EXISTS sums (cents INTEGER)")
        db.execute("INSERT INTO sums VALUES (1)")

    def renamed(event: Deposited, db: Any) -> None:
        db.execute("INSERT INTO sums VALUES (20)")

    for handler, version, expected in ((adds, 1, [1]), (renamed, 1, [1, 20]), (renamed, 2, [1, 20, 20, 20, 20])):
        with _opened(shop(handler, version), tmp_path, views) as running:
            running.append(Deposited(account="A", amount=Decimal(1)))
            running.catch_up()
        assert sorted(cents for (cents,) in _rows(views, "sums")) == expected


def _begin_sums(db: Any) -> None:
    db.execute("DROP TABLE IF EXISTS sums")
    db.execute("CREATE TABLE sums (cents INTEGER)")
    db.execute("INSERT INTO sums VALUES (0)")


@pytest.mark.parametrize("policy", [None, park(attempts=1)], ids=["stop", "park"])
@pytest.mark.parametrize("ended", ["COMMIT", "ROLLBACK", "COMMIT; BEGIN"])
def test_a_handler_that_ends_the_transaction_is_told_so(views: str, ended: str, policy: Policy | None):
    app = App("bank")

    @app.projection(on_failure=policy)
    def hasty(event: Opened, db: Any) -> None:
        for statement in ended.split("; "):
            db.execute(statement)

    with app.open("memory:", actor="t", read_database=views, follow=False) as running:
        running.append(Opened(account="A", owner="Zoé"))
        with pytest.raises(Invalid, match="expected a projection to leave its transaction open"):
            running.catch_up()


def test_a_begin_that_ends_the_transaction_is_told_so(views: str):
    app = App("bank")

    @app.projection(begin=lambda db: db.execute("COMMIT"))
    def hasty(event: Opened, db: Any) -> None: ...

    with (
        pytest.raises(Invalid, match="expected a projection to leave its transaction open"),
        app.open("memory:", actor="t", read_database=views, follow=False) as running,
    ):
        running.catch_up()


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

    with pytest.raises(Misdeclared, match="awaits: a handler is an ordinary function"):

        @app.projection
        async def awaits(event: Opened, db: Any) -> None: ...

    with pytest.raises(Misdeclared, match="lazy: a handler is an ordinary function"):

        @app.projection
        def lazy(event: Opened, db: Any) -> Iterator[None]:
            yield

    with pytest.raises(Misdeclared, match="divided by the tag 'branch', which Opened never carries"):

        @app.projection(by=Annotated[str, Tag("branch")])
        def by_branch(event: Opened, db: Any) -> None: ...

    with pytest.raises(Misdeclared, match="hasty: on_failure: expected stop"):

        @app.projection(on_failure=park)  # type: ignore[call-overload]
        def hasty(event: Opened, db: Any) -> None: ...

    app.view(Balance)
    with pytest.raises(Misdeclared, match="both called 'balances'"):

        @app.projection(name="balances")
        def taken(event: Opened, db: Any) -> None: ...


def test_killed_between_work_and_commit_nothing_has_happened(tmp_path: Path, views: str):
    """Whatever is raised in the transaction, of whatever kind, undoes all of it, and it is done again."""
    random, app = Random(7), App("bank")
    fails = [True]

    @app.projection(begin=_begin_sums)
    def sums(event: Deposited, db: Any) -> None:
        _do(db, "UPDATE sums SET cents = cents + ?", int(event.amount * 100))
        if fails and random.random() < 0.05:
            raise KeyboardInterrupt

    with _opened(app, tmp_path, views) as running:
        running.append(*[Deposited(account="A", amount=Decimal(1)) for _ in range(100)])
        interrupted = 0
        while interrupted < 5:
            with pytest.raises(KeyboardInterrupt):
                running.catch_up()
            interrupted += 1
            assert _rows(views, "sums") == [(0,)]
        fails.clear()
        running.catch_up()
        assert _rows(views, "sums") == [(10_000,)]
        assert _kept(running) == 100


def _kept(running: Running) -> int:
    return running.followers()[0].position

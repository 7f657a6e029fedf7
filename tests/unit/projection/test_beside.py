"""A projection with tables of its own is built anew beside itself, compared, switched to and gone back from, on record."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import apsw
import psycopg
import pytest

from actum import App, Busy, Invalid, Running, Table
from actum.journal.errors import Misdeclared, Unknown
from actum.journal.readmodel import Role
from actum.projection.acts import RebuildCancelled, ViewSwitched, ViewTakenBack
from actum.projection.changed import Rebuilds
from actum.stores.postgres.address import address_of
from actum.testing.postgres import with_journal
from tests.unit.projection.bank import Balance, Deposited, Opened, Transferred, fill, some_events
from tests.unit.projection.flows import BIG, do, first, flows_of, second

EVENTS = some_events(600, seed=71)

Opens = Callable[..., Running]


class Place:
    """A journal, and where its projections are kept."""

    def __init__(self, folder: Path, views: str) -> None:
        self.journal, self.views = folder / "bank.actum", views

    def opened(self, app: App, *, rebuilds: Rebuilds = Rebuilds.BY_HAND, follow: bool = False) -> Running:
        return app.open(self.journal, actor="tester", follow=follow, rebuilds=rebuilds, read_database=self.views)

    def rows(self, statement: str) -> list[Any]:
        """What anybody finds there by SQL."""
        if "://" in self.views:
            address = address_of(self.views).views
            server = psycopg.connect(address.conninfo, autocommit=True)
            server.execute(f"SET search_path = {address.schema}".encode())
            found: list[Any] = server.execute(statement.encode()).fetchall()
            server.close()
            return found
        connection = apsw.Connection(self.views, flags=apsw.SQLITE_OPEN_READONLY)
        found = list(connection.execute(statement))
        connection.close()
        return found

    def flows(self) -> dict[tuple[str, str], int]:
        return {(source, target): times for source, target, times in self.rows("SELECT * FROM flows")}

    def tables(self) -> set[str]:
        """The names of what a handler may have made."""
        if "://" in self.views:
            schema = address_of(self.views).views.schema
            found = self.rows(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'")
        else:
            found = self.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return {name for (name,) in found if not name.startswith(("actum_", "sqlite_"))}


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A bank whose flows are kept by the first version."""
    views = str(tmp_path / "bank.views.db")
    if request.param == "PostgreSQL":
        views = with_journal(request.getfixturevalue("postgres"), f"t{uuid4().hex[:20]}")
    place = Place(tmp_path, views)
    with place.opened(first()) as running:
        fill(running.store, EVENTS)
        running.catch_up()
    return place


def _flows(running: Running) -> Any:
    """What the author of the projection wrote."""
    return running.app.projections["flows"].cls  # type: ignore[attr-defined]


def _roles(running: Running) -> list[tuple[int, Role]]:
    return [(each.definition.version, each.role) for each in running.versions(_flows(running))]


# Building and switching.


def test_readers_see_the_old_tables_until_the_switch_and_the_new_ones_after(place: Place):
    old, new = flows_of(EVENTS), flows_of(EVENTS, new=True)
    assert old != new
    with place.opened(second()) as running:
        rebuild = running.rebuild(_flows(running))
        rebuild.wait()
        assert place.flows() == old
        assert _roles(running) == [(1, Role.LIVE), (2, Role.CANDIDATE)]
        rebuild.switch()
        assert place.flows() == new
        assert place.tables() == {"flows", "moves", "seen"}
        assert _roles(running) == [(2, Role.LIVE), (1, Role.KEPT)]


def test_a_changed_program_that_rebuilds_by_hand_leaves_the_tables_in_peace(place: Place):
    with place.opened(second()) as running:
        running.append(Transferred(source="A-9", target="A-8", amount=Decimal(1)))
        running.catch_up()
        assert place.flows() == flows_of(EVENTS)
    with place.opened(first()) as running:
        running.catch_up()
        assert place.flows()["A-9", "A-8"] == 1


def test_after_the_switch_the_new_tables_are_kept_up_and_going_back_they_are_as_they_were(place: Place):
    more = Transferred(source="A-9", target="A-8", amount=BIG)
    with place.opened(second(), follow=True) as running:
        running.rebuild(_flows(running)).switch()
        running.wait_for(running.append(more).position)
        assert place.flows() == flows_of([*EVENTS, more], new=True)
        with pytest.raises(Invalid, match=r"version 1 of flows stands at position 600.*behind the live table"):
            running.rollback(_flows(running))
        running.rollback(_flows(running), behind=True, reason="not agreed")
        assert place.flows() == flows_of(EVENTS)
        assert place.tables() == {"flows", "moves"}
        assert _roles(running) == [(1, Role.LIVE), (2, Role.TAKEN_BACK)]
        running.candidate(_flows(running)).switch(reason="agreed")
        assert place.flows() == flows_of([*EVENTS, more], new=True)


def test_the_program_with_the_earlier_definition_brings_it_up_and_goes_back_without_losing_an_event(place: Place):
    more = Transferred(source="A-9", target="A-8", amount=BIG)
    with place.opened(second()) as running:
        running.rebuild(_flows(running)).switch()
        running.append(more)
        running.catch_up()
    with place.opened(first()) as running:
        running.rollback(_flows(running))
        assert place.flows() == flows_of([*EVENTS, more])


def test_a_rebuild_goes_on_where_the_one_before_was_left(place: Place):
    with place.opened(second()) as running:
        build = running.views.shelf.build(running.app.projections["flows"], step=100)  # type: ignore[attr-defined]
        for _ in range(3):
            build.step()
        built = build.pace().position
    with place.opened(second()) as running:
        assert 0 < running.candidate(_flows(running)).progress().position == built < 600
        running.rebuild(_flows(running)).switch()
        assert place.flows() == flows_of(EVENTS, new=True)


def test_a_rebuild_is_paused_resumed_and_given_up(place: Place):
    with place.opened(second()) as running:
        rebuild = running.rebuild(_flows(running), step=1)
        rebuild.pause()
        with pytest.raises(Busy, match=r"the build of flows is at position \d+ of 600 and is paused; resume it"):
            rebuild.wait()
        rebuild.resume()
        rebuild.wait(timeout=60)
        rebuild.cancel(reason="of no use")
        assert _roles(running) == [(1, Role.LIVE)]
        assert place.flows() == flows_of(EVENTS)
        (event,) = [each for each in running.events() if each.type == RebuildCancelled.__kind__.type]
        assert (event.event.view, event.metadata.reason) == ("flows", "of no use")  # type: ignore[union-attr]


# Comparing.


def test_a_difference_names_tables_rows_cells_and_the_events_since_which_they_differ(place: Place):
    old, new = flows_of(EVENTS), flows_of(EVENTS, new=True)
    with place.opened(second()) as running:
        found = running.rebuild(_flows(running)).diff(old=first())
    assert (found.removed, found.changed) == (
        len(old.keys() - new.keys()),
        sum(old[key] != new[key] for key in new),
    )
    assert found.new == ("seen",)
    assert found.cells == {"flows.times": found.changed}
    assert {row.table for row in found.rows} == {"flows", "seen"}
    for row in found.rows:
        if row.what == "changed":
            (cell,) = row.cells
            assert (cell.live, cell.candidate) == (old[row.key], new[row.key])  # type: ignore[index]
            assert cell.since is not None
            assert cell.since.position == _first_big(row.key)
        elif row.table == "flows":
            assert row.since is not None
            assert row.since.position == _first_of(row.key)


def _first_of(key: Any) -> int:
    return next(
        at
        for at, event in enumerate(EVENTS, 1)
        if isinstance(event, Transferred) and (event.source, event.target) == key
    )


def _first_big(key: Any) -> int:
    return next(
        at
        for at, event in enumerate(EVENTS, 1)
        if isinstance(event, Transferred) and (event.source, event.target) == key and event.amount >= BIG
    )


def test_without_the_older_definition_rows_and_cells_are_compared_and_that_is_said(place: Place):
    with place.opened(second()) as running:
        found = running.rebuild(_flows(running)).diff(limit=3)
        assert len(found.rows) == 3
        assert found.reasons.startswith("the definition of version 1 is not at hand")
        with pytest.raises(Invalid, match="old: bank has version 2"):
            running.candidate(_flows(running)).diff(old=second(version=2))


def test_the_same_definition_makes_the_same_rows_and_what_somebody_has_changed_is_found_and_put_right(place: Place):
    with place.opened(first()) as running:
        rebuild = running.rebuild(_flows(running))
        assert rebuild.diff().equal
        rebuild.cancel()
        _by_hand(place, running, "DELETE FROM moves WHERE cents > 0")
        rebuild = running.rebuild(_flows(running))
        found = rebuild.diff(limit=1)
        assert found.added == sum(isinstance(event, Deposited) for event in EVENTS)
        assert found.rows[0].table == "moves"
        rebuild.switch(found)
        assert len(place.rows("SELECT * FROM moves")) == found.added


def _by_hand(place: Place, running: Running, statement: str) -> None:
    """Somebody changes what is live, past the journal."""
    if "://" in place.views:
        address = address_of(place.views).views
        with psycopg.connect(address.conninfo) as server:
            server.execute(f"SET search_path = {address.schema}".encode())
            server.execute(statement.encode())
        return
    connection = apsw.Connection(place.views)
    connection.execute(statement)
    connection.close()


def test_a_switch_is_refused_where_a_table_is_not_what_was_compared(place: Place):
    with place.opened(second()) as running:
        rebuild = running.rebuild(_flows(running))
        found = rebuild.diff(limit=0)
        _by_hand(place, running, "DELETE FROM moves WHERE cents > 0")
        with pytest.raises(Invalid, match=r"the rows of flows are not those that were compared"):
            rebuild.switch(found)
        with pytest.raises(Invalid, match=r"expected the candidate of flows to have the digest 0123456789"):
            rebuild.switch("0123456789")
        assert place.flows() == flows_of(EVENTS)
        assert not [each for each in running.events() if each.type == ViewSwitched.__kind__.type]


def test_events_that_come_between_comparing_and_switching_are_taken_in_first(place: Place):
    more = Transferred(source="A-9", target="A-8", amount=BIG)
    with place.opened(first()) as older, place.opened(second()) as running:
        rebuild = running.rebuild(_flows(running))
        found = rebuild.diff(limit=0)
        running.append(more)
        older.catch_up()
        rebuild.switch(found)
        assert place.flows() == flows_of([*EVENTS, more], new=True)


def test_who_switched_and_went_back_is_on_record_with_the_digests(place: Place):
    with place.opened(second()) as running:
        rebuild = running.rebuild(_flows(running))
        found = rebuild.diff(limit=0)
        rebuild.switch(found, actor="ops-1", reason="agreed")
        running.rollback(_flows(running), actor="ops-2")
        switched, back = [
            each for each in running.events() if each.type in (ViewSwitched.__kind__.type, ViewTakenBack.__kind__.type)
        ]
        assert (switched.metadata.actor, switched.metadata.reason, back.metadata.actor) == ("ops-1", "agreed", "ops-2")
        event = switched.event
        assert isinstance(event, ViewSwitched)
        assert (event.view, event.digest_before, event.digest_after) == (
            "flows",
            found.live.digest,
            found.candidate.digest,
        )
        assert (event.before.version, event.after.version, event.changed) == (1, 2, found.changed)


# What happens by itself.


def test_a_raised_version_is_built_beside_and_switched_to_when_the_application_is_opened(place: Place):
    with place.opened(second(), rebuilds=Rebuilds.AUTOMATIC, follow=True) as running:
        running.wait_for(600, timeout=60)
        assert place.flows() == flows_of(EVENTS, new=True)
        assert _roles(running) == [(2, Role.LIVE), (1, Role.KEPT)]
    with place.opened(second(), rebuilds=Rebuilds.AUTOMATIC) as running:
        running.catch_up()
        assert place.flows() == flows_of(EVENTS, new=True)


def test_a_handler_changed_without_a_raised_version_is_named(place: Place, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING), place.opened(second(version=1)):
        pass
    (said,) = [record.message for record in caplog.records if "flows" in record.message]
    assert "the projection flows is kept by version 1" in said
    assert "calls that version 1, too: its handler, or what begin makes, is another. Raise it: version=2" in said
    with pytest.raises(Misdeclared, match=r"the projection flows is kept by version 1 .*Raise it: version=2"):
        place.opened(second(version=1), rebuilds=Rebuilds.WHEN_RAISED)


def test_an_older_program_leaves_the_newer_tables_in_peace(place: Place):
    with place.opened(second()) as running:
        running.rebuild(_flows(running)).switch()
    with place.opened(first(), rebuilds=Rebuilds.AUTOMATIC, follow=True) as running:
        running.wait_for(len(EVENTS), timeout=60)
        assert place.flows() == flows_of(EVENTS, new=True)


def test_an_older_program_that_runs_on_stops_at_the_switch_and_waits_for_nobody(place: Place):
    with place.opened(first(), follow=True) as older, place.opened(second(), follow=True) as running:
        running.rebuild(_flows(running)).switch()
        more = [Transferred(source="A-9", target="A-8", amount=BIG)]
        decided = running.append(*more)
        running.wait_for(decided.position, timeout=60)
        older.wait_for(decided.position, timeout=60)
        assert place.flows() == flows_of([*EVENTS, *more], new=True)


# What cannot be built beside.


def _outside(place: Place) -> App:
    """A program whose handler writes to a table that its begin does not make."""
    app = App("bank", version="3")
    app.knows(Opened, Deposited)

    def make(db: Any) -> None:
        db.execute("DROP TABLE IF EXISTS flows")
        db.execute("CREATE TABLE flows (source TEXT, target TEXT, times INTEGER)")

    @app.projection(begin=make, version=3)
    def flows(event: Transferred, db: Any) -> None:
        do(db, "INSERT INTO flows VALUES (?, ?, 1)", event.source, event.target)
        do(db, "DELETE FROM others WHERE source = ?", event.source)

    return app


def _with_others(place: Place) -> None:
    app = App("bank")
    app.knows(Deposited, Transferred)

    @app.projection(begin=lambda db: db.execute("CREATE TABLE others (source TEXT)"))
    def others(event: Opened, db: Any) -> None:
        do(db, "INSERT INTO others VALUES (?)", event.account)

    with place.opened(app) as running:
        running.catch_up()


def test_a_handler_that_writes_to_tables_of_others_is_refused_and_nothing_is_done(place: Place):
    _with_others(place)
    before = place.rows("SELECT count(*) FROM others")
    with (
        place.opened(_outside(place)) as running,
        pytest.raises(Misdeclared, match=r"flows is built beside itself, and would change the table .*others"),
    ):
        running.rebuild(_flows(running)).wait()
    assert place.rows("SELECT count(*) FROM others") == before
    assert place.flows() == flows_of(EVENTS)


def test_what_cannot_be_built_beside_begins_anew_in_place_and_that_is_said(
    place: Place, caplog: pytest.LogCaptureFixture
):
    _with_others(place)
    with place.opened(_outside(place), rebuilds=Rebuilds.AUTOMATIC) as running:
        running.catch_up()
        assert len(place.rows("SELECT * FROM flows")) == sum(isinstance(event, Transferred) for event in EVENTS)
        assert _roles(running) == [(3, Role.LIVE)]
    assert any("it begins anew in place" in record.message for record in caplog.records)


def test_a_projection_without_begin_is_refused_with_what_to_do(tmp_path: Path):
    app = App("bank")

    @app.projection
    def seen(event: Opened, db: Any) -> None:
        """Does nothing."""

    with app.open(tmp_path / "bank.actum", actor="tester", follow=False) as running:
        with pytest.raises(Invalid, match="seen has no begin, so nobody knows which tables are its own: give it one"):
            running.rebuild(seen)
        with pytest.raises(Unknown, match="view or projection"):
            running.rebuild(test_a_projection_without_begin_is_refused_with_what_to_do)


def test_a_handler_that_looks_into_views_finds_them_also_in_a_rebuild(tmp_path: Path):
    def app(version: int) -> App:
        app = App("bank")
        app.knows(Transferred, Deposited)

        @app.projection(version=version, begin=lambda db: db.execute("CREATE TABLE owners (account TEXT, owner TEXT)"))
        def owners(event: Opened, db: Any, balances: Table[Balance]) -> None:
            row = balances.get(event.account)
            ((named,),) = do(db, "SELECT count(*) FROM balances").fetchall()
            do(db, "INSERT INTO owners VALUES (?, ?)", event.account, f"{None if row is None else row.owner} {named}")

        return app

    place = Place(tmp_path, str(tmp_path / "bank.views.db"))
    with place.opened(app(1)) as running:
        running.append(Opened(account="A", owner="Ida"))
        running.catch_up()
    with place.opened(app(2)) as running:
        running.catch_up()
        running.rebuild(running.app.projections["owners"].cls).switch()  # type: ignore[attr-defined, arg-type]
        assert place.rows("SELECT * FROM owners") == [("A", "Ida 1")]


def test_a_handler_without_begin_that_changed_is_named_once_and_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    def app(extra: str) -> App:
        app = App("bank")

        def plainly(event: Opened, db: Any) -> None:
            """Does nothing."""

        def also(event: Opened, db: Any) -> None:
            db.execute("SELECT 1")

        app.projection(name="seen")(also if extra else plainly)
        return app

    place = Place(tmp_path, str(tmp_path / "bank.views.db"))
    place.opened(app("")).close()
    with pytest.raises(Misdeclared, match="seen has another handler than the one that wrote up to position 0"):
        place.opened(app("more"), rebuilds=Rebuilds.WHEN_RAISED)
    for _ in range(2):
        place.opened(app("more")).close()
    (said,) = [record.message for record in caplog.records if "seen" in record.message]
    assert "and the same version 1: it goes on with that. Raise version=" in said


def test_workers_that_keep_the_tables_up_go_on_with_those_that_were_switched_to(place: Place):
    more = [Transferred(source="A-9", target="A-8", amount=BIG) for _ in range(20)]
    with place.opened(second(), follow=True) as running:
        with running.work(2, lease=5):
            running.rebuild(_flows(running)).switch()
            running.wait_for(running.append(*more).position, timeout=60)
        assert place.flows() == flows_of([*EVENTS, *more], new=True)


async def _rebuilt_async(place: Place) -> None:
    app = second()
    async with app.open_async(
        place.journal, actor="tester", rebuilds=Rebuilds.BY_HAND, read_database=place.views
    ) as running:
        rebuild = await running.rebuild(app.projections["flows"].cls)
        await rebuild.switch(await rebuild.diff(limit=0))
        assert [each.role for each in await running.versions(app.projections["flows"].cls)] == [Role.LIVE, Role.KEPT]
        await running.rollback(app.projections["flows"].cls, behind=True)


def test_those_who_await_have_the_same_verbs(place: Place):
    asyncio.run(_rebuilt_async(place))
    assert place.flows() == flows_of(EVENTS)


def test_an_index_of_words_and_numbers_that_the_database_gives_come_along(tmp_path: Path):
    def app(version: int) -> App:
        app = App("bank")
        app.knows(Transferred, Deposited)

        def make(db: Any) -> None:
            db.execute("CREATE VIRTUAL TABLE words USING fts5(account UNINDEXED, owner)")
            db.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT)")

        @app.projection(version=version, begin=make)
        def owners(event: Opened, db: Any) -> None:
            db.execute("INSERT INTO words VALUES (?, ?)", (event.account, event.owner * version))
            db.execute("INSERT INTO numbers (account) VALUES (?)", (event.account,))
            db.execute("DELETE FROM numbers WHERE account = 'gone'")

        return app

    place = Place(tmp_path, str(tmp_path / "bank.views.db"))
    with place.opened(app(1)) as running:
        running.append(*[Opened(account=account, owner=f"Ida of {account} ") for account in ("A", "B", "gone")])
        running.catch_up()
    with place.opened(app(2)) as running:
        rebuild = running.rebuild(running.app.projections["owners"].cls)  # type: ignore[attr-defined]
        found = rebuild.diff()
        assert {(row.table, row.what) for row in found.rows} == {("words", "added"), ("words", "removed")}
        rebuild.switch(found)
        running.append(Opened(account="C", owner="Léa "))
        running.catch_up()
        assert place.rows("SELECT account, owner FROM words WHERE words MATCH 'lea'") == [("C", "Léa Léa ")]
        assert place.rows("SELECT account FROM words WHERE words MATCH 'ida' ORDER BY account") == [
            ("A",),
            ("B",),
            ("gone",),
        ]
        assert place.rows("SELECT * FROM numbers") == [(1, "A"), (2, "B"), (4, "C")]


def test_types_sequences_and_triggers_of_postgresql_come_along_and_go_back(tmp_path: Path, postgres: str):
    def app(version: int) -> App:
        app = App("bank")
        app.knows(Transferred, Deposited)

        def make(db: Any) -> None:
            db.execute("CREATE TYPE kind AS ENUM ('opened', 'other')")
            db.execute(
                "CREATE TABLE moves (number serial PRIMARY KEY, what kind, kinds kind[], times integer DEFAULT 0)"
            )
            db.execute(
                "CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN NEW.times := NEW.times + 1; RETURN NEW; END $$"
            )
            db.execute("CREATE TRIGGER counts BEFORE INSERT ON moves FOR EACH ROW EXECUTE FUNCTION counted()")

        @app.projection(version=version, begin=make)
        def moves(event: Opened, db: Any) -> None:
            db.execute("INSERT INTO moves (what, kinds, times) VALUES ('opened', '{other}', %s)", (version,))

        return app

    place = Place(tmp_path, with_journal(postgres, f"t{uuid4().hex[:20]}"))
    with place.opened(app(1)) as running:
        running.append(Opened(account="A", owner="Ida"), Opened(account="B", owner="Léa"))
        running.catch_up()
    with place.opened(app(2)) as running:
        moves: Any = running.app.projections["moves"].cls  # type: ignore[attr-defined]
        found = running.rebuild(moves).diff()
        assert (found.added, found.removed, found.cells) == (0, 0, {"moves.times": 2})
        running.candidate(moves).switch(found)
        running.append(Opened(account="C", owner="Eva"))
        running.catch_up()
        assert place.rows("SELECT number, what::text, times FROM moves") == [
            (1, "opened", 3),
            (2, "opened", 3),
            (3, "opened", 3),
        ]
        running.rollback(moves, behind=True)
        assert place.rows("SELECT number, what::text, times FROM moves") == [(1, "opened", 2), (2, "opened", 2)]
        running.candidate(moves).switch()
        assert len(place.rows("SELECT * FROM moves WHERE what = 'opened'")) == 3

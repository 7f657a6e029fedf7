"""Views follow the journal, each event counted once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actum import App, Unavailable, View
from actum.journal.event import Event
from actum.journal.readmodel import ALL_SLICES, Cut, ReadDatabase, Slices
from actum.projection.place import Place
from actum.projection.projector import Projector
from actum.projection.view import Plan, plan_of
from actum.service.opening import open_read_database, open_store
from actum.service.running import Running
from actum.stores.sqlite.tables import SqliteTables
from tests.unit.projection.bank import (
    AccountId,
    Balance,
    Branch,
    Deposited,
    Named,
    Opened,
    Turnover,
    bank,
    fill,
    folded,
    opened,
    shown,
    some_events,
)


@pytest.fixture(params=["memory:", "file"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    journal = "memory:" if request.param == "memory:" else tmp_path / "bank.actum"
    with opened(journal) as running:
        yield running


def test_every_row_is_what_its_events_make_of_it(running: Running):
    events = some_events(2500, seed=1)
    fill(running.store, events)
    assert running.catch_up() == 2500
    assert shown(running) == folded(events)


def test_a_view_without_identity_has_one_row(running: Running):
    fill(running.store, some_events(1200, seed=2))
    running.catch_up()
    (row,) = running.view(Turnover)
    assert row == running.state(Turnover)
    assert running.view(Turnover).get() == row


def test_an_identity_that_is_a_number_is_one_in_the_row(running: Running):
    running.append(Named(branch=7, name="Praha"))
    running.catch_up()
    assert running.view(Branch).get(7) == Branch(branch=7, name="Praha")


def test_pages_taken_one_by_one_lead_to_the_same_rows(running: Running):
    events = some_events(300, seed=3)
    for start in range(0, 300, 7):
        fill(running.store, events[start : start + 7])
        running.catch_up()
    assert shown(running) == folded(events)


def test_the_position_moves_on_past_events_that_no_view_takes():
    app = App("quiet")

    @app.view
    class Names(View):
        branch: AccountId
        name: str = ""

        def evolve(self, event: Opened) -> None:
            self.name = event.owner

    app.knows(Deposited)
    with app.open("memory:", actor="tester", follow=False) as running:
        running.append(*[Deposited(account="A-1", amount=Decimal(1)) for _ in range(5)])
        assert running.catch_up() == 5
        assert running.view(Names).count() == 0


def test_rows_that_memory_let_go_of_are_fetched_again(tmp_path: Path):
    events = some_events(4000, seed=4, accounts=300)
    with opened(tmp_path / "bank.actum") as running:
        fill(running.store, events)
        projector, _ = _projector(running, tmp_path / "small.db", Balance)
        projector.prepare()
        for line in projector._held.lines:
            line.rows._most = 50
        projector.catch_up()
        rows = {row.account: row for row in _table(running, tmp_path / "small.db")}
    assert rows == folded(events)


def _projector(running: Running, path: Path, *views: type[View]) -> tuple[Projector, SqliteTables]:
    database = SqliteTables(path, origin=running.store.origin)
    plans: list[Plan[Any]] = [plan_of(view) for view in views]
    return Projector(running.store, bank.codec, database=database, plans=plans), database


def _table(running: Running, path: Path) -> Iterator[Balance]:
    from actum.projection.table import Table

    yield from Table(Balance, SqliteTables(path, origin=running.store.origin))


def test_two_projectors_at_once_count_each_event_once(tmp_path: Path):
    events = some_events(5000, seed=5)
    with opened(tmp_path / "bank.actum") as running:
        fill(running.store, events)
        one, _ = _projector(running, tmp_path / "views.db", Balance, Turnover)
        other, _ = _projector(running, tmp_path / "views.db", Balance, Turnover)
        more = True
        while more:
            more = one.step() | other.step() | other.step()
        assert one.position == other.position == 5000
        assert {row.account: row for row in _table(running, tmp_path / "views.db")} == folded(events)


def test_a_view_that_is_behind_comes_up_to_the_others(tmp_path: Path):
    events = some_events(3500, seed=6)
    with opened(tmp_path / "bank.actum") as running:
        fill(running.store, events)
        early, _ = _projector(running, tmp_path / "views.db", Balance)
        early.step()
        both, _ = _projector(running, tmp_path / "views.db", Balance, Turnover)
        assert both.catch_up() == 3500
        assert {row.account: row for row in _table(running, tmp_path / "views.db")} == folded(events)


def test_a_changed_fold_begins_anew_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, logger="actum")
    journal = tmp_path / "bank.actum"
    with _counting(1).open(journal, actor="tester", follow=False) as running:
        running.append(Opened(account="A-1", owner="Ada"), Opened(account="A-1", owner="Ida"))
        running.catch_up()
        assert [row.count for row in running.view(running.app.views["Count"])] == [2]  # type: ignore[attr-defined]
    caplog.clear()
    with _counting(10).open(journal, actor="tester", follow=False) as running:
        running.catch_up()
        assert [row.count for row in running.view(running.app.views["Count"])] == [20]  # type: ignore[attr-defined]
    assert "Count is built from the beginning" in caplog.text


def _counting(step: int) -> App:
    app = App("counting")
    if step == 1:

        class Count(View):
            account: AccountId
            count: int = 0

            def evolve(self, event: Opened) -> None:
                self.count += 1

    else:

        class Count(View):  # type: ignore[no-redef]
            account: AccountId
            count: int = 0

            def evolve(self, event: Opened) -> None:
                self.count += 10

    app.view(Count)
    return app


def test_an_older_version_still_running_keeps_its_own_rows_beside_those_of_a_newer_one(tmp_path: Path):
    journal = tmp_path / "bank.actum"
    with _counting(1).open(journal, actor="tester", follow=False) as old:
        old.append(Opened(account="A-1", owner="Ada"))
        old.catch_up()
        with _counting(10).open(journal, actor="tester", follow=False) as new:
            new.catch_up()
            old.append(Opened(account="A-1", owner="Ida"))
            old.catch_up()
            assert [row.count for row in old.view(old.app.views["Count"])] == [2]  # type: ignore[attr-defined]
            new.catch_up()
            assert [row.count for row in new.view(new.app.views["Count"])] == [20]  # type: ignore[attr-defined]


def test_a_view_ahead_of_the_journal_asks_to_be_rebuilt(tmp_path: Path):
    journal, views = tmp_path / "bank.actum", tmp_path / "views.db"
    with opened(journal, read_database=views) as running:
        origin = running.store.origin
        fill(running.store, some_events(10, seed=7))
        old = list(running.store.read(until=4))
        running.catch_up()
    copy = open_store(tmp_path / "restored.actum")
    copy.restore(origin, old, [])
    database = open_read_database(views, journal=journal, origin=origin)
    plan = _there(database)
    projector = Projector(copy, bank.codec, database=database, plans=[plan])
    with pytest.raises(Unavailable, match=r"ahead of the journal, which ends at 4.*[Rr]ebuild"):
        projector.catch_up()
    projector.renew(plan)
    assert projector.catch_up() == 4
    database.close()
    copy.close()


def _there(database: ReadDatabase) -> Plan[Balance]:
    """The plan of the table of balances that is there."""
    place = Place(plan_of(Balance), database)
    live = place.live()
    assert live is not None
    return place.kept_in(live)


def test_a_view_of_another_history_asks_to_be_rebuilt(tmp_path: Path):
    journal, views = tmp_path / "bank.actum", tmp_path / "views.db"
    with opened(journal, read_database=views) as running:
        origin = running.store.origin
        fill(running.store, some_events(10, seed=8))
        old = list(running.store.read(until=4))
        running.catch_up()
    copy = open_store(tmp_path / "restored.actum")
    copy.restore(origin, old, [])
    fill(copy, some_events(20, seed=9))
    database = open_read_database(views, journal=journal, origin=origin)
    with pytest.raises(Unavailable, match="built from another event at position 10"):
        Projector(copy, bank.codec, database=database, plans=[_there(database)]).catch_up()
    database.close()
    copy.close()


def test_an_evolve_that_fails_is_named_with_its_event_and_nothing_is_half_written():
    app = App("failing")

    @app.view
    class Fragile(View):
        account: AccountId
        names: int = 0

        def evolve(self, event: Opened) -> None:
            self.names += 1
            if event.owner == "":
                raise ValueError("no name")

    with app.open("memory:", actor="tester", follow=False) as running:
        running.append(Opened(account="A-1", owner="Ada"))
        running.catch_up()
        running.append(Opened(account="A-1", owner="Ida"), Opened(account="A-2", owner=""))
        with pytest.raises(Unavailable, match=r"Fragile cannot take Opened\(account='A-2'.*no name"):
            running.catch_up()
        assert [row.names for row in running.view(Fragile)] == [1]


def test_a_view_that_fails_does_not_hold_up_the_others():
    app, sound = App("failing"), []

    @app.view
    class Fragile(View):
        account: AccountId

        def evolve(self, event: Opened) -> None:
            if event.owner == "" and not sound:
                raise ValueError("no name")

    app.view(Balance)
    with app.open("memory:", actor="tester", follow=False) as running:
        events = [Opened(account="A-1", owner=""), *some_events(2500, seed=11)]
        fill(running.store, events)
        with pytest.raises(Unavailable, match="Fragile cannot take"):
            running.catch_up()
        assert shown(running) == folded(events)
        assert running.view(Fragile).count() == 0
        sound.append("mended")
        running.views.look_again()
        assert running.catch_up() == len(events)
        assert running.view(Fragile).count() == len(folded(events))


def _cut(database: SqliteTables, view: type[View], *cuts: Cut, worker: str = "") -> None:
    shape = plan_of(view).shape
    assert database.recut(shape.table, database.shares(shape), cuts, worker=worker, seconds=60)


def test_shares_lead_to_the_same_rows_as_one_share_for_all(tmp_path: Path):
    events = some_events(4000, seed=12)
    with opened(tmp_path / "bank.actum") as running:
        fill(running.store, events[:2000])
        projector, database = _projector(running, tmp_path / "views.db", Balance, Turnover)
        projector.make_tables()
        cuts = [Cut(Slices(0, 99), "w"), Cut(Slices(100, 700), "w"), Cut(Slices(701, 1023), "w")]
        _cut(database, Balance, *cuts, worker="w")
        _cut(database, Turnover, Cut(ALL_SLICES, "w"), worker="w")
        projector._owner = projector._held._owner = "w"
        projector.catch_up()
        fill(running.store, events[2000:])
        assert projector.catch_up() == 4000
        assert {row.account: row for row in _table(running, tmp_path / "views.db")} == folded(events)


def test_what_workers_left_divided_is_joined_again_once_it_stands_at_one_mark(tmp_path: Path):
    events = some_events(2500, seed=15)
    with opened(tmp_path / "bank.actum") as running:
        fill(running.store, events)
        projector, database = _projector(running, tmp_path / "views.db", Balance)
        projector.make_tables()
        _cut(database, Balance, Cut(Slices(0, 99)), Cut(Slices(100, 700), "w"), Cut(Slices(701, 1023)), worker="w")
        Projector(running.store, bank.codec, database=database, plans=[plan_of(Balance)], owner="w").step()
        database.leave("w")
        assert len(database.shares(plan_of(Balance).shape)) == 3
        assert projector.catch_up() == 2500
        projector.prepare()
        (share,) = database.shares(plan_of(Balance).shape)
        assert share.mark.position == 2500
        assert {row.account: row for row in _table(running, tmp_path / "views.db")} == folded(events)


def test_a_share_that_somebody_holds_is_left_to_them(tmp_path: Path):
    events = some_events(1500, seed=13)
    with opened(tmp_path / "bank.actum") as running:
        fill(running.store, events)
        free, database = _projector(running, tmp_path / "views.db", Balance)
        free.make_tables()
        _cut(database, Balance, Cut(Slices(0, 511), "w"), Cut(Slices(512, 1023)), worker="w")
        held = Projector(running.store, bank.codec, database=database, plans=[plan_of(Balance)], owner="w")
        while free.step():
            pass
        low, high = database.shares(plan_of(Balance).shape)
        assert (low.mark.position, high.mark.position, free.position) == (0, 1500, 0)
        assert held.catch_up() == 1500
        assert not free.step()
        assert free.position == 1500
        assert {row.account: row for row in _table(running, tmp_path / "views.db")} == folded(events)


def test_who_lost_a_share_in_the_middle_of_a_page_writes_nothing(tmp_path: Path):
    events = some_events(1500, seed=14)
    with opened(tmp_path / "bank.actum") as running:
        fill(running.store, events)
        late, database = _projector(running, tmp_path / "views.db", Balance)
        late.make_tables()
        _cut(database, Balance, Cut(ALL_SLICES, "late"), worker="late")
        late._owner = late._held._owner = "late"
        assert late.step()
        _cut(database, Balance, Cut(ALL_SLICES, "other"), worker="late")
        (share,) = database.shares(plan_of(Balance).shape)
        before = running.store.origin, list(_table(running, tmp_path / "views.db"))
        assert late.step()
        assert database.shares(plan_of(Balance).shape)[0].mark == share.mark
        assert (running.store.origin, list(_table(running, tmp_path / "views.db"))) == before
        assert not late.step()
        other = Projector(running.store, bank.codec, database=database, plans=[plan_of(Balance)], owner="other")
        assert other.catch_up() == 1500
        assert {row.account: row for row in _table(running, tmp_path / "views.db")} == folded(events)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (2**63, "64 bits|too large|overflow|range|big"),
        ("text", "expected int|cannot store"),
        (1.5, "expected int|cannot store"),
    ],
)
def test_a_value_that_its_column_cannot_hold_is_refused(value: Any, why: str):
    app = App("odd")

    @app.view
    class Odd(View):
        account: AccountId
        number: int = 0

        def evolve(self, event: Opened) -> None:
            self.number = value

    with app.open("memory:", actor="tester", follow=False) as running:
        running.append(Opened(account="A-1", owner="Ada"))
        with pytest.raises(Exception, match=f"(?i){why}") as raised:
            running.catch_up()
        assert type(raised.value).__name__ == "Invalid"
        assert running.view(Odd).count() == 0


def test_old_events_count_in_views_as_what_they_are_today():
    class Paid(Event):
        account: AccountId
        amount: Decimal

    old, new = App("old"), App("new")
    old.knows(Paid)
    new.view(Balance)
    new.upcast("Paid", 1, into=("Deposited", 1))
    from actum.journal.clock import SYSTEM_IDS
    from actum.journal.store import Append

    with new.open("memory:", actor="tester", follow=False) as running:
        running.store.append(Append((old.codec.encode(Paid(account="A-1", amount=Decimal(5)), ids=SYSTEM_IDS),)))
        running.append(Deposited(account="A-1", amount=Decimal(2)))
        running.catch_up()
        assert [row.balance for row in running.view(Balance)] == [Decimal(7)]

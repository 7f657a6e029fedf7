"""Some rows of a view are built anew, compared, and put in place at once; and who did it is on record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from actum import App, Event, Invalid, Running, Unavailable, Unknown, View
from actum.journal.readmodel import Change
from actum.projection.acts import RowsRebuilt
from actum.projection.view import plan_of
from actum.subscription.policy import park
from actum.testing.postgres import with_journal
from tests.unit.projection.bank import (
    AccountId,
    Balance,
    Branch,
    Deposited,
    Opened,
    Turnover,
    bank,
    concerned,
    fill,
    folded,
    shown,
    some_events,
)

EVENTS = some_events(600, seed=41)
BEGUN = datetime.now(UTC)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with bank.open(tmp_path / "bank.actum", actor="tester", follow=False) as running:
        fill(running.store, EVENTS)
        running.catch_up()
        yield running


def _spoil(running: Running, *rows: Balance, gone: tuple[str, ...] = ()) -> None:
    """Have other rows there than the events say, behind the back of whoever keeps them."""
    plan = plan_of(Balance)
    own = running.views.shelf.place(Balance).own()
    assert own is not None
    database = running.views.database
    (share,) = database.shares(own.shape)
    change = Change(
        own.shape, plan.rows(rows), share.mark, share.mark, epoch=share.epoch, removed=[(key,) for key in gone]
    )
    assert database.commit([change])


def _wrong(account: str) -> Balance:
    return Balance(account=account, owner="nobody", balance=Decimal(-1), changes=1)


def test_rows_named_by_key_are_built_anew_and_all_others_stay(running: Running):
    right = folded(EVENTS)
    _spoil(running, _wrong("A-1"), _wrong("A-2"), _wrong("not there"), gone=("A-3",))
    rebuild = running.rebuild_rows(Balance, keys=["A-1", ("A-3",), "A-4", "not there"])
    found = rebuild.diff()
    assert (found.added, found.removed, found.changed) == (1, 1, 1)
    assert [(row.key, row.what) for row in found.rows] == [
        (("A-1",), "changed"),
        (("A-3",), "added"),
        (("not there",), "removed"),
    ]
    cell = next(cell for cell in found.rows[0].cells if cell.column == "balance")
    assert (cell.live, cell.candidate) == ("-1", str(right["A-1"].balance))
    assert shown(running)["A-1"] == _wrong("A-1"), "nothing is put in place yet"
    rebuild.switch(found)
    assert shown(running) == right | {"A-2": _wrong("A-2")}
    assert running.rebuild_rows(Balance, keys=["A-1"]).diff().equal


def test_rows_named_by_the_tags_and_times_of_events_are_those_that_they_are_about(running: Running):
    named = {account for event in EVENTS for account in concerned(event) if "A-7" in concerned(event)}
    assert running.rebuild_rows(Balance, tags=["account:A-7"]).count == len(named)
    late = {account for event in EVENTS[589:] for account in concerned(event)}
    assert running.rebuild_rows(Balance, since=590).count == len(late)
    between = {account for event in EVENTS[9:12] for account in concerned(event)}
    assert running.rebuild_rows(Balance, since=10, until=12).count == len(between)
    everybody = len(folded(EVENTS))
    assert running.rebuild_rows(Balance, since=BEGUN).count == everybody
    assert running.rebuild_rows(Balance, since=datetime.now(UTC) + timedelta(days=1)).count == 0
    _spoil(running, *map(_wrong, sorted(folded(EVENTS))))
    running.rebuild_rows(Balance, since=BEGUN).switch(reason="restored from a bad backup")
    assert shown(running) == folded(EVENTS)


def test_who_put_which_rows_in_place_is_on_record_with_why_and_with_the_digests(running: Running):
    _spoil(running, _wrong("A-1"))
    found = running.rebuild_rows(Balance, keys=["A-1"]).diff()
    position = running.rebuild_rows(Balance, keys=["A-1"]).switch(found, actor="ops-1", reason="a bad disk")
    (recorded,) = running.events(after=position - 1)
    assert (recorded.metadata.actor, recorded.metadata.reason) == ("ops-1", "a bad disk")
    event = recorded.event
    assert isinstance(event, RowsRebuilt)
    assert (event.view, event.chosen, event.rows, event.changed) == ("Balance", "keys A-1", 1, 1)
    assert (event.digest_before, event.digest_after) == (found.live.digest, found.candidate.digest)


def test_rows_that_are_not_what_was_compared_are_not_put_in_place(running: Running):
    rebuild = running.rebuild_rows(Balance, keys=["A-1"])
    found = rebuild.diff()
    _spoil(running, _wrong("A-1"))
    with pytest.raises(Invalid, match="not those that were compared"):
        rebuild.switch(found)
    assert shown(running)["A-1"] == _wrong("A-1")
    more = running.append(Deposited(account="A-1", amount=Decimal(5)))
    running.catch_up()
    rebuild.switch(found)  # Events came meanwhile: they are no obstacle.
    assert shown(running)["A-1"] == folded([*EVENTS, *more.events])["A-1"]


def test_whoever_keeps_the_view_up_goes_on_from_the_new_rows(running: Running):
    _spoil(running, _wrong("A-1"))
    running.append(Deposited(account="A-1", amount=Decimal(5)))
    running.catch_up()
    running.rebuild_rows(Balance, keys=["A-1"]).switch()
    done = running.append(Deposited(account="A-1", amount=Decimal(7)))
    running.catch_up()
    assert done.position == running.views.shelf.position
    assert (
        shown(running)["A-1"]
        == folded([*EVENTS, *[Deposited(account="A-1", amount=Decimal(each)) for each in (5, 7)]])["A-1"]
    )


def test_a_parked_key_stays_parked_and_what_was_discarded_stays_out(tmp_path: Path):
    app = App("shop")

    class Odd:
        amounts = {Decimal(13), Decimal(14)}

    @app.view
    class Account(View, on_failure=park(attempts=1)):
        account: AccountId
        amounts: list[Decimal] = []

        def evolve(self, event: Deposited) -> None:
            if event.amount in Odd.amounts:
                raise ValueError("bad luck")
            self.amounts.append(event.amount)

    with app.open(tmp_path / "shop.actum", actor="ada", follow=False) as running:
        for account, amount in (("a", 1), ("a", 13), ("a", 2), ("b", 1), ("b", 14), ("b", 3)):
            running.append(Deposited(account=account, amount=Decimal(amount)))
        running.catch_up()
        running.discard("Account", "a", reason="a test payment")
        before = running.digest(Account)
        rebuild = running.rebuild_rows(Account, since=1)
        assert rebuild.diff().equal
        rebuild.switch()
        assert running.digest(Account) == before
        assert [one.key for one in running.parked()] == ["b"]
        Odd.amounts.clear()
        assert running.retry("Account")
        found = {row.account: [int(each) for each in row.amounts] for row in running.view(Account)}
        assert found == {"a": [1, 2], "b": [1, 14, 3]}
        Odd.amounts.add(Decimal(3))
        with pytest.raises(Unavailable, match=r"cannot take Deposited.*mend its evolve"):
            running.rebuild_rows(Account, keys=["b"]).diff()


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda running: running.rebuild_rows(Balance), "expected some rows: name keys="),
        (lambda running: running.rebuild_rows(Balance, keys="A-1"), "expected lists"),
        (lambda running: running.rebuild_rows(Turnover, since=1), "one row for all events"),
        (lambda running: running.rebuild_rows(Balance, since=10**6), "from the future"),
        (lambda running: running.rebuild_rows(Branch, keys=["Praha"]), "expected"),
    ],
)
def test_what_cannot_be_built_anew_is_said(running: Running, ask: Callable[[Running], Any], words: str):
    with pytest.raises(Invalid, match=words):
        ask(running)


def test_rows_made_by_another_definition_are_rebuilt_whole(tmp_path: Path):
    from tests.unit.projection.versions import at_work, first, second, view_of

    with at_work(first(), tmp_path / "bank.actum") as running:
        fill(running.store, EVENTS)
        running.catch_up()
    with at_work(second(), tmp_path / "bank.actum") as running:
        with pytest.raises(Invalid, match="rebuild it whole"):
            running.rebuild_rows(view_of(running.app), keys=["A-1"])
        with pytest.raises(Unknown, match="view"):
            running.rebuild_rows(Balance, keys=["A-1"])


@pytest.mark.parametrize("engine", ["SQLite", "PostgreSQL"])
def test_under_constant_reading_and_writing_nobody_sees_some_rows_new_and_some_old(
    tmp_path: Path, engine: str, request: pytest.FixtureRequest
):
    """Workers keep the view up, somebody writes, somebody reads all: what is spoilt is put right for all rows at once."""
    views = (
        str(tmp_path / "bank.views.db")
        if engine == "SQLite"
        else with_journal(request.getfixturevalue("postgres"), f"t{uuid4().hex[:20]}")
    )
    names = [f"A-{number}" for number in range(200)]
    opened: list[Event] = [Opened(account=name, owner="Ada") for name in names]
    more: list[Event] = []
    over, torn, seen = threading.Event(), list[Any](), set[int]()
    with bank.open(tmp_path / "bank.actum", actor="tester", follow=False, read_database=views) as running:
        fill(running.store, opened)
        running.catch_up()
        _spoil(running, *map(_wrong, names))

        def read() -> None:
            while not over.is_set():
                rows = running.view(Balance).page(limit=1000).rows
                spoilt = sum(row.owner == "nobody" for row in rows)
                seen.add(spoilt)
                if spoilt not in (0, 200) or len(rows) != 200:
                    torn.append(spoilt)

        def write() -> None:
            while not over.is_set():
                more.append(Deposited(account=names[len(more) % 200], amount=Decimal(1)))
                running.append(more[-1])

        with running.work(2, lease=30):
            threads = [threading.Thread(target=each) for each in (read, read, write)]
            for thread in threads:
                thread.start()
            try:
                while 200 not in seen:
                    running.wait_for(running.head(), timeout=60)
                running.rebuild_rows(Balance, keys=names).switch()
                while 0 not in seen:
                    running.wait_for(running.head(), timeout=60)
            finally:
                over.set()
                for thread in threads:
                    thread.join()
            running.wait_for(running.head(), timeout=60)
            assert torn == []
            assert shown(running) == folded([*opened, *more])

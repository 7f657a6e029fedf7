"""A build folds many pages of events before it writes: each changed row once, with how far it has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from actum import App, Event, Running, Unavailable, View
from actum.journal.readmodel import Change, ReadDatabase
from actum.projection.build import PAGE, Build
from actum.projection.place import Place
from actum.projection.projector import Projector
from actum.projection.view import plan_of
from actum.subscription.policy import Policy, park, stop
from actum.testing.postgres import with_journal
from tests.unit.projection.bank import AccountId, Deposited, Opened, Transferred, fill, some_events
from tests.unit.projection.versions import at_work, first, view_of

LONG = 600.0
"""Seconds that no step here takes."""

MANY = 100 * PAGE
"""Events that no step here has."""

EVENTS = some_events(6 * PAGE, seed=83, accounts=30)


class Watched:
    """A read database, and what was written to it: of each commit, how many rows, and up to where."""

    def __init__(self, database: ReadDatabase) -> None:
        self._database = database
        self.written: list[tuple[int, int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def commit(self, changes: Sequence[Change]) -> bool:
        """Write, and remember it."""
        self.written += [(len(change.rows), change.reached.position) for change in changes]
        return self._database.commit(changes)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def views(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where views are kept."""
    if request.param == "SQLite":
        return str(tmp_path / "bank.views.db")
    return with_journal(request.getfixturevalue("postgres"), f"t{uuid4().hex[:20]}")


@pytest.fixture
def open_with(tmp_path: Path, views: str) -> Iterator[Callable[..., Running]]:
    """Opens a program on a journal of these events, whose views have taken them all in."""
    opened: list[Running] = []

    def open_with(app: App, events: Sequence[Event]) -> Running:
        running = at_work(app, tmp_path / "bank.actum", views=views)
        opened.append(running)
        fill(running.store, events)
        running.catch_up()
        return running

    yield open_with
    for running in opened:
        running.close()


def _build(running: Running, *, step: int = MANY, longest: float = LONG) -> tuple[Build[Any], Watched]:
    """Of one more table beside the one that is kept up."""
    database: Any = Watched(running.views.database)
    place = Place(plan_of(view_of(running.app)), database)
    return Build(place, store=running.store, codec=running.app.codec, step=step, longest=longest), database


def _finish(build: Build[Any]) -> None:
    while build.step():
        pass


def _equal(running: Running, build: Build[Any]) -> bool:
    """Whether the table that was built has the rows of the one that was kept up."""
    return running.candidate(view_of(running.app)).diff().equal and build.pace().position == build.goal()


def test_a_row_that_changes_in_several_pages_is_written_once(open_with: Callable[..., Running]):
    running = open_with(first(), [Deposited(account="A-1", amount=Decimal(1))] * (3 * PAGE + 7))
    build, database = _build(running)
    _finish(build)
    assert database.written == [(1, 3 * PAGE + 7)]
    assert _equal(running, build)


@pytest.mark.parametrize(
    ("step", "longest", "pages"), [(MANY, 0.0, 1), (PAGE - 1, LONG, 0), (2 * PAGE, LONG, 2), (3 * PAGE - 1, LONG, 2)]
)
def test_it_is_written_after_so_many_events_or_seconds_at_the_most(
    open_with: Callable[..., Running], step: int, longest: float, pages: int
):
    running = open_with(first(), EVENTS)
    build, database = _build(running, step=step, longest=longest)
    _finish(build)
    reached = [position for _, position in database.written]
    assert reached == [*range(size := pages * PAGE or step, len(EVENTS), size), len(EVENTS)]
    assert _equal(running, build)


def test_no_more_changed_rows_wait_in_memory_than_may_be_kept(open_with: Callable[..., Running]):
    """However many keys there are: what waits to be written is what is kept, and one page more."""
    kept, page = 50, 20
    running = open_with(first(), some_events(3000, seed=84, accounts=900))
    database: Any = Watched(running.views.database)
    place = Place(plan_of(view_of(running.app)), database)
    build = Projector(
        running.store, running.app.codec, database=database, plans=[place.new()], page=page, kept=kept, folds_on=lambda _: True
    )  # fmt: skip
    in_memory: list[int] = []
    while build.step():
        (rows,) = [line.rows for line in build._held.lines]
        in_memory.append(len(rows._young) + len(rows._old))
    most = kept + 2 * page  # An event is about two accounts at the most.
    assert kept < max(count for count, _ in database.written) <= most
    assert max(in_memory) <= most
    assert running.candidate(view_of(running.app)).diff().equal


class Odd:
    """What the code of today cannot take: mended by emptying it."""

    amounts: set[Decimal] = set()


@pytest.fixture
def odd() -> Iterator[set[Decimal]]:
    yield Odd.amounts
    Odd.amounts.clear()


def _choosy(policy: Policy) -> App:
    app = App("bank", version="2")

    class Balance(View, table="balances", on_failure=policy):
        account: AccountId
        balance: Decimal = Decimal(0)
        changes: int = 0

        def evolve(self, event: Opened | Deposited | Transferred) -> None:
            self.changes += 1
            match event:
                case Opened():
                    pass
                case Deposited(amount=amount) | Transferred(amount=amount):
                    if amount in Odd.amounts:
                        raise ValueError("bad luck")
                    self.balance += amount

    app.view(Balance)
    return app


BAD = Decimal(1_000_000)


def _with_bad(*places: int) -> list[Event]:
    """The events, and bad ones in these places."""
    bad = Transferred(source="A-1", target="A-2", amount=BAD)
    return [bad if place in places else event for place, event in enumerate(EVENTS)]


def test_what_fails_in_a_later_page_stops_the_build_before_that_page_and_it_goes_on_from_there(
    open_with: Callable[..., Running], odd: set[Decimal]
):
    running = open_with(_choosy(stop()), _with_bad(3 * PAGE + 5))
    build, database = _build(running)
    odd.add(BAD)
    with pytest.raises(Unavailable, match=r"cannot take Transferred.*bad luck"):
        _finish(build)
    assert [position for _, position in database.written] == [PAGE, 2 * PAGE, 3 * PAGE]
    odd.clear()
    _finish(build)
    assert [position for _, position in database.written][3:] == [6 * PAGE]
    assert _equal(running, build)


@pytest.mark.parametrize("attempts", [1, 3])
def test_what_was_parked_or_discarded_in_later_pages_is_so_in_the_table_that_is_built(
    open_with: Callable[..., Running], odd: set[Decimal], attempts: int
):
    odd.add(BAD)
    running = open_with(_choosy(park(attempts=attempts)), _with_bad(2 * PAGE + 5, 4 * PAGE + 5))
    running.discard("Balance", "A-1", reason="a test")
    build, database = _build(running)
    _finish(build)
    aside = [(one.key, one.position) for one in running.views.database.parked(build.plan.shape)]
    assert aside == [("A-2", 2 * PAGE + 6), ("A-1", 4 * PAGE + 6)]
    assert _equal(running, build)
    assert len(database.written) < len(EVENTS) // PAGE

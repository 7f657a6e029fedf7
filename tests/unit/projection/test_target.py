"""Targets of somebody's own are brought each event once and in order, whatever fails when and whoever else brings it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from actum import Event, Invalid, Running, Unavailable, Unknown
from actum.journal.readmodel import Mark
from actum.projection.target import Courier
from actum.testing.postgres import with_journal
from tests.unit.projection.bank import Deposited, Opened, bank
from tests.unit.projection.shelves import Shelf


class Strange(Event):
    owner: str


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    postgres = request.param == "PostgreSQL"
    address = with_journal(request.getfixturevalue("postgres"), f"t{uuid4().hex}") if postgres else tmp_path / "bank.db"
    with bank.open(address, actor="t", follow=False) as opened:
        yield opened


def _open(running: Running, *owners: str) -> None:
    for owner in owners:
        running.append(Opened(account=owner, owner=owner), Deposited(account=owner, amount=Decimal(1)))


def _courier(running: Running, shelf: Shelf, *, page: int = 2) -> Courier:
    return Courier(running.store, bank.codec, target=shelf, events=[Opened], page=page)


def _all(*couriers: Courier) -> None:
    while sum(courier.step() for courier in couriers):
        pass


def test_each_event_is_brought_once_and_in_order_a_page_at_a_time(running: Running, tmp_path: Path):
    _open(running, "a", "b", "c")
    shelf = Shelf(tmp_path / "shelf.db")
    courier = _courier(running, shelf)
    _all(courier)
    _open(running, "d")
    _all(courier)
    assert shelf.taken() == [(1, "a"), (3, "b"), (5, "c"), (7, "d")]
    assert shelf.pages == [2, 1, 1]
    assert courier.position == running.head() == shelf.reached().position


def test_it_goes_on_from_where_the_target_stands(running: Running, tmp_path: Path):
    _open(running, "a")
    _all(_courier(running, Shelf(tmp_path / "shelf.db")))
    _open(running, "b")
    again = Shelf(tmp_path / "shelf.db")
    _all(_courier(running, again))
    assert again.taken() == [(1, "a"), (3, "b")]
    assert again.pages == [1]


def test_what_does_not_concern_it_costs_the_target_nothing(running: Running, tmp_path: Path):
    running.append(Deposited(account="a", amount=Decimal(1)))
    shelf = Shelf(tmp_path / "shelf.db")
    courier = _courier(running, shelf)
    _all(courier)
    assert (courier.position, shelf.pages, shelf.reached()) == (1, [], Mark())


def test_two_that_bring_the_same_bring_it_once(running: Running, tmp_path: Path):
    shelves = [Shelf(tmp_path / "shelf.db") for _ in range(2)]
    couriers = [_courier(running, shelf) for shelf in shelves]
    for owner in "abcdef":
        _open(running, owner)
        _all(*couriers)
    assert shelves[0].taken() == [(1 + 2 * number, owner) for number, owner in enumerate("abcdef")]
    assert sum(shelves[1].pages) + sum(shelves[0].pages) == 6


def test_where_nobody_knows_whether_it_was_done_the_target_says(running: Running, tmp_path: Path):
    _open(running, "a", "b")
    shelf = Shelf(tmp_path / "shelf.db")
    shelf.after = [ConnectionError("the answer was lost")]
    courier = _courier(running, shelf)
    with pytest.raises(Unavailable, match="the target Shelf fails: ConnectionError: the answer was lost"):
        _all(courier)
    _all(courier)
    assert shelf.taken() == [(1, "a"), (3, "b")]


def test_a_target_that_does_not_move_and_one_of_another_journal_are_named(running: Running, tmp_path: Path):
    _open(running, "a")

    class Lazy(Shelf):
        def take(self, events: object, *, seen: Mark, reached: Mark) -> bool:
            return False

    with pytest.raises(Unavailable, match="the target Lazy stands at position 0, and turned down what comes next"):
        _courier(running, Lazy(tmp_path / "lazy.db")).step()
    foreign = Shelf(tmp_path / "shelf.db")
    assert foreign.take([], seen=Mark(), reached=Mark(1, b"another"))
    with pytest.raises(Unavailable, match="where the journal has another event, or none"):
        _courier(running, foreign).step()


def test_a_thread_delivers_and_tries_again_whatever_fails(running: Running, tmp_path: Path):
    path = tmp_path / "shelf.db"
    Shelf(path)

    class Opening:
        """Its file is opened by the thread that uses it, and its first page fails."""

        shelf: Shelf | None = None

        def reached(self) -> Mark:
            if self.shelf is None:
                self.shelf = Shelf(path)
                self.shelf.before = [OSError("no room")]
            return self.shelf.reached()

        def take(self, events: object, *, seen: Mark, reached: Mark) -> bool:
            assert self.shelf is not None
            return self.shelf.take(events, seen=seen, reached=reached)  # type: ignore[arg-type]

    with running.deliver(Opening(), Opened) as delivery:
        _open(running, "a", "b")
        delivery.wait_for(running.head(), timeout=60)
        assert delivery.trouble is None
        assert delivery.position == running.head()
        with pytest.raises(Invalid, match="wait_for: position 99 is from the future"):
            delivery.wait_for(99)
    assert Shelf(path).taken() == [(1, "a"), (3, "b")]
    with pytest.raises(Invalid, match="deliver: expected kinds of events"):
        running.deliver(Opening())


@pytest.mark.parametrize("strange", [Strange, "Opened", 1, Event])
def test_what_is_no_event_of_the_application_is_told_at_once(running: Running, tmp_path: Path, strange: Any):
    with pytest.raises(Unknown, match=r"no event type is called .*; known: .*Opened"):
        running.deliver(Shelf(tmp_path / "shelf.db"), strange)


def test_it_does_not_say_that_it_went_back_where_another_was_first(running: Running, tmp_path: Path):
    _open(running, "a", "b", "c")
    path = tmp_path / "shelf.db"
    late, first = _courier(running, Shelf(path), page=1), _courier(running, Shelf(path), page=1)
    assert late.step()
    _all(first)
    assert late.step()
    assert late.position == 1
    _all(late)
    assert late.position == running.head()

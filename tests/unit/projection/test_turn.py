"""Of several processes one builds a table, and the others wait for it, or go on where it stopped."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from actum import Event, Running
from actum.journal.readmodel import ALL_SLICES, Cut
from actum.projection.build import Build
from actum.projection.projector import Projector
from actum.projection.switch import RACES, switch
from actum.testing.postgres import with_journal
from tests.unit.projection.bank import Deposited, fill, some_events
from tests.unit.projection.versions import at_work, first, made_of, rows_of, second, view_of

EVENTS = some_events(400, seed=71)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def views(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the views are kept, by the first version."""
    views = str(tmp_path / "bank.views.db")
    if request.param == "PostgreSQL":
        views = with_journal(request.getfixturevalue("postgres"), f"t{uuid4().hex[:20]}")
    with at_work(first(), tmp_path / "bank.actum", views=views) as running:
        fill(running.store, EVENTS)
        running.catch_up()
    return views


def _build(running: Running, *, lease: float) -> Build[Any]:
    place = running.views.shelf.place(view_of(running.app))
    return Build(place, store=running.store, codec=running.app.codec, step=50, lease=lease)


def test_who_has_the_turn_builds_and_others_wait_until_it_is_given_up(tmp_path: Path, views: str):
    one, other = (at_work(second(), tmp_path / "bank.actum", views=views) for _ in range(2))
    with one, other:
        building, waiting = _build(one, lease=600), _build(other, lease=600)
        assert building.step()
        for _ in range(3):
            mark = building.mark()
            assert waiting.step(), "there is more to do"
            assert waiting.mark() == mark, "and somebody else does it"
            building.step()
        reached = building.pace().position
        building.rest()
        assert waiting.step()
        assert reached < waiting.pace().position
        while waiting.step():
            pass
        assert not building.step(), "it is there, by whomever"
        one.rebuild(view_of(one.app)).switch()
        assert rows_of(one) == rows_of(other) == made_of(second(), EVENTS)


def test_whose_turn_is_over_without_a_word_is_taken_over_from(tmp_path: Path, views: str):
    one, other = (at_work(second(), tmp_path / "bank.actum", views=views) for _ in range(2))
    with one, other:
        silent, waiting = _build(one, lease=0.2), _build(other, lease=0.2)
        assert silent.step()
        while waiting.step():  # For ever, were the turn never over.
            pass
        assert waiting.pace().position == 400
        while silent.step():
            pass
        assert silent.pace().position == 400


def test_two_that_build_at_once_come_to_the_right_rows_together(tmp_path: Path, views: str):
    programs = [at_work(second(), tmp_path / "bank.actum", views=views) for _ in range(2)]
    with programs[0], programs[1]:
        builds = [_build(one, lease=0.2) for one in programs]

        def build(number: int) -> None:
            while builds[number].step():
                pass

        threads = [threading.Thread(target=build, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [each.pace().position for each in builds] == [400, 400]
        programs[0].rebuild(view_of(programs[0].app)).switch()
        assert rows_of(programs[1]) == made_of(second(), EVENTS)


@pytest.mark.parametrize("workers", [False, True], ids=["kept by nobody's worker", "kept by a worker"])
def test_a_live_table_that_others_always_move_on_is_held_still_and_switched_from(
    tmp_path: Path, views: str, *, workers: bool
):
    """Whenever the candidate has come as far, an older program takes in one more event, if it may."""
    older, newer = (at_work(app, tmp_path / "bank.actum", views=views) for app in (first(), second()))
    with older, newer:
        place = older.views.shelf.place(view_of(older.app))
        (live,) = place.tables()
        database, plan, shape = place.database, place.kept_in(live), live.shape
        (share,) = database.shares(shape)
        owner = "the older" if workers else ""
        if workers:
            assert database.recut(shape.table, [share], [Cut(ALL_SLICES, owner)], worker=owner, seconds=600)
        ahead = Projector(older.store, older.app.codec, database=database, plans=[plan], owner=owner)
        more: list[Event] = []

        class Overtaken(Build[Any]):
            def bring_to(self, position: int) -> None:
                super().bring_to(position)
                more.append(Deposited(account="A-1", amount=Decimal(1)))
                older.append(more[-1])
                ahead.step()

        candidate = newer.views.shelf.place(view_of(newer.app))
        switch(Overtaken(candidate, store=newer.store, codec=newer.app.codec))
        assert len(more) == RACES + 1, "and no attempt more"
        newer.views.shelf.take_up()
        newer.catch_up()
        assert rows_of(newer) == made_of(second(), [*EVENTS, *more])
        assert [share.held for share in database.shares(shape)] == [False], "it is let go of"

"""Applications besieged by what ships: one that is sound bears it, and what is not is found."""

from __future__ import annotations

import uuid
from pathlib import Path
from random import Random
from typing import Any

import pytest

from actum import App, View
from actum.journal.readmodel import ALL_SLICES, Change, Mark
from actum.subscription.policy import Policy, Then, park, skip
from actum.testing.followers import Move, faults_in
from actum.testing.judging import faults_of
from actum.testing.postgres import with_journal
from actum.testing.siege import Hardship, besiege
from tests.fault.shops import CustomerId, Paid, Sales, sound

ONE_OF_EACH = tuple(Hardship)


def feed(running: Any, number: int) -> None:
    random = Random(number)
    running.append(*[Paid(customer=f"C-{random.randrange(30)}", cents=random.randrange(100)) for _ in range(200)])


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "SQLite":
        return str(tmp_path / "shop.db")
    return with_journal(request.getfixturevalue("postgres"), f"t{uuid.uuid4().hex}")


def test_a_sound_application_bears_a_siege_and_its_figures_are_told(journal: str, seed: int):
    found: list[int] = []

    def check(running: Any) -> list[str]:
        database = running.views.database
        shape = running.app.projections["till"].shape
        mark, share = database.mark(shape), database.shares(shape)[0]
        read = lambda db: found.extend(cents for (cents,) in db.execute("SELECT cents FROM till").fetchall())  # noqa: E731
        looked = database.commit([Change(shape, (), mark, mark, share.slices, share.epoch, share.owner, work=read)])
        paid = [event.event.cents for event in running.events()]
        return [] if looked and sorted(found) == sorted(paid) else ["the till is wrong"]

    report = besiege("tests.fault.shops:sound", journal, feed, seed=seed, workers=2, hardships=ONE_OF_EACH, check=check)
    assert report.events == 600
    assert (report.done["killed"], report.done["stopped"]) == (1, 1)
    assert report.rescaled == 2
    assert f"seed {seed}" in str(report)


def test_a_view_that_depends_on_who_folds_it_is_found(tmp_path: Path, seed: int):
    with pytest.raises(AssertionError, match=r"Unsteady \('C-\d+',\): expected Unsteady\(.*found Unsteady\("):
        besiege(
            "tests.fault.shops:unsteady", tmp_path / "shop.db", feed, seed=seed, workers=1, hardships=[Hardship.KILLED]
        )


def test_a_worker_that_cannot_begin_is_told_with_its_words(tmp_path: Path, seed: int):
    with pytest.raises(ModuleNotFoundError):
        besiege("tests.fault.nowhere:shop", tmp_path / "shop.db", feed, seed=seed)
    with pytest.raises(AssertionError, match=r"found one that said: (?s:.*)lease: expected"):
        besiege("tests.fault.shops:sound", tmp_path / "shop.db", feed, seed=seed, lease=0.01)


def test_a_row_that_somebody_touched_is_found(journal: str):
    with sound.open(journal, actor="t", follow=False) as running:
        feed(running, 1)
        running.catch_up()
        assert faults_of(running) == []
        plan = next(plan for plan in running.views.shelf.plans if plan.name == "Sales")
        database = running.views.database
        (share,) = database.shares(plan.shape)
        row = plan.rows([Sales(customer="C-1", cents=-1)])  # type: ignore[union-attr]
        assert database.commit([Change(plan.shape, row, share.mark, share.mark, epoch=share.epoch)])
        (fault,) = faults_of(running)
        assert fault.startswith("Sales ('C-1',): expected Sales(customer='C-1', cents=")
        assert "found Sales(customer='C-1', cents=-1" in fault


@pytest.mark.parametrize("policy", [park(attempts=1), skip("below nothing", attempts=1)], ids=["park", "skip"])
def test_what_could_not_be_taken_in_is_no_fault_and_what_was_discarded_is_none(policy: Policy):
    shop, strict = App("shop"), ["strict"]

    class Total(View, on_failure=policy):
        customer: CustomerId
        cents: int = 0

        def evolve(self, event: Paid) -> None:
            self.cents += event.cents
            if strict and event.cents < 0:
                raise ValueError("below nothing")

    shop.view(Total)
    with shop.open("memory:", actor="t", follow=False) as running:
        running.append(*[Paid(customer=f"C-{cents % 2}", cents=cents) for cents in (1, 2, -3, 4, 5)])
        running.catch_up()
        assert faults_of(running) == []
        assert [one.key for one in running.parked()] == (["C-1"] if policy.then is Then.PARK else [])
        for one in running.parked():
            strict.clear()
            running.discard(Total, one.key, reason="a typo")
        running.catch_up()
        assert {row.customer: row.cents for row in running.view(Total)} == {"C-0": 6, "C-1": 6}
        assert faults_of(running) == []


def test_what_is_passed_over_at_the_beginning_is_found_of_a_view_and_a_process_begins_where_it_was_opened():
    late = [Mark(3, b"3"), Mark(5, b"5")]
    assert faults_in([Move("balances", ALL_SLICES, 1, "one", *late)]) == [
        "balances, slice 0: from 0 on came a move from 3"
    ]
    assert faults_in([Move("actum_process_Payout", ALL_SLICES, 1, "one", *late)]) == []

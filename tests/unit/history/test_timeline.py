"""The life of one thing: what each event changed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from actum.history.timeline import FieldChange, Subject, timeline
from actum.journal.errors import Invalid
from actum.service.running import Running
from tests.unit.decision.bank import Account, Deposit, Open, Transfer, Withdraw, a_bank


@pytest.fixture
def running() -> Iterator[Running]:
    with a_bank().open("memory:", actor="teller") as running:
        for account in ("a", "b"):
            running.execute(Open(account=account, email=f"{account}@example.org"))
        running.execute(Deposit(account="a", amount=Decimal(10)))
        running.execute(Transfer(source="a", target="b", amount=Decimal(4)), reason="rent")
        running.execute(Withdraw(account="b", amount=Decimal(1)))
        yield running


def test_each_event_is_told_with_the_state_before_and_after(running: Running):
    steps = list(timeline(Subject(Account, "a"), store=running.store, codec=running.app.codec))
    assert [step.recorded.type for step in steps] == ["Opened", "Deposited", "Transferred"]
    assert [step.recorded.position for step in steps] == [1, 3, 4]
    assert [(step.before.balance, step.after.balance) for step in steps] == [(0, 0), (0, 10), (10, 6)]
    assert steps[0].changes == (FieldChange("open", False, True),)
    assert steps[2].changes == (FieldChange("balance", Decimal(10), Decimal(6)),)
    assert steps[2].recorded.metadata.reason == "rent"


def test_the_last_step_ends_at_the_state_of_today(running: Running):
    steps = list(timeline(Subject(Account, "b"), store=running.store, codec=running.app.codec))
    assert steps[-1].after == running.state(Account, "b")


def test_a_part_of_a_life_begins_with_what_was_before(running: Running):
    (step,) = timeline(Subject(Account, "a"), store=running.store, codec=running.app.codec, after=3, until=4)
    assert step.before.balance == 10
    assert step.recorded.position == 4


def test_what_was_told_does_not_change_when_life_goes_on(running: Running):
    steps = timeline(Subject(Account, "a"), store=running.store, codec=running.app.codec)
    first = next(steps)
    kept = (first.before.open, first.after.open, first.after.balance)
    list(steps)
    assert (first.before.open, first.after.open, first.after.balance) == kept


def test_a_thing_of_which_nothing_is_known_has_no_life(running: Running):
    assert list(timeline(Subject(Account, "nobody"), store=running.store, codec=running.app.codec)) == []


def test_an_identity_that_does_not_fit_is_refused():
    with pytest.raises(Invalid, match="identified by id"):
        Subject(Account)

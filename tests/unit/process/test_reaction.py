"""What a reaction may ask for, and what an occasion gives it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from actum import Invalid, Misdeclared, Timer
from actum.journal.store import Append
from actum.process.reaction import Occasion, Sorted
from actum.stores.memory import MemoryStore
from actum.testing.builders import an_event
from tests.unit.process.payouts import Overdue, Remind, SendMoney

THEN = Overdue(payout="P")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "either after"),
        ({"after": timedelta(1), "at": datetime(2026, 1, 1, tzinfo=UTC)}, "either after"),
        ({"at": datetime(2026, 1, 1)}, "naive"),  # noqa: DTZ001
        ({"after": timedelta(-1)}, "negative"),
    ],
)
def test_a_timer_needs_one_time_that_can_come(wrong: dict[str, Any], said: str):
    with pytest.raises(Invalid, match=said):
        Timer("t", then=THEN, **wrong)


def test_a_timer_needs_a_name():
    with pytest.raises(Invalid, match="name"):
        Timer("", then=THEN, after=timedelta(1))


def test_a_time_beyond_the_calendar_is_said_to_be_so():
    with pytest.raises(Invalid, match="beyond the year 9999"):
        Timer("t", then=THEN, after=timedelta(days=10**6 * 4)).due(datetime(2026, 1, 1, tzinfo=UTC))


def test_what_is_asked_for_is_sorted_out_in_order():
    remind, money, timer = (
        Remind(payout="P"),
        SendMoney(payout="P", amount=1),
        Timer("t", then=THEN, after=timedelta(1)),
    )
    found = Sorted.of([remind, money, timer, Timer.cancel("u")], "X.react")
    assert (found.commands, found.effects, found.timers, found.cancels) == ([remind], [money], [timer], ["u"])
    assert found
    assert not Sorted.of(None, "X.react")
    assert Sorted.of(remind, "X.react").commands == [remind]


def test_anything_else_is_not_for_a_reaction_to_ask():
    with pytest.raises(Misdeclared, match=r"X\.react asked for Overdue"):
        Sorted.of(THEN, "X.react")


def test_an_occasion_is_the_same_whenever_it_comes_again_and_no_two_are_alike():
    store = MemoryStore()
    store.append(Append((an_event("A"),)), Append((an_event("A"),)))
    one, other = store.read()
    first, again = Occasion(one, "x"), Occasion(one, "x")
    assert (first.id(), first.id("b"), first.random().random()) == (again.id(), again.id("b"), again.random().random())
    assert (first.now, first.position) == (one.recorded_at, 1)
    ids = {first.id(), first.id("b"), Occasion(one, "y").id(), Occasion(other, "x").id()}
    assert len(ids) == 4
    assert first.random().random() != Occasion(other, "x").random().random()

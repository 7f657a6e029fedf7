"""How effects are declared, and what is turned down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from actum import App, Event, Misdeclared
from actum.process.effect import Attempt
from tests.unit.process.payouts import Requested, SendMoney, Sent


def ordinary(request: SendMoney) -> Sent:
    return Sent(payout=request.payout, receipt="r")


def of_an_event(request: Requested) -> Sent:
    raise AssertionError


def of_nothing() -> Sent:
    raise AssertionError


def with_more(request: SendMoney, clock: str) -> Sent:
    raise AssertionError


def silent(request: SendMoney):
    raise AssertionError


def vague(request: SendMoney) -> Event:
    raise AssertionError


async def awaited(request: SendMoney) -> Sent:
    raise AssertionError


def lazily(request: SendMoney) -> Iterator[Sent]:
    yield ordinary(request)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (of_an_event, "expected an effect first"),
        (of_nothing, "expected an effect first"),
        (with_more, "attempt: Attempt"),
        (silent, "say what the answer is"),
        (vague, "expected event classes"),
        (awaited, "an ordinary function"),
        (lazily, "an ordinary function"),
    ],
)
def test_what_is_not_whole_is_said_when_it_is_declared(wrong: Callable[..., object], said: str):
    with pytest.raises(Misdeclared, match=said):
        App("bank").effect(wrong)


def another(request: Refund, attempt: Attempt) -> Sent | None:
    raise AssertionError


class Refund(SendMoney):
    pass


def test_what_finds_out_must_be_about_the_same():
    with pytest.raises(Misdeclared, match="what finds out takes Refund"):
        App("bank").effect(ask=another)(ordinary)


def test_a_lease_and_attempts_are_there_for_something():
    for options in ({"lease": timedelta(0)}, {"attempts": 0}):
        with pytest.raises(Misdeclared, match="a lease above 0 and one attempt or more"):
            App("bank").effect(**options)(ordinary)  # type: ignore[arg-type]


def test_an_effect_is_declared_once():
    bank = App("bank")
    assert bank.effect(ordinary) is ordinary
    with pytest.raises(Misdeclared, match="both called SendMoney"):
        bank.effect(ordinary)

"""Scenarios of processes: what is so passes, what is not is said, and what nobody should have to say is held to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from actum import App, Command, Process, Timer
from actum.process.reaction import Occasion
from actum.testing.purity import check_purity
from actum.testing.scenario import given
from tests.unit.process.payouts import (
    Bounced,
    Deposited,
    Overdue,
    Payout,
    PayoutId,
    Release,
    Remind,
    Reminded,
    Requested,
    Reserve,
    Reserved,
    SendMoney,
    Sent,
    a_bank,
    remind,
    request,
)

ASKED = Requested(payout="P", account="A", amount=Decimal(5))
MONEY = Deposited(account="A", amount=Decimal(9))
RESERVED = Reserved(payout="P", account="A", amount=Decimal(5))
TIMERS = {"overdue": timedelta(days=2), "reminder": timedelta(days=1)}


def test_what_a_process_asks_for_is_said_each_kind_apart():
    bank = a_bank()
    asked = given(bank, MONEY).when_happens(ASKED)
    asked.then_commands(Reserve(payout="P", account="A", amount=Decimal(5))).then_timers(**TIMERS)
    asked.then_effects().then_cancelled()
    given(bank, MONEY, ASKED).when_happens(RESERVED).then_effects(SendMoney(payout="P", amount=Decimal(5)))
    asked.and_state(Payout, "P", ended=False)


def test_what_the_outside_answers_is_what_happens_next():
    asked = given(a_bank(), MONEY, ASKED)
    asked.when_happens(Sent(payout="P", receipt="r")).then_cancelled("reminder", "overdue").then_ended()
    bounced = asked.when_happens(Bounced(payout="P"))
    bounced.then_commands(Release(payout="P", account="A", amount=Decimal(5))).then_ended()


def test_time_passes_when_one_says_so():
    asked = given(a_bank(), MONEY, ASKED).when_time_passes(hours=23)
    asked.then_nothing().then_happens()
    asked.when_time_passes(hours=1).then_happens().then_commands()
    late = asked.when_time_passes(days=2)
    late.then_happens(Overdue(payout="P")).then_commands(Release(payout="P", account="A", amount=Decimal(5)))


def test_what_does_not_concern_a_process_leads_to_nothing():
    given(a_bank()).when_happens(MONEY).then_nothing()
    given(a_bank(), MONEY, ASKED).when_happens(Deposited(account="A", amount=Decimal(1))).then_nothing()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda asked: asked.then_commands(), "not expected: Reserve"),
        (lambda asked: asked.then_commands(Remind(payout="P")), "expected Remind"),
        (lambda asked: asked.then_effects(SendMoney(payout="P", amount=Decimal(5))), "missing: SendMoney"),
        (lambda asked: asked.then_timers(overdue=timedelta(days=3), reminder=timedelta(days=1)), "overdue"),
        (lambda asked: asked.then_cancelled("overdue"), "overdue"),
        (lambda asked: asked.then_happens(Overdue(payout="P")), "missing: Overdue"),
        (lambda asked: asked.then_ended(), "expected True"),
        (lambda asked: asked.then_nothing(), "not expected: Reserve"),
        (lambda asked: asked.and_state(Payout, "P", ended=True), "expected True"),
    ],
)
def test_what_is_not_so_is_said_with_the_scenario(wrong: Any, said: str):
    asked = given(a_bank(), MONEY).when_happens(ASKED)
    with pytest.raises(AssertionError, match=said) as found:
        wrong(asked)
    assert "given  Deposited" in str(found.value)
    assert "when   Requested" in str(found.value)
    assert "on     memory" in str(found.value)


def test_a_field_that_a_state_does_not_have_is_a_mistake_of_the_test():
    with pytest.raises(TypeError, match="color"):
        given(a_bank(), MONEY).when_happens(ASKED).and_state(Payout, "P", color="red")


def an_app(process: type[Process]) -> App:
    app = App("nervous")
    app.decides(request)
    app.decides(remind)
    app.process(process)
    return app


class ByChance(Process, starts=Requested):
    payout: PayoutId

    def evolve(self, event: Requested) -> None: ...

    def react(self, event: Requested) -> Remind:
        return Remind(payout=str(random.random()))


class ByClock(Process, starts=Requested):
    payout: PayoutId

    def evolve(self, event: Requested) -> None: ...

    def react(self, event: Requested) -> Timer:
        return Timer("t", at=datetime.now().astimezone(), then=Remind(payout=self.payout))


class Meddling(Process, starts=Requested):
    payout: PayoutId
    count: int = 0

    def evolve(self, event: Requested) -> None: ...

    def react(self, event: Requested) -> None:
        self.count += 1


class WithOccasion(Process, starts=Requested):
    payout: PayoutId

    def evolve(self, event: Requested | Reminded) -> None: ...

    def react(self, event: Requested, occasion: Occasion) -> Iterator[Command]:
        if occasion.now.year:
            yield Remind(payout=f"{occasion.id()} {occasion.random().random()}")


def test_a_reaction_that_answers_another_time_something_else_is_found_by_trial_and_by_reading():
    app = an_app(ByChance)
    with pytest.raises(AssertionError, match="was called twice on the same") as found:
        given(app).when_happens(ASKED).then_effects()
    assert "take an Occasion" in str(found.value)
    with pytest.raises(AssertionError, match=r"ByChance\.react reaches for random\.random: take an Occasion"):
        check_purity(app)


def test_a_reaction_that_looks_at_a_clock_is_found_by_reading():
    with pytest.raises(AssertionError, match=r"ByClock\.react reaches for datetime\.now: .*occasion\.now"):
        check_purity(an_app(ByClock))


def test_a_reaction_that_changes_its_state_is_found_by_trial():
    with pytest.raises(AssertionError, match="changed its state"):
        given(an_app(Meddling)).when_happens(ASKED).then_effects()


def test_a_reaction_that_asks_its_occasion_is_left_in_peace():
    app = an_app(WithOccasion)
    check_purity(app)
    given(app).when_happens(ASKED).then_effects()


def test_an_effect_that_draws_a_key_of_its_own_is_found_by_reading():
    bank = a_bank()
    bank._effects.clear()

    @bank.effect
    def send(request: SendMoney) -> Sent:
        return Sent(payout=request.payout, receipt=str(random.random()))

    with pytest.raises(AssertionError, match=r"attempt\.key"):
        check_purity(bank)


def test_an_effect_may_look_at_the_world():
    bank = a_bank()
    bank._effects.clear()

    @bank.effect
    def send(request: SendMoney) -> Sent:
        return Sent(payout=request.payout, receipt=datetime.now().astimezone().isoformat())

    check_purity(bank)

"""Scenarios: those that come out, and those that do not and say why."""

from __future__ import annotations

import gc
import warnings
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from actum.decision.outcome import Decided
from actum.journal.errors import Invalid
from actum.testing.scenario import given
from actum.testing.stage import STORES, at, by, memory, sqlite
from tests.unit.testing.bank import (
    Account,
    Balance,
    Deposit,
    Deposited,
    Open,
    Opened,
    Withdraw,
    Withdrawn,
    bank,
)

OPENED = Opened(account="A-1", owner="Ada")
FIFTY = Deposited(account="A-1", amount=Decimal("50.00"))
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def withdraw(amount: str) -> Withdraw:
    return Withdraw(account="A-1", amount=Decimal(amount))


def withdrawn(amount: str) -> Withdrawn:
    return Withdrawn(account="A-1", amount=Decimal(amount))


def test_what_happens_is_compared_with_what_was_expected():
    given(bank, OPENED, FIFTY).when(withdraw("20.00")).then(withdrawn("20.00"))


def test_a_refusal_is_compared_by_its_reason_and_the_facts_that_are_named():
    scenario = given(bank, OPENED, FIFTY)
    scenario.when(withdraw("70.00")).then_refused("insufficient funds")
    scenario.when(withdraw("70.00")).then_refused("insufficient funds", balance=Decimal("50.00"))


def test_nothing_to_do_is_an_outcome_of_its_own():
    given(bank, OPENED).when(Open(account="A-1", owner="Ada")).then_nothing()


def test_the_state_afterwards_is_compared_by_the_fields_that_are_named():
    then = given(bank, OPENED, FIFTY).when(withdraw("20.00")).then(withdrawn("20.00"))
    then.and_state(Account, "A-1", balance=Decimal("30.00")).and_state(Account, "A-2", open=False)


def test_the_view_afterwards_is_compared_by_the_fields_that_are_named():
    then = given(bank, OPENED, FIFTY).when(withdraw("20.00")).then(withdrawn("20.00"))
    then.and_view(Balance, "A-1", balance=Decimal("30.00"), owner="Ada").and_no_view(Balance, "A-2")


def test_one_command_may_follow_another():
    then = given(bank, OPENED, FIFTY).when(withdraw("50.00")).then(withdrawn("50.00"))
    then.when(withdraw("0.01")).then_refused("insufficient funds", balance=Decimal("0.00"))


def test_a_command_of_the_same_id_happens_once():
    first = given(bank, OPENED, FIFTY).when(withdraw("50.00"), id="W-1").then(withdrawn("50.00"))
    first.when(withdraw("50.00"), id="W-1").then(withdrawn("50.00")).and_state(Account, "A-1", balance=Decimal(0))


def test_the_past_may_say_when_and_by_whom():
    told = at(MONDAY, by("alice", FIFTY))
    seen: list[tuple[str, datetime]] = []

    def watched(folder: Path) -> Path:
        seen.append(("", MONDAY))
        return sqlite(folder)

    given(bank, by("bob", OPENED), told, stores=[memory, watched]).when(withdraw("20.00")).then(withdrawn("20.00"))
    assert seen == [("", MONDAY)]
    assert (told.actor, told.moment, told.event) == ("alice", MONDAY, FIFTY)


def test_every_kind_of_store_is_played_on_unless_some_are_named():
    played: list[str] = []

    def watched(folder: Path) -> str:
        assert list(folder.iterdir()) == []
        played.append("watched")
        return memory(folder)

    assert [store.__name__ for store in STORES] == ["memory", "sqlite"]
    given(bank, OPENED, FIFTY, stores=[watched]).when(withdraw("20.00")).then(withdrawn("20.00"))
    assert played == ["watched"]


def test_all_that_is_said_around_a_command_must_reach_its_events():
    given(bank, OPENED, FIFTY).when(
        withdraw("20.00"),
        actor="alice",
        on_behalf_of="ada",
        reason="rent",
        correlation=UUID(int=1),
        causation=UUID(int=2),
        effective_at=MONDAY,
    ).then(withdrawn("20.00"))


def test_what_is_given_goes_through_serialisation():
    wrong = Deposited(account="A-1", amount=1.5)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match=r"Deposited.amount: expected Decimal, found 1.5"):
        given(bank, OPENED, wrong).when(withdraw("1.00"))


def fails(scenario: object, *expected: str) -> None:
    """Call the scenario and find these lines in what it says."""
    assert callable(scenario)
    with pytest.raises(AssertionError) as failure:
        scenario()
    text = " ".join(str(failure.value).split())
    for line in expected:
        assert line in text


def test_a_wrong_amount_is_shown_beside_the_right_one():
    fails(
        lambda: given(bank, OPENED, FIFTY).when(withdraw("20.00"), actor="ada").then(withdrawn("21.00")),
        "1. Withdrawn amount expected Decimal('21.00') found Decimal('20.00')",
        "given Opened(account='A-1', owner='Ada') given Deposited(",
        "when Withdraw(account='A-1', amount=Decimal('20.00')) by ada on memory",
    )


def test_an_event_too_few_or_too_many_is_named():
    when = given(bank, OPENED, FIFTY).when
    fails(
        lambda: when(withdraw("20.00")).then(withdrawn("20.00"), FIFTY),
        "expected Withdrawn, Deposited, found Withdrawn 1. Withdrawn, as expected 2. missing: Deposited(",
    )
    fails(
        lambda: when(withdraw("20.00")).then_nothing(), "expected no event, found Withdrawn", "not expected: Withdrawn("
    )


def test_another_event_is_shown_whole():
    fails(
        lambda: given(bank, OPENED, FIFTY).when(withdraw("20.00")).then(FIFTY),
        "1. expected Deposited(account='A-1', amount=Decimal('50.00')) found Withdrawn(account='A-1'",
    )


def test_a_refusal_where_events_were_expected_says_why():
    when = given(bank, OPENED, FIFTY).when
    fails(
        lambda: when(withdraw("70.00")).then(withdrawn("70.00")),
        "expected Withdrawn, found a refusal: insufficient funds (balance=50.00)",
    )
    fails(lambda: when(withdraw("70.00")).then_nothing(), "expected nothing to do, found a refusal: insufficient funds")


def test_events_where_a_refusal_was_expected_are_shown():
    fails(
        lambda: given(bank, OPENED, FIFTY).when(withdraw("20.00")).then_refused("insufficient funds"),
        "expected a refusal: insufficient funds found Withdrawn(account='A-1', amount=Decimal('20.00'))",
    )


def test_a_refusal_for_another_reason_or_on_other_facts_is_shown():
    when = given(bank, OPENED, FIFTY).when
    fails(
        lambda: when(withdraw("70.00")).then_refused("no such account"),
        "reason expected 'no such account' found 'insufficient funds'",
    )
    fails(
        lambda: when(withdraw("70.00")).then_refused("insufficient funds", balance=Decimal(51), limit=0),
        "balance expected Decimal('51') found Decimal('50.00') limit expected 0 found nothing",
    )


def test_a_wrong_state_or_view_is_shown_by_its_fields():
    then = given(bank, OPENED, FIFTY).when(withdraw("20.00")).then(withdrawn("20.00"))
    fails(
        lambda: then.and_state(Account, "A-1", balance=Decimal(0), open=True),
        "Account A-1: balance expected Decimal('0') found Decimal('30.00')",
    )
    fails(
        lambda: then.and_view(Balance, "A-1", balance=Decimal(0)),
        "Balance A-1: balance expected Decimal('0') found Decimal('30.00')",
    )
    fails(lambda: then.and_view(Balance, "A-2", balance=Decimal(0)), "Balance A-2: expected a row, found none")
    fails(lambda: then.and_no_view(Balance, "A-1"), "Balance A-1: expected no row, found Balance(account='A-1'")


def test_a_scenario_that_ends_before_then_is_reported():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        given(bank, OPENED, FIFTY).when(withdraw("20.00"))
        gc.collect()
    assert "nothing was tested; go on with .then(…)" in str(caught[0].message)


@pytest.mark.parametrize(
    ("misuse", "teaching"),
    [
        (
            lambda: given(bank, withdraw("1")),
            "found Withdraw(account='A-1', amount=Decimal('1')); a command belongs into",
        ),
        (lambda: given(bank, OPENED, stores=[]), "at least one kind of store"),
        (lambda: given(bank).when(OPENED), "expected a command, found Opened("),
        (lambda: given(bank).when(withdraw("1")).then(), "say .then_nothing()"),
        (lambda: at(MONDAY.replace(tzinfo=None), OPENED), "expected a datetime with a time zone"),
    ],
)
def test_a_misuse_says_what_to_write_instead(misuse: object, teaching: str):
    assert callable(misuse)
    with pytest.raises(TypeError) as wrong:
        misuse()
    assert teaching in str(wrong.value)


def test_fields_that_do_not_exist_are_a_misuse():
    then = given(bank, OPENED, FIFTY).when(withdraw("20.00")).then(withdrawn("20.00"))
    with pytest.raises(TypeError, match="Account A-1 has no field balanse; it has id, open, balance"):
        then.and_state(Account, "A-1", balanse=Decimal(0))
    with pytest.raises(TypeError, match="expected at least one field"):
        then.and_state(Account, "A-1")


class Forgetful:
    """An application whose events lose something on the way: the scenario must notice."""

    def __init__(self, **lost: object) -> None:
        self._lost = lost

    def __getattr__(self, name: str) -> object:
        return getattr(bank, name)

    def open(self, journal: str | Path, **options: object) -> object:
        running = bank.open(journal, **options)  # type: ignore[arg-type]
        execute = running.execute
        lost = self._lost

        def forgetful(command: Deposit, **said: object) -> Decided:
            return execute(command, **(said | lost))  # type: ignore[arg-type]

        running.execute = forgetful  # type: ignore[method-assign]
        return running


@pytest.mark.parametrize(
    ("lost", "line"),
    [
        ({"actor": "somebody"}, "actor expected 'alice' found 'somebody'"),
        ({"reason": None}, "reason expected 'rent' found None"),
        ({"causation": UUID(int=7)}, "causation expected UUID("),
        ({"effective_at": MONDAY}, "effective expected None found 1772442000000000"),
        ({"id": "another"}, "command_id expected UUID("),
    ],
)
def test_an_application_that_loses_part_of_the_envelope_does_not_pass(lost: dict[str, object], line: str):
    app = Forgetful(**lost)
    fails(
        lambda: (
            given(app, OPENED, FIFTY).when(withdraw("20.00"), actor="alice", reason="rent").then(withdrawn("20.00"))
        ),  # type: ignore[arg-type]
        line,
    )

"""What type checkers make of scenarios: an order of words that makes no sense is a type error."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, assert_type

from actum import App, Command, Event, State, Tag
from actum.testing import Given, Then, When, by, given

AccountId = Annotated[str, Tag("account")]
shop = App("typed")


class Deposited(Event):
    """An event as a user writes it."""

    account: AccountId
    amount: Decimal


class Deposit(Command):
    """A command as a user writes it."""

    account: AccountId
    amount: Decimal


class Account(State):
    """A state as a user writes it."""

    id: AccountId
    balance: Decimal = Decimal(0)

    def evolve(self, event: Deposited) -> None:
        """Take the event in."""
        self.balance += event.amount


@shop.decides
def deposit(command: Deposit, account: Account) -> Deposited:
    """A rule as a user writes it."""
    return Deposited(account=account.id, amount=command.amount)


ONE = Decimal(1)
EVENT = Deposited(account="A-1", amount=ONE)
COMMAND = Deposit(account="A-1", amount=ONE)


def test_each_word_leads_to_the_next() -> None:
    start = given(shop, EVENT, by("alice", EVENT))
    assert_type(start, Given)
    when = start.when(COMMAND)
    assert_type(when, When)
    then = when.then(EVENT)
    assert_type(then, Then)
    assert_type(then.and_state(Account, "A-1", balance=Decimal(3)), Then)
    assert_type(then.when(COMMAND).then(EVENT), Then)


def test_a_word_in_the_wrong_place_is_a_type_error() -> None:
    def wrong() -> None:
        given(shop, EVENT).then(EVENT)  # type: ignore[attr-defined]
        given(shop, EVENT).and_state(Account, "A-1")  # type: ignore[attr-defined]
        given(shop, EVENT).when(COMMAND).when(COMMAND)  # type: ignore[attr-defined]
        given(shop, EVENT).when(COMMAND).and_state(Account, "A-1")  # type: ignore[attr-defined]
        given(shop, COMMAND)  # type: ignore[arg-type]
        given(shop).when(EVENT)  # type: ignore[arg-type]
        given(shop).when(COMMAND).then(COMMAND)  # type: ignore[arg-type]
        given(shop).when(COMMAND).then_refused()  # type: ignore[call-arg]

    assert callable(wrong)

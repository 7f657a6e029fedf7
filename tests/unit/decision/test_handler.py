"""What a rule's signature says, and what is said of one that says nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest

from actum.decision.command import Command
from actum.decision.handler import Exists
from actum.decision.state import State, fold_of
from actum.journal.errors import Misdeclared, Unknown
from actum.journal.event import Event, Tag
from actum.service.app import App
from tests.unit.decision.bank import (
    Account,
    AccountId,
    Deposit,
    Deposited,
    Email,
    Opened,
    Transfer,
    Transferred,
    Withdrawn,
)


class Nobody(Command):
    amount: Decimal


class Total(State):
    everything: Decimal = Decimal(0)

    def evolve(self, event: Deposited) -> None:
        self.everything += event.amount


class Unsaid(State):
    id: AccountId

    def evolve(self, event) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        return


class Demanding(State):
    id: AccountId
    balance: Decimal

    def evolve(self, event: Deposited) -> None:
        return


class Forgetful(State):
    id: AccountId
    balance: Decimal = Decimal(0)

    def evolve(self, event: Deposited | Withdrawn | Opened) -> None:
        match event:
            case Deposited(amount=amount):
                self.balance += amount
            case Opened():
                pass


class Still(State):
    id: AccountId


class Waiting(State):
    id: AccountId

    async def evolve(self, event: Opened) -> None: ...


class Lazy(State):
    id: AccountId

    def evolve(self, event: Opened) -> Iterator[None]:
        yield


class Lost(State):
    id: AccountId
    branch: Annotated[str, Tag("branch")]

    def evolve(self, event: Opened) -> None: ...


def no_command(account: Account) -> Deposited: ...
def no_state(command: Deposit, account: Decimal) -> Deposited: ...
def which(command: Transfer, account: Account) -> Transferred: ...
def none_of_them(command: Nobody, account: Account) -> Deposited: ...
def says_nothing(command: Deposit, account: Account):  # type: ignore[no-untyped-def]
    ...
def answers_text(command: Deposit, account: Account) -> str: ...
def unknown_type(command: Deposit, account: Missing) -> Deposited: ...  # type: ignore[name-defined]  # noqa: F821
async def awaits(command: Deposit, account: Account) -> Deposited: ...
def no_event_named(command: Deposit, account: Unsaid) -> Deposited: ...
def needs_a_default(command: Deposit, account: Demanding) -> Deposited: ...
def forgets(command: Deposit, account: Forgetful) -> Deposited: ...
def folds_nothing(command: Deposit, account: Still) -> Deposited: ...


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (no_command, "expected a command first"),
        (no_state, "the parameter 'account' is Decimal; expected a State"),
        (which, "which account is 'account'? Transfer has source, target; give the parameter one of these names"),
        (none_of_them, "'account' is found by the tag 'account', and no field of Nobody declares it"),
        (says_nothing, "say what it answers"),
        (answers_text, "answers str; expected event classes"),
        (unknown_type, "cannot be resolved"),
        (awaits, "a rule is an ordinary function"),
        (no_event_named, "expected `(self, event: A | B)`"),
        (needs_a_default, "Demanding.balance needs a default"),
        (forgets, "Forgetful.evolve takes Withdrawn and its match has no case for it"),
        (folds_nothing, "Still has no evolve"),
    ],
)
def test_a_rule_that_cannot_be_understood_is_named_with_the_mend(rule: Callable[..., Any], said: str) -> None:
    with pytest.raises(Misdeclared) as wrong:
        App("bank").decides(rule)
    assert said in str(wrong.value)


def test_a_state_without_identity_is_read_whole() -> None:
    app = App("bank")

    @app.decides
    def cap(command: Nobody, total: Total) -> Deposited | None:
        return None

    (key,) = app.handler(Nobody).needs(Nobody(amount=Decimal(1)))
    assert key[1] == ()


def test_one_command_has_one_rule() -> None:
    app = App("bank")

    def one(command: Deposit, account: Account) -> Deposited: ...
    def other(command: Deposit, account: Account) -> Deposited: ...

    app.decides(one)
    with pytest.raises(Misdeclared, match="is decided by one@1 and by other@1"):
        app.decides(other)


def test_a_conflict_outside_what_is_read_is_a_mistake() -> None:
    def rule(command: Deposit, account: Account) -> Deposited: ...

    class Elsewhere(Event):
        account: AccountId

    with pytest.raises(Misdeclared, match="conflicts names Elsewhere"):
        App("bank").decides(conflicts=[Elsewhere])(rule)


def test_a_guard_looks_for_what_the_event_carries() -> None:
    def rule(command: Deposit, account: Account) -> Deposited: ...

    with pytest.raises(Misdeclared, match="the identities of Deposit are account"):
        App("bank").decides(unless=Exists(Opened, by="email", because="taken"))(rule)

    class Invite(Command):
        account: AccountId
        email: Email

    globals()["Invite"] = Invite

    def invite(command: Invite, account: Account) -> Deposited: ...

    with pytest.raises(Misdeclared, match="Deposited never carries the tag 'email'"):
        App("bank").decides(unless=Exists(Deposited, by="email", because="taken"))(invite)


def test_an_unknown_command_is_named_with_those_there_are() -> None:
    app = App("bank")

    @app.decides
    def deposit(command: Deposit, account: Account) -> Deposited: ...

    with pytest.raises(Unknown, match="no command is called 'Withdraw'; known: Deposit"):
        app.command_type("Withdraw")


class Day(Event):
    day: Annotated[date, Tag("day")]
    colour: Annotated[Literal["red"], Tag("colour")]


class OfADay(State):
    day: Annotated[date, Tag("day")]

    def evolve(self, event: Day) -> None: ...


class OfAColour(State):
    colour: Annotated[Literal["red"], Tag("colour")]

    def evolve(self, event: Day) -> None: ...


@pytest.mark.parametrize("state", [OfADay, OfAColour])
def test_an_identity_that_its_text_does_not_give_back_is_turned_down_at_once(state: type[State]) -> None:
    with pytest.raises(Misdeclared, match="expected an identity that is str, int or UUID"):
        fold_of(state)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (Waiting, "Waiting.evolve: expected an ordinary function"),
        (Lazy, "Lazy.evolve: expected an ordinary function"),
        (Lost, "Lost is found by the tag 'branch', which Opened never carries"),
    ],
)
def test_a_state_that_would_miss_events_in_silence_is_turned_down_at_once(state: type[State], said: str) -> None:
    with pytest.raises(Misdeclared) as wrong:
        fold_of(state)
    assert said in str(wrong.value)

"""A rule answers what its signature says, and leaves what it looks at as it is."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from actum.decision.command import Command
from actum.decision.state import State
from actum.journal.errors import Misdeclared, Refused
from actum.journal.event import Event
from actum.service.app import App
from tests.unit.decision.bank import Account, AccountId, Deposited, Open, Withdrawn, a_bank


class Dip(Command):
    account: AccountId


@pytest.mark.parametrize("refuses", [False, True])
def test_a_rule_that_changes_a_state_is_told_so_and_nothing_is_written_or_remembered(*, refuses: bool) -> None:
    bank, seen = a_bank(), list[Decimal]()

    def dip(command: Dip, account: Account) -> Withdrawn:
        seen.append(account.balance)
        account.balance -= 1
        if refuses:
            raise Refused("not today")
        return Withdrawn(account=command.account, amount=Decimal(1))

    bank.decides(dip)
    with bank.open("memory:", actor="teller") as running:
        running.execute(Open(account="A", email="a@x"))
        for _ in range(2):
            with pytest.raises(Misdeclared, match="dip@1 changed the Account that it was given; a rule answers events"):
                running.execute(Dip(account="A"))
        assert seen == [Decimal(0), Decimal(0)]
        assert running.head() == 1


class Invited(Event):
    account: AccountId
    guest: str


class Listed(Event):
    account: AccountId
    guests: list[str]


class Guests(State):
    account: AccountId
    guests: list[str] = []
    counted: Counter[str] = Counter()

    def evolve(self, event: Invited) -> None:
        self.guests.append(event.guest)
        self.counted[event.guest] += 1


class Points(State):
    account: AccountId
    each: list[int] = []

    def evolve(self, event: Invited) -> None:
        self.each = [*self.each, 2**64]


class Invite(Command):
    account: AccountId
    guest: str


def test_a_rule_that_changes_what_is_inside_a_state_is_told_so() -> None:
    party, seen = App("party"), list[tuple[str, ...]]()

    def invite(command: Invite, guests: Guests) -> Invited:
        seen.append(tuple(guests.guests))
        guests.guests.append("nobody")
        return Invited(account=command.account, guest=command.guest)

    party.decides(invite)
    with party.open("memory:", actor="host") as running:
        running.append(Invited(account="A", guest="Ann"))
        for _ in range(2):
            with pytest.raises(Misdeclared, match="invite@1 changed the Guests that it was given"):
                running.execute(Invite(account="A", guest="Bob"))
        assert seen == [("Ann",)] * 2
        assert running.head() == 1


def test_a_state_that_json_cannot_hold_is_decided_on_all_the_same() -> None:
    party = App("party")

    def invite(command: Invite, points: Points) -> Invited:
        return Invited(account=command.account, guest=command.guest * len(points.each))

    party.decides(invite)
    with party.open("memory:", actor="host") as running:
        running.append(Invited(account="A", guest="Ann"))
        assert running.execute(Invite(account="A", guest="Bob")).events == (Invited(account="A", guest="Bob"),)


def test_what_a_rule_answers_is_stored_as_it_was_when_it_answered() -> None:
    party = App("party")

    def invite(command: Invite, guests: Guests) -> list[Invited | Listed]:
        return [
            Invited(account=command.account, guest=command.guest),
            Listed(account=command.account, guests=guests.guests),
        ]

    party.decides(invite)
    with party.open("memory:", actor="host") as running:
        running.execute(Invite(account="A", guest="Ann"))
        assert [one.event for one in running.events()][1] == Listed(account="A", guests=[])


@pytest.mark.parametrize("answer", [Deposited(account="A", amount=Decimal(1)), "money", Withdrawn, [Withdrawn, 7]])
def test_a_rule_that_answers_what_it_does_not_declare_is_named_and_nothing_is_written(answer: Any) -> None:
    bank = a_bank()

    def dip(command: Dip) -> Withdrawn:
        return answer  # type: ignore[no-any-return]

    bank.decides(dip)
    with bank.open("memory:", actor="teller") as running:
        with pytest.raises(Misdeclared, match=r"dip@1 answered .*; expected Withdrawn, as its signature says"):
            running.execute(Dip(account="A"))
        assert running.head() == 0

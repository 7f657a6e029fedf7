"""A rule answers what its signature says, and leaves what it looks at as it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from actum.decision.command import Command
from actum.journal.errors import Misdeclared, Refused
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
            with pytest.raises(Misdeclared, match="dip@1 changed a state that it was given; a rule answers events"):
                running.execute(Dip(account="A"))
        assert seen == [Decimal(0), Decimal(0)]
        assert running.head() == 1


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

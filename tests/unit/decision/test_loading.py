"""What a rule looks at: as of which moment, and what may come in between."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from actum.decision.loading import _snapshot_key
from actum.decision.state import State, fold_of
from actum.journal.store import Snapshot
from actum.service.app import App
from tests.unit.decision.bank import (
    AccountId,
    Deposit,
    Deposited,
    Open,
    Withdraw,
    Withdrawn,
    a_bank,
    narrow_withdrawals,
)


def test_a_narrow_conflict_leaves_out_what_comes_between_the_look_and_the_append_and_nothing_before(
    tmp_path: Path,
) -> None:
    deposits: list[Deposit] = []
    with (
        a_bank().open(tmp_path / "j.db", actor="t") as other,
        narrow_withdrawals(lambda: deposits and other.execute(deposits.pop())).open(
            tmp_path / "j.db", actor="t"
        ) as one,
    ):
        one.execute(Open(account="A", email="a@x"))
        one.execute(Deposit(account="A", amount=Decimal(1)))
        one.execute(Withdraw(account="A", amount=Decimal(1)))
        other.execute(Deposit(account="A", amount=Decimal(100)))
        deposits.append(Deposit(account="A", amount=Decimal(1)))
        decided = one.execute(Withdraw(account="A", amount=Decimal(50)))
        record = one.store.decision(decided.command or b"")
        assert record is not None
        assert record.condition is not None
        assert (record.condition.after, record.first) == (4, 6), (
            "the deposit in between was not seen, and did not matter"
        )


@pytest.mark.parametrize("amount", [60, 0])
def test_a_refusal_or_nothing_to_do_is_never_narrowed(tmp_path: Path, amount: int) -> None:
    deposits: list[Deposit] = []
    with (
        a_bank().open(tmp_path / "j.db", actor="t") as other,
        narrow_withdrawals(lambda: deposits and other.execute(deposits.pop())).open(
            tmp_path / "j.db", actor="t"
        ) as one,
    ):
        one.execute(Open(account="A", email="a@x"))
        one.execute(Deposit(account="A", amount=Decimal(1)))
        deposits.append(Deposit(account="A", amount=Decimal(100)))
        decided = one.execute(Withdraw(account="A", amount=Decimal(amount)))
        assert decided.events == ((Withdrawn(account="A", amount=Decimal(60)),) if amount else ())
        record = one.store.decision(decided.command or b"")
        assert record is not None
        assert record.condition is not None
        assert (record.condition.after, record.first) == (3, 4)


class Sum(State, snapshot_every=2):
    account: AccountId
    balance: Decimal = Decimal(0)

    def evolve(self, event: Deposited) -> None:
        self.balance += event.amount


def double(command: Deposit, state: Sum) -> Deposited:
    return Deposited(account=command.account, amount=state.balance + 1)


def test_a_snapshot_that_cannot_be_read_is_none() -> None:
    bank, fold = App("bank"), fold_of(Sum)
    bank.decides(double)
    with bank.open("memory:", actor="t", states_kept=0) as running:
        for _ in range(3):
            running.execute(Deposit(account="A", amount=Decimal(0)))
        key, wrong = _snapshot_key(fold, ("A",)), Snapshot(3, fold.fingerprint, b'{"account":"A","balance":"many"}')
        running.store.remember(key, wrong)
        decided = running.execute(Deposit(account="A", amount=Decimal(0)))
        assert decided.events == (Deposited(account="A", amount=Decimal(8)),)
        assert running.store.snapshot(key) == Snapshot(3, fold.fingerprint, b'{"account":"A","balance":"7"}')

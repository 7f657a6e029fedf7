"""What a rule looks at: as of which moment, and what may come in between."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.decision.bank import Deposit, Open, Withdraw, Withdrawn, a_bank, narrow_withdrawals


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

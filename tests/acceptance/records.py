"""A bank's files, made up: like the real ones, it keeps interest unrounded and prints everything rounded to 0.10."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from random import Random

from examples.ledger.records import ACCOUNTS, LEDGER

Row = dict[str, str]
ACCOUNT_COLUMNS = ["account", "owner_client", "opened", "statement"]
COLUMNS = [
    *("transaction", "account", "date", "direction", "operation", "purpose", "amount", "balance_after"),
    *("counterparty_bank", "counterparty_account"),
]
OPERATIONS = [
    ("credit", "cash-deposit", ""),
    ("credit", "transfer-in", "pension"),
    ("credit", "transfer-in", ""),
    ("debit", "cash-withdrawal", ""),
    ("debit", "cash-withdrawal", "household"),
    ("debit", "card-withdrawal", ""),
    ("debit", "transfer-out", "insurance"),
    ("debit", "cash-withdrawal", "statement-fee"),
]


def printed(amount: Decimal) -> Decimal:
    """As the bank prints it: rounded to 0.10."""
    return amount.quantize(Decimal("0.1"), ROUND_HALF_UP).quantize(Decimal("0.01"))


class Branch:
    """A bank that keeps its own balances, to more digits than it prints."""

    def __init__(self, seed: int, accounts: int) -> None:
        self._chance = Random(seed)
        self._balances = {str(100 + number): Decimal(0) for number in range(accounts)}
        self.rows: list[Row] = []

    def accounts(self) -> list[Row]:
        return [
            {"account": account, "owner_client": f"7{account}", "opened": "1993-01-01", "statement": "monthly"}
            for account in self._balances
        ]

    def work(self, days: int) -> list[Row]:
        """Some transactions a day; interest and charges at the end of each month."""
        for day in (date(1993, 1, 1) + timedelta(number) for number in range(days)):
            for account in self._chance.sample(sorted(self._balances), 3):
                self._customer(day, account)
            if (day + timedelta(1)).day == 1:
                for account in self._balances:
                    self._month_end(day, account)
        return self.rows

    def _customer(self, day: date, account: str) -> None:
        amount = Decimal(self._chance.randrange(50, 900))
        direction, operation, purpose = self._chance.choice(OPERATIONS)
        if self._balances[account] < amount - 500:
            direction, operation, purpose = OPERATIONS[0]
        self._book(day, account, (direction, operation, purpose), amount)

    def _month_end(self, day: date, account: str) -> None:
        interest = self._balances[account] * Decimal("0.00371")
        if interest >= Decimal("0.1"):
            self._book(day, account, ("credit", "interest", "interest"), interest)
        elif interest <= Decimal("-0.1"):
            self._book(day, account, ("debit", "cash-withdrawal", "overdraft-interest"), -interest)

    def _book(self, day: date, account: str, what: tuple[str, str, str], amount: Decimal) -> None:
        direction, operation, purpose = what
        self._balances[account] += amount if direction == "credit" else -amount
        elsewhere = ("XY", f"{self._chance.randrange(10**8)}") if operation.startswith("transfer") else ("", "")
        values = (
            *(str(5000 + len(self.rows)), account, day.isoformat(), direction, operation, purpose),
            *(str(printed(amount)), str(printed(self._balances[account])), *elsewhere),
        )
        self.rows.append(dict(zip(COLUMNS, values, strict=True)))


def written(folder: Path, accounts: list[Row], rows: Iterable[Row]) -> Path:
    """The two files, as the import expects them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, columns, content in ((ACCOUNTS, ACCOUNT_COLUMNS, accounts), (LEDGER, COLUMNS, rows)):
        with gzip.open(folder / name, "wt", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(content)
    return folder


def excerpt(folder: Path, *, spoil: Callable[[list[Row]], None] = lambda rows: None) -> tuple[Path, int]:
    """A few months of a small branch, perhaps spoilt; the folder, and how many transactions there are."""
    branch = Branch(seed=1816, accounts=12)
    rows = branch.work(120)
    spoil(rows)
    return written(folder, branch.accounts(), rows), len(rows)

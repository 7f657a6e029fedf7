"""The bank's records as commands: each line of its files is something that somebody asked for on a day.

The files give days without a time; a command takes effect at midnight UTC of its day. Its id is the bank's own number,
so that importing a line twice is the same command twice.
"""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby, zip_longest
from pathlib import Path

from actum import Command
from examples.ledger.messages import (
    ChargeFee,
    ChargeInterest,
    Deposit,
    Open,
    PayInterest,
    Receive,
    Send,
    Withdraw,
)

ACCOUNTS = "bank-accounts-1993.csv.gz"
LEDGER = "bank-ledger-1993.csv.gz"

WHO = {
    "cash-deposit": "counter",
    "cash-withdrawal": "counter",
    "card-withdrawal": "cash-machine",
    "transfer-in": "clearing",
    "transfer-out": "clearing",
    "interest": "month-end",
}


@dataclass(frozen=True)
class Line:
    """One line of the bank's files: the command it stands for, what is said around it, what the bank stated after it."""

    id: str
    account: str
    day: datetime
    command: Command
    actor: str
    reason: str | None
    stated: Decimal | None = None


def read(folder: Path) -> list[Line]:
    """Everything the two files say, by day, the accounts of a day before its transactions."""
    lines = [*map(_opening, _rows(folder / ACCOUNTS)), *map(_transaction, _rows(folder / LEDGER))]
    return sorted(lines, key=lambda line: line.day)


def waves(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines in order of days, in groups that can be asked for all at once: at most one of each account."""
    wave: dict[str, Line] = {}
    for line in _each_accounts_first_before_seconds(lines):
        if line.account in wave:
            yield list(wave.values())
            wave = {}
        wave[line.account] = line
    yield list(wave.values())


def _each_accounts_first_before_seconds(lines: Iterable[Line]) -> Iterator[Line]:
    """Within a day only the order inside each account counts: so the groups become larger."""
    for _, of_day in groupby(lines, key=lambda line: line.day):
        by_account: dict[str, list[Line]] = defaultdict(list)
        for line in of_day:
            by_account[line.account].append(line)
        yield from (line for firsts in zip_longest(*by_account.values()) for line in firsts if line is not None)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _opening(row: dict[str, str]) -> Line:
    account, owner = row["account"], f"client-{row['owner_client']}"
    command = Open(account=account, owner=owner, statement=row["statement"])
    return Line(f"open {account}", account, _day(row["opened"]), command, "counter", None)


def _transaction(row: dict[str, str]) -> Line:
    return Line(
        id=f"transaction {row['transaction']}",
        account=row["account"],
        day=_day(row["date"]),
        command=_command(row),
        actor=WHO[row["operation"]],
        reason=row["purpose"] or None,
        stated=Decimal(row["balance_after"]),
    )


def _command(row: dict[str, str]) -> Command:
    account, amount, number, purpose = row["account"], Decimal(row["amount"]), row["transaction"], row["purpose"]
    bank, other = row["counterparty_bank"], row["counterparty_account"]
    match row["operation"], purpose:
        case "cash-deposit", _:
            return Deposit(account=account, amount=amount, transaction=number)
        case "interest", _:
            return PayInterest(account=account, amount=amount, transaction=number)
        case "cash-withdrawal", "statement-fee":
            return ChargeFee(account=account, amount=amount, transaction=number)
        case "cash-withdrawal", "overdraft-interest":
            return ChargeInterest(account=account, amount=amount, transaction=number)
        case "cash-withdrawal" | "card-withdrawal" as how, _:
            card = how == "card-withdrawal"
            return Withdraw(account=account, amount=amount, transaction=number, purpose=purpose, card=card)
        case "transfer-in", _:
            return Receive(account=account, amount=amount, transaction=number, bank=bank, sender=other, purpose=purpose)
        case "transfer-out", _:
            return Send(account=account, amount=amount, transaction=number, bank=bank, recipient=other, purpose=purpose)
        case operation:
            raise ValueError(f"transaction {number}: no command stands for {operation}")


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)

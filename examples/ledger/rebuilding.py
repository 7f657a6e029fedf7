"""`python -m examples.ledger.rebuilding --data DIR --journal PATH`: the ledger's view from version 1 to a version 2.

The bank decides to forgive interest on overdrafts, and not to count its own fees as entries. The view is rebuilt beside
itself and compared; the difference must name exactly the rows and cells, and for each cell the transaction since which it
differs, that the bank's own files say; then it is switched to, and gone back from. The last line of the output is JSON with
the figures; the exit code is 0 only if all of it holds.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path

from actum import App, View
from actum.projection.changed import Rebuilds
from actum.projection.difference import Difference, RowDifference
from actum.service.running import Running
from examples.ledger.domain import Credit, Debit, bank
from examples.ledger.messages import (
    AccountId,
    ChargeFee,
    ChargeInterest,
    Deposited,
    FeeCharged,
    InterestCharged,
    InterestPaid,
    Opened,
    Received,
)
from examples.ledger.records import ACCOUNTS, LEDGER, Line, read
from examples.ledger.views import Balance

CLERK = "ledger-rebuild"
EVERY_ROW = 1_000_000

changed = App("ledger", version="2")


@changed.view
class Forgiving(View, table="balances", version=2):
    """The balances as they would be."""

    account: AccountId
    owner: str = ""
    balance: Decimal = Decimal("0.00")
    entries: int = 0

    def evolve(self, event: Opened | Credit | Debit) -> None:
        if isinstance(event, Opened):
            self.owner = event.owner
            return
        self.entries += not isinstance(event, FeeCharged)
        if isinstance(event, Deposited | InterestPaid | Received):
            self.balance += event.amount
        elif not isinstance(event, InterestCharged):
            self.balance -= event.amount


@dataclass
class Expected:
    """What the bank's files say of one account: the transactions by which the versions differ, and by how much."""

    fees: list[str] = field(default_factory=list[str])
    interest: list[str] = field(default_factory=list[str])
    forgiven: Decimal = Decimal(0)

    @property
    def columns(self) -> set[str]:
        return {name for name, why in (("entries", self.fees), ("balance", self.interest)) if why}


@dataclass
class Figures:
    """The last line of the output."""

    rows: int
    changed: int
    cells: dict[str, int]
    wrong: int
    build_seconds: float
    diff_seconds: float
    switched: bool
    went_back: bool

    @property
    def all_well(self) -> bool:
        return self.wrong == 0 and self.switched and self.went_back


def expected_of(lines: Iterable[Line]) -> dict[str, Expected]:
    """From the files alone, without a view or a fold."""
    found: dict[str, Expected] = {}
    for line in lines:
        match line.command:
            case ChargeFee(transaction=number):
                found.setdefault(line.account, Expected()).fees.append(number)
            case ChargeInterest(transaction=number, amount=amount):
                mine = found.setdefault(line.account, Expected())
                mine.interest.append(number)
                mine.forgiven += amount
            case _:
                pass
    return found


def run(lines: Sequence[Line], journal: Path) -> Figures:
    """All of it, step by step."""
    with bank.open(journal, actor=CLERK, follow=False) as running:
        running.catch_up()
        before = running.digest(Balance)
    with changed.open(journal, actor=CLERK, follow=False, rebuilds=Rebuilds.BY_HAND) as running:
        began = time.perf_counter()
        rebuild = running.rebuild(Forgiving)
        rebuild.wait()
        built = time.perf_counter() - began
        found = rebuild.diff(old=bank, limit=EVERY_ROW)
        compared = time.perf_counter() - began - built
        wrong = _wrong(running, found, expected_of(lines))
        rebuild.switch(found, reason="interest is forgiven, fees are no entries")
        switched = running.digest(Forgiving) == found.candidate.digest
        running.rollback(Forgiving, behind=True, reason="not yet")
        went_back = running.digest(Forgiving) == before == found.live.digest
    return Figures(
        rows=found.live.rows,
        changed=found.changed,
        cells=found.cells,
        wrong=wrong,
        build_seconds=round(built, 3),
        diff_seconds=round(compared, 3),
        switched=switched,
        went_back=went_back,
    )


def _wrong(running: Running, found: Difference, expected: dict[str, Expected]) -> int:
    """How many rows or cells are not as the files say."""
    rows = {str(row.key[0]): row for row in found.rows}
    wrong = found.added + found.removed + len(set(rows) ^ set(expected))
    return wrong + sum(_wrong_cells(running, row, expected.get(account, Expected())) for account, row in rows.items())


def _wrong_cells(running: Running, row: RowDifference, expected: Expected) -> int:
    cells = {cell.column: cell for cell in row.cells}
    wrong = len(set(cells) ^ expected.columns)
    for column, cell in cells.items():
        since = None if cell.since is None else _transaction(running, cell.since.position)
        by = Decimal(str(cell.candidate)) - Decimal(str(cell.live))
        first, much = (
            (expected.fees, -len(expected.fees)) if column == "entries" else (expected.interest, expected.forgiven)
        )
        wrong += (since, by) != (first[0], much)
    return wrong


def _transaction(running: Running, position: int) -> str:
    """The number of the transaction that was booked there."""
    (recorded,) = running.events(after=position - 1, limit=1)
    return next(tag.partition(":")[2] for tag in recorded.tags if tag.startswith("transaction:"))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m examples.ledger.rebuilding", description="The ledger's view, from version 1 to version 2."
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help=f"the folder with {LEDGER}")
    parser.add_argument("--journal", type=Path, required=True, metavar="PATH", help="the journal of the import")
    options = parser.parse_args(arguments)
    if missing := [name for name in (ACCOUNTS, LEDGER) if not (options.data / name).is_file()]:
        print(f"expected {', '.join(missing)} in {options.data}; say --data DIR", file=sys.stderr)
        return 2
    figures = run(read(options.data), options.journal)
    print(f"compared {figures.rows:,} rows: {figures.changed:,} differ, {figures.wrong:,} of the findings are wrong")
    print(json.dumps(asdict(figures)))
    return 0 if figures.all_well else 1


if __name__ == "__main__":
    sys.exit(main())

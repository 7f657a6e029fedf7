"""The ledger's import: a made-up branch always, the real bank's first months where its records are at hand.

All of the real records go through `make ledger`, which is part of `make test`.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from examples.ledger.__main__ import main
from examples.ledger.records import ACCOUNTS, LEDGER
from tests.acceptance.records import Row, excerpt, written
from tests.house import ROOT

REAL = Path(os.environ.get("LEDGER_DATA", ROOT.parent / "shared" / "data"))
SLICE = 3000


def figures_of(capsys: pytest.CaptureFixture[str], folder: Path, *, code: int = 0) -> dict[str, object]:
    """The last line of an import from that folder."""
    assert main(["--data", str(folder), "--journal", str(folder / "ledger.actum")]) == code
    figures: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return figures


def test_every_stated_balance_of_the_branch_is_met(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder, transactions = excerpt(tmp_path)
    figures = figures_of(capsys, folder)
    assert figures["commands"] == figures["events"] == transactions + 12
    assert figures["balances_checked"] == transactions
    assert (figures["mismatches"], figures["refused"], figures["duplicates"]) == (0, 0, 0)
    assert figures["digests_equal"] is True
    assert Decimal(str(figures["largest_difference"])) > 0, "no rounding was met: the excerpt proves too little"


def raised(rows: list[Row], column: str, by: str) -> None:
    row = rows[200]
    row[column] = str(Decimal(row[column]) + Decimal(by))


@pytest.mark.parametrize(
    ("column", "by"), [("amount", "1.00"), ("balance_after", "0.30"), ("balance_after", "-250.00")]
)
def test_a_corrupted_line_is_a_mismatch(tmp_path: Path, capsys: pytest.CaptureFixture[str], column: str, by: str):
    folder, transactions = excerpt(tmp_path, spoil=lambda rows: raised(rows, column, by))
    figures = figures_of(capsys, folder, code=1)
    assert figures["mismatches"] != 0
    assert figures["balances_checked"] == transactions


def test_a_lost_line_is_a_mismatch(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def lose(rows: list[Row]) -> None:
        del rows[200]

    figures = figures_of(capsys, excerpt(tmp_path, spoil=lose)[0], code=1)
    assert figures["mismatches"] != 0


def test_a_withdrawal_beyond_the_overdraft_limit_is_refused_and_never_booked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    def overdraw(rows: list[Row]) -> None:
        row = next(row for row in rows[200:] if row["operation"] == "cash-withdrawal")
        row["amount"] = "1000000.00"

    figures = figures_of(capsys, excerpt(tmp_path, spoil=overdraw)[0], code=1)
    assert figures["refused"] == 1
    assert figures["mismatches"] != 0


def test_an_import_begins_with_an_empty_journal_and_with_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder, _ = excerpt(tmp_path)
    (folder / "ledger.actum").write_bytes(b"mine")
    assert main(["--data", str(folder), "--journal", str(folder / "ledger.actum")]) == 2
    assert main(["--data", str(tmp_path / "nowhere"), "--journal", str(tmp_path / "new.actum")]) == 2
    told = capsys.readouterr().err
    assert "expected nothing at" in told
    assert f"expected {ACCOUNTS}, {LEDGER} in" in told
    assert (folder / "ledger.actum").read_bytes() == b"mine"


def test_the_command_line_works_on_the_journal(tmp_path: Path):
    folder, transactions = excerpt(tmp_path)
    journal = folder / "ledger.actum"
    settings = os.environ | {"ACTUM_APP": "examples.ledger:bank", "ACTUM_JOURNAL": str(journal), "NO_COLOR": "1"}

    def told(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *arguments], cwd=ROOT, env=settings, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    imported = told("examples.ledger", "--data", str(folder), "--journal", str(journal))
    assert json.loads(imported.splitlines()[-1])["mismatches"] == 0
    last = list(rows_in(folder / LEDGER))[-1]
    life = told("actum.cli", "entity", "Account", last["account"])
    assert "open false → true" in life
    assert f"{transactions + 12} events" in told("actum.cli", "verify", "--decisions")
    assert last["transaction"] in told("actum.cli", "events", "list", "--tag", f"transaction:{last['transaction']}")


def test_the_first_months_of_the_real_bank_are_met(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for ledger in REAL.glob(LEDGER):
        rows = list(itertools.islice(rows_in(ledger), SLICE))
        seen = {row["account"] for row in rows}
        accounts = [row for row in rows_in(REAL / ACCOUNTS) if row["account"] in seen]
        figures = figures_of(capsys, written(tmp_path, accounts, rows))
        assert figures["balances_checked"] == SLICE
        assert (figures["mismatches"], figures["refused"], figures["duplicates"]) == (0, 0, 0)


def rows_in(path: Path) -> list[Row]:
    """The lines of one of the bank's files."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

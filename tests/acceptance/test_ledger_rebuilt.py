"""The ledger's view from version 1 to version 2: a made-up branch always, the real bank's first months where they are at hand.

All of the real records go through `make ledger`.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from examples.ledger.__main__ import main as bring_in
from examples.ledger.rebuilding import main as rebuild
from examples.ledger.records import ACCOUNTS, LEDGER
from tests.acceptance.records import excerpt, written
from tests.acceptance.test_ledger import REAL, SLICE, rows_in


def _figures(capsys: pytest.CaptureFixture[str], folder: Path) -> dict[str, object]:
    given = ["--data", str(folder), "--journal", str(folder / "ledger.actum")]
    assert bring_in(given) == 0
    assert rebuild(given) == 0
    figures: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return figures


def test_the_difference_names_exactly_what_the_banks_own_files_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder, _ = excerpt(tmp_path)
    figures = _figures(capsys, folder)
    assert (figures["wrong"], figures["switched"], figures["went_back"]) == (0, True, True)
    assert figures["changed"] != 0, "nothing differs: the excerpt proves too little"


def test_so_it_does_for_the_first_months_of_the_real_bank(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for ledger in REAL.glob(LEDGER):
        rows = list(itertools.islice(rows_in(ledger), SLICE))
        seen = {row["account"] for row in rows}
        accounts = [row for row in rows_in(REAL / ACCOUNTS) if row["account"] in seen]
        figures = _figures(capsys, written(tmp_path, accounts, rows))
        assert (figures["wrong"], figures["switched"], figures["went_back"]) == (0, True, True)
        assert figures["changed"] != 0


def test_records_that_are_not_there_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert rebuild(["--data", str(tmp_path), "--journal", str(tmp_path / "ledger.actum")]) == 2
    assert f"expected {ACCOUNTS}, {LEDGER} in" in capsys.readouterr().err

"""A bank with a stored read model and a test fits in 45 lines: those of the README, counted and run."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.docs.test_snippets import blocks
from tests.house import ROOT

MOST_LINES = 45


def lines_of(code: str) -> list[str]:
    """What somebody has to write: lines that are neither empty nor only a comment."""
    return [line for line in code.splitlines() if line.strip() and not line.strip().startswith("#")]


def the_bank() -> str:
    """The application of the README: its first block in Python."""
    return next(block.code for block in blocks(ROOT / "README.md") if block.language == "python")


def the_test() -> str:
    """The scenario of the README, with its import."""
    for block in blocks(ROOT / "README.md"):
        if block.language == "python" and "given(" in block.code:
            tree = ast.parse(block.code)
            wanted = [node for node in tree.body if "given" in ast.unparse(node)]
            return "\n".join(ast.get_source_segment(block.code, node) or "" for node in wanted)
    raise AssertionError("the README plays no scenario")


def test_a_bank_with_a_stored_read_model_and_a_test_fits_in_45_lines(tmp_path: Path):
    bank, scenario = the_bank(), the_test()
    written = lines_of(bank) + lines_of(scenario)
    assert len(written) <= MOST_LINES, f"{len(written)} lines"
    assert all(len(line) <= 120 for line in written)
    program = tmp_path / "bank_and_test.py"
    program.write_text(f"{bank}\n{scenario}\n", encoding="utf-8")
    done = subprocess.run([sys.executable, program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_that_bank_keeps_its_read_model_and_its_test_can_fail(tmp_path: Path):
    program = tmp_path / "wrong.py"
    wrong = the_test().replace("balance=Decimal(0)", "balance=Decimal(1)")
    program.write_text(f"{the_bank()}\nassert bank.views\n{wrong}\n", encoding="utf-8")
    done = subprocess.run([sys.executable, program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert "balance  expected Decimal('1')  found Decimal('0')" in done.stderr

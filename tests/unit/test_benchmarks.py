"""The benchmarks run. What they measure is for people to judge, on a machine that is theirs: no test asserts a figure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import table
from benchmarks.__main__ import SECTIONS
from tests.house import ROOT


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_runs_and_says_what_it_measured(section: str, tmp_path: Path):
    page, figures = tmp_path / "page.md", tmp_path / "figures.json"
    page.write_text(f"# Figures\n\n{table.BEGIN}\nyesterday\n{table.END}\n\nMore.\n", encoding="utf-8")
    asked = [section, "--quick", "--dir", str(tmp_path), "--json", str(figures), "--write-readme", str(page)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *asked], cwd=ROOT, env=os.environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (measured,) = json.loads(figures.read_text(encoding="utf-8"))
    assert measured["lines"]
    assert all(line["what"] in done.stdout for line in measured["lines"])
    assert all(line["what"] in page.read_text(encoding="utf-8") for line in measured["lines"])
    assert "yesterday" not in page.read_text(encoding="utf-8")
    assert list(tmp_path.glob("bench-*")) == []


def test_a_page_without_a_place_for_the_table_is_left_alone(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("# Nothing here\n", encoding="utf-8")
    assert not table.rewrite(page, "| a |")
    assert page.read_text(encoding="utf-8") == "# Nothing here\n"

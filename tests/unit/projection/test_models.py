"""A projection that writes by Django's models, in the transaction of its checkpoint; in a process of its own, as Django has it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from actum.testing.postgres import with_journal
from tests.house import ROOT
from tests.unit.projection.bank import Transferred, some_events


def _run(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "tests.unit.projection.flows_in_django", *map(str, arguments)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def test_what_djangos_models_write_stands_or_falls_with_the_checkpoint(tmp_path: Path, postgres: str):
    views = with_journal(postgres, f"t{uuid4().hex[:20]}")
    ended = _run(tmp_path / "bank.actum", postgres, views)
    assert ended.returncode == 0, ended.stderr
    times, amounts = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for event in some_events(400, seed=61):
        if isinstance(event, Transferred):
            times[event.source, event.target] += 1
            amounts[event.source, event.target] += event.amount  # type: ignore[assignment]
    told = json.loads(ended.stdout)
    assert told["parked"] == ["A-3"]
    found = {(source, target): (count, Decimal(amount)) for source, target, count, amount in told["flows"]}
    assert found == {pair: (count, amounts[pair]) for pair, count in times.items()}
    rebuilt = {(source, target): count for source, target, count, _ in told["rebuilt"]}
    assert rebuilt == times | {("A-1", "A-2"): times["A-1", "A-2"] + 1}


def test_django_and_the_views_must_both_be_in_postgresql(tmp_path: Path):
    ended = _run(tmp_path / "bank.actum", tmp_path / "django.db", tmp_path / "bank.views.db")
    assert ended.returncode != 0
    assert "where both are PostgreSQL; 'default' is sqlite, and the views are kept by apsw" in ended.stderr

"""A switch of a projection is killed at its statements, and made under constant reading: what was live or what comes, nothing between."""

from __future__ import annotations

import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from random import Random
from shutil import copytree

import apsw
import pytest

from actum.journal.readmodel import Role
from tests.house import ROOT
from tests.unit.projection.bank import Transferred, fill, some_events
from tests.unit.projection.flows import first, flows_of, second
from tests.unit.projection.versions import at_work

EVENTS = some_events(300, seed=81)
KILLS = 8
"""How many of the kills are at any statement; as many more are at the last ones, some of which are behind the switch."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal whose flows are kept by the first version, and those of the second are built beside."""
    folder = tmp_path_factory.mktemp("built")
    with at_work(first(), folder / "bank.actum") as running:
        fill(running.store, EVENTS)
        running.catch_up()
    app = second()
    with at_work(app, folder / "bank.actum") as running:
        running.rebuild(app.projections["flows"].cls).wait()
    return folder


def _switched(folder: Path, at: int) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "tests.fault.switching", folder / "bank.actum", folder / "bank.views.db", at]
    return subprocess.run(list(map(str, words)), cwd=ROOT, capture_output=True, text=True, check=False)


def _flows(folder: Path) -> tuple[dict[tuple[str, str], int], set[str]]:
    """What anybody finds by SQL: the flows, and which tables there are."""
    connection = apsw.Connection(str(folder / "bank.views.db"), flags=apsw.SQLITE_OPEN_READONLY)
    flows = {(source, target): times for source, target, times in connection.execute("SELECT * FROM flows")}
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    connection.close()
    return flows, {name for name in names if not name.startswith(("actum_", "sqlite_"))}


def test_a_switch_killed_at_any_statement_leaves_the_old_or_the_new_and_is_made_by_the_next_one(
    built: Path, tmp_path: Path, seed: int
):
    whole = copytree(built, tmp_path / "whole")
    statements = int(_switched(whole, 0).stdout)
    chosen = {*Random(seed).sample(range(1, statements + 1), KILLS), *range(statements - KILLS + 1, statements + 1)}
    landed, new = 0, 0
    for at in sorted(chosen):
        folder = copytree(built, tmp_path / f"at{at}")
        landed += _switched(folder, at).returncode == -signal.SIGKILL
        found = _flows(folder)
        old_ones = (flows_of(EVENTS), {"flows", "moves"})
        new_ones = (flows_of(EVENTS, new=True), {"flows", "moves", "seen"})
        assert found in (old_ones, new_ones)
        new += found == new_ones
        _goes_on(folder)
    print(f"{landed} of {len(chosen)} kills landed among {statements} statements, {new} of them behind the switch")
    assert landed == len(chosen)
    assert 0 < new < landed


def _goes_on(folder: Path) -> None:
    """The next program makes the switch where it was not made, and goes back from it."""
    app = second()
    with at_work(app, folder / "bank.actum") as running:
        flows = app.projections["flows"].cls
        if running.versions(flows)[0].definition.version == 1:
            running.rebuild(flows).switch()
        assert _flows(folder)[0] == flows_of(EVENTS, new=True)
        assert [(each.definition.version, each.role) for each in running.versions(flows)] == [
            (2, Role.LIVE),
            (1, Role.KEPT),
        ]
        more = Transferred(source="A-9", target="A-8", amount=Decimal(1))
        running.append(more)
        running.catch_up()
        assert _flows(folder)[0] == flows_of([*EVENTS, more], new=True)
        running.rollback(flows, behind=True)
        assert _flows(folder) == (flows_of(EVENTS), {"flows", "moves"})

"""A switch of a projection is killed at its statements, and made under constant reading: what was live or what comes, nothing between."""

from __future__ import annotations

import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from random import Random
from shutil import copytree
from uuid import uuid4

import apsw
import psycopg
import pytest

from actum.journal.readmodel import Role
from actum.stores.postgres.address import address_of
from actum.testing.postgres import with_journal
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


def _switched(journal: Path, views: str | Path, at: int) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "tests.fault.switching", str(journal), str(views), str(at)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def _in(folder: Path) -> tuple[Path, Path]:
    return folder / "bank.actum", folder / "bank.views.db"


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
    statements = int(_switched(*_in(whole), 0).stdout)
    chosen = {*Random(seed).sample(range(1, statements + 1), KILLS), *range(statements - KILLS + 1, statements + 1)}
    landed, new = 0, 0
    for at in sorted(chosen):
        folder = copytree(built, tmp_path / f"at{at}")
        landed += _switched(*_in(folder), at).returncode == -signal.SIGKILL
        found = _flows(folder)
        old_ones = (flows_of(EVENTS), {"flows", "moves"})
        new_ones = (flows_of(EVENTS, new=True), {"flows", "moves", "seen"})
        assert found in (old_ones, new_ones)
        new += found == new_ones
        _goes_on(folder)
    print(f"{landed} of {len(chosen)} kills landed among {statements} statements, {new} of them behind the switch")
    assert landed == len(chosen)
    assert 0 < new < landed


def test_a_switch_in_postgresql_is_as_whole_wherever_it_is_killed(postgres: str, tmp_path: Path, seed: int):
    journal, views = tmp_path / "bank.actum", with_journal(postgres, f"t{uuid4().hex[:20]}")
    with at_work(first(), journal, views=views) as running:
        fill(running.store, EVENTS)
        running.catch_up()
    old, new = flows_of(EVENTS), flows_of(EVENTS, new=True)
    statements = int(_switched(journal, views, 0).stdout)
    assert _in_postgres(views) == new
    _go_back(journal, views)
    chosen = {*Random(seed).sample(range(1, statements + 1), KILLS), *range(statements - KILLS + 1, statements + 1)}
    landed, switched = 0, 0
    for at in sorted(chosen):
        landed += _switched(journal, views, at).returncode == -signal.SIGKILL
        found = _in_postgres(views)
        assert found in (old, new)
        switched += found == new
        _go_back(journal, views)
        assert _in_postgres(views) == old
    print(f"{landed} of {len(chosen)} kills landed among {statements} statements, {switched} of them behind the switch")
    assert landed > 0
    assert 0 < switched < len(chosen)


def _in_postgres(views: str) -> dict[tuple[str, str], int]:
    address = address_of(views).views
    with psycopg.connect(address.conninfo) as server:
        rows = server.execute(f"SELECT source, target, times FROM {address.schema}.flows".encode()).fetchall()
    return {(source, target): times for source, target, times in rows}


def _go_back(journal: Path, views: str) -> None:
    """The next program goes back from the switch, where it was made."""
    app = second()
    with at_work(app, journal, views=views) as running:
        flows = app.projections["flows"].cls
        if running.versions(flows)[0].definition.version == 2:
            running.rollback(flows, behind=True)


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

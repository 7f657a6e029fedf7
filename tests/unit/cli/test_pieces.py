"""What runs of a system is looked at, stopped and listened to from another terminal, in the folder where it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from actum.cli.main import main
from actum.host.control_door import ControlDoor
from actum.host.folder import Folder, Reached
from actum.host.keeper import Patience
from actum.host.logs import Log
from actum.host.plan import Described, pieces_of
from actum.host.starting import Asked
from actum.host.supervisor import Program, Supervisor
from actum.http.serving import Serving

ABOUT = Described("market", ("shop/commands", "shop/queries"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    """A host whose pieces were not begun yet."""
    monkeypatch.chdir(tmp_path)
    folder = Folder("market.data").make()
    supervisor = Supervisor(
        "market", pieces_of(ABOUT), program=Program(Asked(target="no:where")), folder=folder, patience=Patience(stop=1)
    )

    async def reload() -> dict[str, str]:
        return {}

    with Serving(ControlDoor(supervisor, token="t", reload=reload)) as serving:
        folder.publish(Reached("market", serving.url, "t", "http://127.0.0.1:1", 1))
        yield folder


def actum(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, words)
    return done.exit_code, done.output


def test_the_pieces_are_shown_for_people_and_for_programs(folder: Folder):
    code, said = actum("ps")
    assert code == 0
    assert "shop/commands" in said
    assert "stopped" in said
    names = [json.loads(line)["name"] for line in actum("ps", "--json")[1].splitlines()]
    assert names == ["shop/queries", "shop/commands"]


def test_a_piece_is_told_to_stop_and_a_name_that_is_none_is_told_with_those_there_are(folder: Folder):
    code, said = actum("stop", "shop/queries", "--json")
    assert (code, json.loads(said)["state"]) == (0, "stopped")
    code, said = actum("kill", "shop/quarries")
    assert code == 2
    assert "known: shop/queries, shop/commands" in said
    code, said = actum("pause", "shop/queries")
    assert code == 2
    assert "only what runs can be paused" in said


def test_the_last_lines_of_logs_are_shown_each_with_its_piece(folder: Folder):
    for name in ("shop/commands", "shop/projections.1"):
        Log(folder.log(name)).write(f"{name} says\na lot at {datetime.now(UTC):%Y}\x1b[2J\n".encode())
    code, said = actum("logs", "shop/projections.1", "-n", "2")
    assert code == 0
    assert said.startswith("shop/projections.1 says\na lot at ")
    assert "\x1b" not in said
    assert "shop/commands  shop/commands says" in actum("logs")[1]
    assert actum("logs", "shop/nothing")[0] == 2


def test_where_nothing_runs_it_is_said_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    code, said = actum("ps")
    assert code == 4
    assert "begin with `actum up`" in said


def test_a_drill_of_a_piece_that_there_is_not_begins_nothing(tmp_path: Path):
    words = ["drill", "tests.unit.host.shop:system", "--data", str(tmp_path / "data"), "--only", "shop/nonsense"]
    answer = CliRunner().invoke(main, words)
    assert answer.exit_code == 2
    assert "no service is called 'shop/nonsense'; known: shop/commands" in answer.output
    assert not (tmp_path / "data").exists()

"""A drill on the demonstration's bank: each kind of piece is off, or what it needs, and what happens is what was predicted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fault.elsewhere import NO_SMALL_DISK, found_on_small_disk, mount_small_disk
from tests.house import ROOT

ONLY = {
    "accounts/commands": "stop",
    "accounts/projections": "kill",
    "accounts/queries": "pause",
    "placements/commands": "stop",
    "placements/projections": "kill",
    "assets/processes": "pause",
    "accounts/journal": "lock",
    "placements/read-database": "delete",
}
DISK = 64 * 1024 * 1024
PATIENCE = 900.0


def drilled(folder: Path, only: Sequence[str]) -> list[Any]:
    """Each step of a drill of these, and its end."""
    command = [sys.executable, "-m", "actum.cli", "drill", "demos.bank:bank", "--json", "--quick"]
    command += ["--load", "demos.bank.activity:everything", "--data", str(folder / "data")]
    command += ["--seconds", "0.5", "--rate", "60"]
    command += [word for name in only for word in ("--only", name)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def drilled_on_a_small_disk(folder: Path) -> Any:
    """A full disk is one of a few megabytes of its own."""
    return drilled(folder, ["disk"]) if mount_small_disk(folder, DISK) else NO_SMALL_DISK


def seen(steps: Sequence[Any]) -> dict[tuple[str, str], str | None]:
    """What became of each thing when a piece was off."""
    return {(step["piece"], one["what"]): one["observed"] for step in steps for one in step["outcomes"]}


def test_what_follows_when_a_service_is_off_is_what_was_predicted(tmp_path: Path):
    *steps, end = drilled(tmp_path, list(ONLY))
    assert {step["piece"]: step["way"] for step in steps} == ONLY
    assert (end["right"], end["lost"], end["doubled"], end["kept"], end["rows"]) == (True, 0, 0, 0, [])
    assert end["acknowledged"] > 0
    found = seen(steps)
    for piece in ("accounts/commands", "placements/commands", "accounts/journal"):
        assert found[piece, f"/{piece.partition('/')[0]}/commands"] == "refused"
        assert found[piece, "/accounts/events"] == "answered"
    for context in ("accounts", "placements"):
        assert found[f"{context}/projections", f"/{context}/views"] == "stale"
        assert found[f"{context}/projections", f"{context}: views"] == "waits"
    assert found["accounts/queries", "/accounts/views"] == "refused"
    assert found["accounts/queries", "/placements/views"] in ("answered", None)
    assert found["assets/processes", "assets: hears placements"] == "waits"
    assert found["placements/read-database", "/placements/commands"] == "answered"
    assert found["placements/read-database", "placements: views"] == "answered"


def test_a_full_disk_turns_commands_down_and_loses_nothing(tmp_path: Path):
    step, end = found_on_small_disk(drilled_on_a_small_disk, tmp_path, patience=PATIENCE)
    assert (step["piece"], step["way"]) == ("disk", "fill")
    assert (end["right"], end["lost"], end["doubled"], end["kept"], end["rows"]) == (True, 0, 0, 0, [])
    found = seen([step])
    for context in ("accounts", "placements"):
        assert found["disk", f"/{context}/commands"] in ("refused", "stale")
        assert found["disk", f"/{context}/events"] == "answered"

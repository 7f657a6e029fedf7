"""A drill on the demonstration's bank: services of each kind are off, and what happens is what was predicted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.house import ROOT

ONLY = (
    "accounts/commands",
    "accounts/projections",
    "accounts/queries",
    "assets/processes",
    "assets/read-database",
)


def test_what_follows_when_a_service_is_off_is_what_was_predicted(tmp_path: Path):
    command = [sys.executable, "-m", "actum.cli", "drill", "demos.bank:bank", "--json", "--quick"]
    command += ["--load", "demos.bank.activity:everything", "--data", str(tmp_path / "data")]
    command += ["--seconds", "0.5", "--rate", "60"]
    command += [word for name in ONLY for word in ("--only", name)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    *steps, end = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(step["piece"], step["way"]) for step in steps] == [
        ("accounts/commands", "stop"),
        ("accounts/projections", "kill"),
        ("accounts/queries", "pause"),
        ("assets/processes", "stop"),
        ("assets/read-database", "delete"),
    ]
    assert (end["right"], end["lost"], end["doubled"], end["kept"], end["rows"]) == (True, 0, 0, 0, [])
    assert end["acknowledged"] > 0
    found = {(step["piece"], one["what"]): one["observed"] for step in steps for one in step["outcomes"]}
    assert found["accounts/commands", "/accounts/commands"] == "refused"
    assert found["accounts/queries", "/accounts/views"] == "refused"
    assert found["accounts/queries", "/placements/views"] in ("answered", None)

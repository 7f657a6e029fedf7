"""A drill on a small system: each kind of service is off once, and what happens is what was predicted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.house import ROOT

ONLY = ("shop/commands", "shop/projections", "shop/queries", "shop/processes", "shop/read-database", "ledger/processes")


def test_what_follows_when_a_service_is_off_is_what_was_predicted(tmp_path: Path):
    command = [sys.executable, "-m", "actum.cli", "drill", "tests.unit.host.shop:system", "--json", "--quick"]
    command += ["--data", str(tmp_path / "data"), "--seconds", "0.5", "--rate", "60"]
    command += [word for name in ONLY for word in ("--only", name)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stdout + done.stderr
    *steps, end = lines
    assert [step["piece"] for step in steps] == [*ONLY[:4], "ledger/processes", "shop/read-database"]
    assert {step["way"] for step in steps} == {"stop", "kill", "pause", "delete"}
    assert (end["right"], end["lost"], end["doubled"], end["kept"], end["rows"]) == (True, 0, 0, 0, [])
    assert end["acknowledged"] > 0
    found = {(step["piece"], one["what"]): one["observed"] for step in steps for one in step["outcomes"]}
    assert found["shop/commands", "/shop/commands"] == "refused"
    assert found["shop/queries", "/shop/views"] == "refused"
    assert found["shop/projections", "shop: views"] in ("waits", None)

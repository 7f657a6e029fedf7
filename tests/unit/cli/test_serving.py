"""`actum serve`: on a free port, until it is told to stop; open to others only with a policy."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx2 as httpx

BANK = "from tests.unit.http.bank import bank\n"
GUARDED = """
from actum.http.policy import Policy
from actum.http.security import Security
security = Security(Policy(), identities="identities.db", access="access.db")
"""


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    (folder / "served.py").write_text(BANK + GUARDED, encoding="utf-8")
    command = [sys.executable, "-m", "actum.cli", "serve", "served:bank", "--journal", "bank.db", "--json", *words]
    root = str(Path(__file__).parents[3])
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"PYTHONPATH": root}
    )


def test_it_serves_until_it_is_told_to_stop_and_then_ends_cleanly(tmp_path: Path):
    with start(tmp_path, "--port", "0", "--actor", "web") as serving:
        assert serving.stdout is not None
        said = json.loads(serving.stdout.readline())
        answer = httpx.post(f"{said['url']}/commands/Open", json={"account": "A", "owner": "o"}, timeout=30)
        assert (said["serving"], answer.status_code) == ("bank", 200)
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(60) == 0


def test_it_is_not_open_to_others_without_a_policy(tmp_path: Path):
    with start(tmp_path, "--port", "0", "--host", "0.0.0.0") as refused:
        _, complaint = refused.communicate(timeout=60)
    assert refused.returncode == 2
    assert "this door has no authentication" in complaint


def test_with_a_policy_it_asks_who_comes(tmp_path: Path):
    with start(tmp_path, "--port", "0", "--security", "served:security") as serving:
        assert serving.stdout is not None
        said = json.loads(serving.stdout.readline())
        assert httpx.get(f"{said['url']}/events", timeout=30).status_code == 401
        serving.terminate()
        assert serving.wait(60) == 0


def test_a_policy_that_is_none_is_said_to_be_so(tmp_path: Path):
    with start(tmp_path, "--security", "served:bank") as refused:
        _, complaint = refused.communicate(timeout=60)
    assert refused.returncode == 2
    assert "expected a Security in served:bank, found a App; of the kind Security in served: security" in complaint

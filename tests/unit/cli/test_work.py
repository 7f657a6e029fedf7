"""Workers begun from the shell, each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house import ROOT
from tests.unit.cli.conftest import Type, lines_of


def _owners(type_: Type) -> set[str]:
    return {share["owner"] for one in lines_of(type_("views", "status", "--json")) for share in one["shares"]} - {""}


def _until(holds: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(600):
        if holds():
            return
        waiting.wait(0.1)
    pytest.fail("waited a minute in vain")


def test_workers_divide_the_views_and_one_that_dies_is_replaced(type_: Type, journal: Path):
    command = [sys.executable, "-m", "actum.cli", "work", "tests.unit.cli.bank:bank", "--workers", "2", "--lease", "1"]
    type_("views", "status")
    with subprocess.Popen(
        [*command, "--journal", str(journal), "--json"], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ
    ) as working:
        assert working.stdout is not None
        assert '"workers":2' in working.stdout.readline()
        _until(lambda: len(_owners(type_)) == 2)
        first = _owners(type_)
        os.kill(int(min(first).split("-")[-2]), signal.SIGKILL)
        _until(lambda: len(_owners(type_)) == 2 and _owners(type_) != first)
        type_("send", "Deposit", "account=A-1", "amount=1")
        _until(lambda: lines_of(type_("views", "status", "--json"))[0]["position"] == 5)
        working.send_signal(signal.SIGTERM)
        rest, _ = working.communicate(timeout=60)
    assert (rest, working.returncode) == ('{"stopped":2}\n', 0)
    assert _owners(type_) == set()


def test_an_application_that_is_not_there_is_said_at_once(type_: Type):
    result = type_("work", "nothing:there")
    assert (result.exit_code, "cannot be imported" in result.stderr) == (2, True)

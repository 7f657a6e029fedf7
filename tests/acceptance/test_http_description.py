"""The description of the door is true, as a program finds that knows nothing else."""

from __future__ import annotations

import subprocess
import sys

from tests.house import ROOT


def test_what_the_description_says_holds():
    """In a process of its own: its requests are thought out while tests are collected, and nobody else should wait for that."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-n",
        "0",
        "tests/acceptance/described.py",
    ]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert found.returncode == 0, found.stdout[-8000:] + found.stderr[-2000:]
    assert " passed" in found.stdout

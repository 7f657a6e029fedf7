"""What `import actum` costs and brings along."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LONGEST_IMPORT = 0.1
"""Seconds of the processor's time: what other programs do meanwhile does not count."""

TIMED = "import time; begun = time.process_time(); import actum; print(time.process_time() - begun)"

BROUGHT = (
    "import sys; before = set(sys.modules); import actum;"
    "print(*{name.split('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names))"
)


def _run(program: str, compiled: Path) -> str:
    """What it prints, with compiled modules kept, as where it is installed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(compiled)
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def test_importing_actum_takes_less_than_a_tenth_of_a_second(tmp_path: Path):
    """A machine that is busy with other things makes one run look dear: as many are tried as it takes, up to a point."""
    times: list[float] = []
    while not times or (min(times) >= LONGEST_IMPORT and len(times) < 60):
        times.append(float(_run(TIMED, tmp_path)))
    assert min(times) < LONGEST_IMPORT


def test_importing_actum_brings_msgspec_and_apsw_and_nothing_else(tmp_path: Path):
    """Whatever is there already: msgspec takes `typing_extensions` where somebody else has brought it."""
    assert set(_run(BROUGHT, tmp_path).split()) <= {"actum", "apsw", "msgspec", "typing_extensions"}

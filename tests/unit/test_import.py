"""What `import actum` costs and brings along."""

from __future__ import annotations

import subprocess
import sys

LONGEST_IMPORT = 0.1
"""Seconds."""

TIMED = "import time; begun = time.perf_counter(); import actum; print(time.perf_counter() - begun)"

BROUGHT = (
    "import sys; before = set(sys.modules); import actum;"
    "print(*{name.split('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names))"
)


def _run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_importing_actum_takes_less_than_a_tenth_of_a_second():
    assert min(float(_run(TIMED)) for _ in range(7)) < LONGEST_IMPORT


def test_importing_actum_brings_msgspec_and_apsw_and_nothing_else():
    assert set(_run(BROUGHT).split()) <= {"actum", "apsw", "msgspec"}

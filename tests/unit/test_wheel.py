"""What is handed out holds all that runs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.house import PACKAGE, ROOT, SRC


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(tmp_path), str(ROOT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    expected = {str(path.relative_to(SRC)) for path in files}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("actum/")}
    assert held == expected

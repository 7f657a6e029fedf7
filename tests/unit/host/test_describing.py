"""What a host learns of a system, asked by a unit or a container that prepares the journals by itself."""

import json
import subprocess
import sys
from pathlib import Path


def test_the_journals_that_it_makes_are_their_owners_alone(tmp_path: Path):
    words = ["describe", "tests.unit.host.shop:system", "--data", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", "actum.cli", *words], capture_output=True, check=True, umask=0o022)
    assert json.loads(done.stdout)["name"]
    made = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.rglob("*")}
    assert "shop.actum" in made
    assert set(made.values()) == {0}

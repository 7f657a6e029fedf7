"""The program as a whole: how it is started, how it ends, what it says of itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import DOCS, ROOT
from tests.unit.cli.conftest import Type
from tests.unit.cli.reference import reference


def started(*words: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ACTUM_")}
    command = [sys.executable, "-m", "actum.cli", *words]
    return subprocess.run(command, cwd=cwd, env=clean | env, capture_output=True, text=True, timeout=60)


def test_it_says_what_it_can_do():
    done = started("--help")
    assert done.returncode == 0
    for verb in ("run", "send", "ask", "tail", "events", "entity", "state", "views", "verify", "export", "import"):
        assert f"  {verb}" in done.stdout


def test_an_application_is_found_from_the_folder_one_is_in(tmp_path: Path):
    (tmp_path / "shop.py").write_text("from actum import App\nshop = App('shop')\n")
    done = started("views", "list", "--app", "shop:shop", "--journal", "no.db", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (4, "actum: there is no journal at no.db; check the path\n")


def test_an_application_that_does_not_start_says_why(tmp_path: Path):
    (tmp_path / "shop.py").write_text("import nothing_of_that_name\n")
    done = started("run", "shop:shop", "--journal", "shop.db", cwd=tmp_path)
    assert done.returncode == 2
    assert "shop cannot be imported: ModuleNotFoundError: No module named 'nothing_of_that_name'" in done.stderr
    assert list(tmp_path.glob("shop.db*")) == []


@pytest.mark.parametrize(
    ("content", "says"), [("Lorem ipsum " * 100, "is not an SQLite file"), ("", "no journal was made there yet")]
)
def test_a_file_that_is_no_journal_is_told_so(tmp_path: Path, content: str, says: str):
    (tmp_path / "letter.txt").write_text(content)
    for verb in (["tail"], ["verify"], ["export", "-"], ["events", "list"]):
        done = started(*verb, "--journal", "letter.txt", cwd=tmp_path)
        assert (done.returncode, says in done.stderr, "Traceback" in done.stderr) == (4, True, False), done.stderr


def test_what_is_missing_from_the_call_is_named():
    done = started("tail")
    assert (done.returncode, "--journal" in done.stderr) == (2, True)


def test_a_missing_extra_is_one_sentence(tmp_path: Path):
    program = "import sys; sys.modules['rich'] = None; import actum.cli.main"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "the command line needs rich, which is not installed; pip install 'actum[cli]'\n"


def test_colours_are_left_out_where_nobody_wants_them(type_: Type):
    assert "\x1b" not in type_("tail", "--no-follow", NO_COLOR="1").stdout


def test_the_reference_says_what_the_program_says():
    page = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    assert page == reference(), "write it anew: python -m tests.unit.cli.reference"

"""Every code block of the README and the documentation runs as it stands there.

The blocks of one page share one namespace and one empty folder, from top to bottom:

- `python` is run; a first line like `# bank.py` also writes the block to that file (after what is there already);
- `pycon` is run, and its answers compared;
- `console` is run where a line begins with `$ `; the lines below, if any, are compared with what it prints, `...`
  standing for anything;
- `sh` is for what a test must not do, such as installing: its `make` targets must exist;
- `text`, `json`, `toml` and `sql` are for looking at; any other language is an error.
"""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from tests.house import PAGES, ROOT, names_of_targets

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\S*)[^\n]*\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
LOOKED_AT = {"text", "json", "toml", "sql"}
UNTRIED = re.compile(r"(git clone|cd|pip install|make) ")
SAME = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SECONDS = 120


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its code, and the line on which that begins."""

    language: str
    code: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    """The code blocks of a page, in order; directives in braces are Sphinx's business."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        if not found["language"].startswith("{"):
            indent = len(found["indent"])
            code = "".join(line[indent:] for line in found["code"].splitlines(keepends=True))
            yield Block(found["language"], code, text.count("\n", 0, found.start("code")) + 1)


class Reader:
    """Somebody who reads a page from top to bottom and tries everything, in one empty folder."""

    def __init__(self, page: Path, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.module = ModuleType("page_" + re.sub(r"\W", "_", page.stem))

    def read(self) -> None:
        """Try every block."""
        verbs = {"python": self.python, "pycon": self.pycon, "console": self.console, "sh": self.sh}
        with self._at_work():
            for block in blocks(self.page):
                if block.language not in LOOKED_AT:
                    assert block.language in verbs, (
                        f"{self._where(block)}: a block in {block.language or 'no language'}"
                    )
                    verbs[block.language](block)

    def python(self, block: Block) -> None:
        """Run it, and keep it as a file where it names one."""
        if name := re.match(r"# (\w+\.py)\n", block.code):
            with (self.folder / name[1]).open("a", encoding="utf-8") as file:
                file.write(block.code + "\n")
        exec(compile("\n" * (block.line - 1) + block.code, str(self.page), "exec"), self.module.__dict__)

    def pycon(self, block: Block) -> None:
        """Run it and compare its answers."""
        lines = doctest.DocTestParser().get_examples(block.code)
        test = doctest.DocTest(lines, self.module.__dict__, self.page.name, str(self.page), block.line - 1, None)
        report: list[str] = []
        failed, _ = doctest.DocTestRunner(optionflags=SAME).run(test, out=report.append, clear_globs=False)
        assert not failed, "".join(report)

    def console(self, block: Block) -> None:
        """Run each command and compare what it prints."""
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.code, re.MULTILINE):
            done = subprocess.run(
                command,
                shell=True,
                cwd=self.folder,
                env=self._environment(),
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
            where = f"{self._where(block)}: $ {command}\n{done.stdout}{done.stderr}"
            assert done.returncode == 0, where
            if expected.strip():
                assert doctest.OutputChecker().check_output(expected, done.stdout, SAME), where

    def sh(self, block: Block) -> None:
        """See that what it tells to do can be done."""
        for line in block.code.splitlines():
            assert UNTRIED.match(line), f"{self._where(block)}: {line!r} can be tried: make it a console block"
            if line.startswith("make "):
                assert line.split()[1] in names_of_targets(), f"{self._where(block)}: {line}"

    def _where(self, block: Block) -> str:
        return f"{self.page.relative_to(ROOT)}:{block.line}"

    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        return os.environ | {"PATH": path, "PYTHONPATH": str(self.folder), "COLUMNS": "120", "NO_COLOR": "1"}

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        known = set(sys.modules)
        sys.modules[self.module.__name__] = self.module
        sys.path.insert(0, str(self.folder))
        try:
            with contextlib.chdir(self.folder):
                yield
        finally:
            sys.path.remove(str(self.folder))
            for name in set(sys.modules) - known:
                if Path(getattr(sys.modules[name], "__file__", None) or self.folder).is_relative_to(self.folder):
                    del sys.modules[name]


PAGES_WITH_CODE = [page for page in PAGES if any(True for _ in blocks(page))]


@pytest.mark.parametrize("page", PAGES_WITH_CODE, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_reader_who_tries_everything_meets_no_surprise(page: Path, tmp_path: Path):
    Reader(page, tmp_path).read()

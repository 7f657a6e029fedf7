"""The house as its own tests see it: which files there are and what stands in them."""

from __future__ import annotations

import ast
import functools
import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"
PACKAGE = SRC / "actum"
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])


@dataclass(frozen=True)
class Source:
    """One Python file of ours."""

    path: Path

    @property
    def name(self) -> str:
        """The path from the root of the project."""
        return str(self.path.relative_to(ROOT))

    @functools.cached_property
    def text(self) -> str:
        """What stands in it."""
        return self.path.read_text(encoding="utf-8")

    @functools.cached_property
    def tree(self) -> ast.Module:
        """What it means."""
        return ast.parse(self.text)

    @property
    def shipped(self) -> bool:
        """Whether users get it."""
        return self.path.is_relative_to(PACKAGE)

    @property
    def module(self) -> str:
        """Its dotted name, where it is shipped."""
        parts = self.path.relative_to(SRC).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def is_face(self) -> bool:
        """Whether it is what a folder shows of itself."""
        return self.shipped and self.path.name == "__init__.py"

    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """All its functions, nested ones too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Its lines, from `def` to the last."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


@functools.cache
def sources() -> list[Source]:
    """Every Python file of the project."""
    folders = [PACKAGE, *(ROOT / name for name in ("tests", "examples", "benchmarks"))]
    return [Source(path) for folder in folders for path in sorted(folder.rglob("*.py"))]


def shipped() -> list[Source]:
    """Every Python file that users get."""
    return [source for source in sources() if source.shipped]


def faces() -> dict[str, tuple[str, ...]]:
    """What each folder shows: its dotted name and its `__all__`, where it has one."""
    return {
        source.module: tuple(getattr(importlib.import_module(source.module), "__all__", ()))
        for source in shipped()
        if source.is_face
    }


def resolve(dotted: str) -> object:
    """What a dotted name stands for: a module, or something in one."""
    module, _, attribute = dotted.rpartition(".")
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError:
        found: ModuleType | object = resolve(module)
        return getattr(found, attribute)


def names_of_targets() -> set[str]:
    """What `make` can make."""
    targets = re.findall(r"^([a-z ]+):(?!=)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    return {name for target in targets for name in target.split()}

"""SQL lives in `.sql` files, one named statement a verb; here they are read, once."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def statements(file: str) -> dict[str, str]:
    """The statements of one file, such as `sqlite/queries.sql`, by their names, comments left out."""
    parts = _NAME.split(text_of(file))
    return {name: _bare(body) for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def text_of(file: str) -> str:
    """A file of this room or of a folder in it, whole."""
    return Path(__file__).parent.joinpath(file).read_text(encoding="utf-8")


def _bare(body: str) -> str:
    lines = (line for line in body.splitlines() if line and not line.startswith("--"))
    return "\n".join(lines).rstrip(";")


def many(statement: str, row: str, count: int) -> str:
    """The statement with its `VALUES` row written `count` times: one step of the engine writes them all."""
    return f"{statement} VALUES {', '.join([row] * count)}"

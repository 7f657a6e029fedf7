"""A fingerprint changes with what is done, with nothing else, and is the same on every Python."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from actum.decision.state import fold_of

PROGRAM = '''
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal, Optional

import msgspec

from actum import Event, State, Tag

OrderId = Annotated[str, Tag("order")]


class Colour(Enum):
    RED = "red"


class Line(msgspec.Struct):
    sku: str
    colour: Colour = Colour.RED
    inside: Optional["Line"] = None


class Added(Event):
    order: OrderId
    line: Line
    how: Literal["once", "twice"] = "once"

    @property
    def times(self) -> int:
        return 1 if self.how == "once" else 2


def priced(line: Line) -> Decimal:
    return Decimal(2) * len(line.sku)


class Order(State):
    order: OrderId
    lines: list[Line] = []
    total: Annotated[Decimal, msgspec.Meta(ge=0)] = Decimal(0)
    said: str | None = None

    def evolve(self, event: Added) -> None:
        """What the event says."""
        match event:
            case Added(line=line, how="once" | "twice" as how):
                self.said = f"{how!r:>8} {line.sku:{len(line.sku)}}"
                self.take(line, *[], **{})
        try:
            self.total += sum(priced(each) for each in self.lines if each) * event.times
        except (ValueError, TypeError):
            raise
        finally:
            *rest, self.last = [0, ..., None, 1.5, b"x", 2j][:]

    last: object = None

    def take(self, line: Line) -> None:
        self.lines = [*self.lines, line]
'''

GOLDEN = "4bd276ed4880999b95a48aed6ea6fbb2"


def printed(program: str, folder: Path) -> str:
    """The fingerprint of the program's fold."""
    file = folder / f"program_{len(list(folder.iterdir()))}.py"
    file.write_text(program)
    spec = importlib.util.spec_from_file_location("program", file)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules["program"] = module
    spec.loader.exec_module(module)
    try:
        return fold_of(module.Order).fingerprint.hex()
    finally:
        del sys.modules["program"]


def test_it_is_the_same_on_every_python(tmp_path: Path):
    assert printed(PROGRAM, tmp_path) == GOLDEN


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"""What the event says."""', '"""Something else."""  # A comment.'),
        ("self.take(line, *[], **{})", "self.take(\n                    line, *[],  **{}\n                )"),
        ("from decimal import Decimal\n", "from decimal import Decimal\n\nUNUSED = 7\n"),
    ],
)
def test_it_does_not_change_with_what_does_nothing(tmp_path: Path, before: str, after: str):
    assert before in PROGRAM
    assert printed(PROGRAM.replace(before, after), tmp_path) == GOLDEN


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{how!r:>8}", "{how!s:>8}"),
        ("[*self.lines, line]", "[line, *self.lines]"),
        ("Decimal(2) *", "Decimal(3) *"),
        ('1 if self.how == "once" else 2', "1"),
        ("said: str | None = None", 'said: str | None = ""'),
        ("total: Annotated[Decimal, msgspec.Meta(ge=0)] = Decimal(0)", "total: Decimal = Decimal(0)"),
        ("    sku: str\n", "    sku: str\n    count: int\n"),
        ("colour: Colour = Colour.RED", "colour: Colour"),
        ('RED = "red"', 'RED = "rouge"'),
        ("class Order(State):", "class Order(State, version=2):"),
    ],
)
def test_it_changes_with_whatever_may_come_out_otherwise(tmp_path: Path, before: str, after: str):
    assert before in PROGRAM
    assert printed(PROGRAM.replace(before, after), tmp_path) != GOLDEN

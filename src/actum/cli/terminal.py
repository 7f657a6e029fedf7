"""The terminal: answers on stdout, everything about how it is going on stderr, and nothing that could disturb either."""

from __future__ import annotations

import sys
import time
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Task

PATIENCE = 1.0
"""Seconds after which whoever waits is shown how it goes."""

_ENCODER = msgspec.json.Encoder(decimal_format="string")


def out() -> Console:
    """Where answers go."""
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty(), emoji=False, markup=False)


def err() -> Console:
    """Where the rest goes."""
    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False, markup=False)


def complain(sentence: str) -> None:
    """Say what is wrong."""
    err().print(Text.assemble(("actum: ", "bold red"), sentence))


def note(sentence: str) -> None:
    """Say something aside."""
    err().print(Text(sentence, "dim"))


def line(answer: Any) -> None:
    """One machine-readable line on stdout, there at once."""
    sys.stdout.write(_ENCODER.encode(answer).decode() + "\n")
    sys.stdout.flush()


def readable(text: str) -> str:
    """The text without anything that a terminal would obey: stored data must not move a cursor."""
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable() or character == "\u200d":
        return character
    if character in "\n\r\t":
        return {"\n": "⏎", "\r": "␍", "\t": " "}[character]
    if unicodedata.category(character) == "Zs":
        return " "
    return "\ufffd"


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """See `ProgressColumn.render`."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", "dim")


class Bar:
    """A progress bar that appears once somebody has waited for a second, and only where somebody looks."""

    def __init__(self, what: str, total: int | None) -> None:
        self._what = what
        self._total = total
        self._begun = time.monotonic()
        self._shown: Progress | None = None
        self._task: Any = None
        self._console = err()

    def move(self, reached: int, total: int | None = None) -> None:
        """So far."""
        if self._shown is None:
            if not self._console.is_terminal or time.monotonic() - self._begun < PATIENCE:
                return
            self._show(total)
        assert self._shown is not None
        self._shown.update(self._task, completed=reached, total=total or self._total)

    def _show(self, total: int | None) -> None:
        self._shown = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            expand=True,
        )
        self._task = self._shown.add_task(self._what, total=total or self._total)
        self._shown.start()

    def end(self) -> None:
        """Away with it."""
        if self._shown is not None:
            self._shown.stop()


@contextmanager
def bar(what: str, total: int | None = None) -> Iterator[Bar]:
    """A progress bar around a piece of work."""
    shown = Bar(what, total)
    try:
        yield shown
    finally:
        shown.end()

"""What was measured, as a table: for the terminal, for a Markdown page, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

HEADINGS = ("what", "actum", "yardstick", "ratio", "bar", "")
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


class Line(NamedTuple):
    """One measurement. `value` is what the bar is about; `ok` is None where there is no bar, only a fact to know."""

    what: str
    figure: str
    yardstick: str = ""
    value: float | None = None
    shown: str = ""
    bar: str = ""
    ok: bool | None = None

    @property
    def verdict(self) -> str:
        return {None: "", True: "ok", False: "BELOW"}[self.ok]

    @property
    def cells(self) -> tuple[str, ...]:
        return self.what, self.figure, self.yardstick, self.shown, self.bar, self.verdict


class Section(NamedTuple):
    """The measurements of one kind of work, and what to know about them."""

    title: str
    lines: list[Line]
    notes: list[str]


def rate(value: float) -> str:
    return f"{value:,.0f}/s"


def at_least(what: str, value: float, bar: float, *, figure: str, yardstick: str) -> Line:
    """A ratio that is to reach a bar."""
    return Line(what, figure, yardstick, value, f"{value:.2f}", f"≥ {bar:.3g}", value >= bar)


def at_most(what: str, value: float, bar: float, *, unit: str, figure: str = "", yardstick: str = "") -> Line:
    """A measure that is to stay under a bar."""
    return Line(what, figure or f"{value:,.4g} {unit}", yardstick, value, f"{value:,.3g}", f"≤ {bar:.3g}", value <= bar)


def fact(what: str, figure: str, yardstick: str = "", value: float | None = None) -> Line:
    """A measure without a bar."""
    return Line(what, figure, yardstick, value, "" if value is None else f"{value:.2f}")


def text(section: Section) -> str:
    """The section for a terminal."""
    rows = [HEADINGS, *(line.cells for line in section.lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    made = "\n".join(_row(row, widths) for row in rows)
    return "\n".join([section.title, "", made, *(f"  {note}" for note in section.notes), ""])


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    what = cells[0].ljust(widths[0])
    numbers = "  ".join(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return f"  {what}  {numbers}".rstrip()


def markdown(sections: Iterable[Section], circumstances: str) -> str:
    """All sections as one table for a page."""
    rows = [f"| {' | '.join(HEADINGS)} |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    for section in sections:
        rows.append(f"| **{section.title}** | | | | | |")
        rows += [f"| {' | '.join(line.cells)} |" for line in section.lines]
    return "\n".join([circumstances, "", *rows])


def rewrite(page: Path, table: str) -> bool:
    """Put the table between the marks of a page; whether the page has them."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return False
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")
    return True


def plain(section: Section) -> dict[str, Any]:
    """The section for a JSON file."""
    return {"title": section.title, "notes": section.notes, "lines": [line._asdict() for line in section.lines]}

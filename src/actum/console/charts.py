"""Charts as data: what a script draws, and the table that says the same to whoever does not look."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from actum.console.formats import moment, number

if TYPE_CHECKING:
    from actum.console.asked import Asked
    from actum.console.pulse import Beat

SPANS: dict[str, timedelta] = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "24h": timedelta(days=1),
    "30d": timedelta(days=30),
    "1y": timedelta(days=365),
}
"""How far back a histogram may look."""

BARS = 60
"""How many bars it has."""

POINTS = 90
"""How many points a line has at the most."""


class Series(msgspec.Struct, frozen=True):
    """One line or row of bars, by its name; None where nothing is known."""

    name: str
    values: tuple[float | None, ...]


class Chart(msgspec.Struct, frozen=True):
    """What is drawn. `x` is seconds since 1970; `hrefs` are where a click on a bar or point leads. `rows` is the table behind."""

    kind: Literal["bars", "lines", "steps"]
    x: tuple[float, ...]
    series: tuple[Series, ...]
    hrefs: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[tuple[str, str], ...], ...] = ()
    """Cells as text and address, which may be empty."""

    @property
    def data(self) -> str:
        """What the script is given."""
        found = {"kind": self.kind, "x": self.x, "series": self.series, "hrefs": self.hrefs}
        return msgspec.json.encode(found).decode()


def histogram(asked: Asked, *, span: str, now: datetime) -> Chart:
    """How many events each context recorded over the span; a click leads to those of that time."""
    wide = SPANS[span] / BARS
    first = now.astimezone(UTC) - SPANS[span]
    moments = [first + wide * index for index in range(BARS + 1)]
    counts = {name: search.counts(moments) for name, search in asked.house.searches.items()}
    series = tuple(Series(name, tuple(map(float, found))) for name, found in counts.items())
    hrefs = tuple(
        asked.link("search", q=f"after:{start:%Y-%m-%dT%H:%M:%SZ} before:{end:%Y-%m-%dT%H:%M:%SZ}")
        for start, end in itertools.pairwise(moments)
    )
    words, language = asked.words, asked.language
    rows = tuple(
        ((moment(start, language), href), *((number(found[index], language), "") for found in counts.values()))
        for index, (start, href) in enumerate(zip(moments, hrefs, strict=False))
        if any(found[index] for found in counts.values())
    )
    x = tuple(each.timestamp() for each in moments[:-1])
    return Chart("bars", x, series, hrefs, (words("from"), *counts), rows)


def lag(asked: Asked, beats: tuple[Beat, ...], follower: str) -> Chart:
    """How far a follower was behind, and how fast it went, beat by beat."""
    shown = beats[:: max(len(beats) // POINTS, 1)]
    behind = tuple(float(max(beat.head - beat.followers.get(follower, 0), 0)) for beat in shown)
    rates: list[float | None] = [None]
    for before, after in itertools.pairwise(shown):
        moved = after.followers.get(follower, 0) - before.followers.get(follower, 0)
        rates.append(max(moved, 0) / max(after.at - before.at, 0.001))
    words, language = asked.words, asked.language
    rows = tuple(
        (
            (moment(datetime.fromtimestamp(beat.at, UTC), language), ""),
            (number(int(late), language), ""),
            ("—" if rate is None else number(rate, language, digits=0), ""),
        )
        for beat, late, rate in zip(shown, behind, rates, strict=False)
    )
    series = (Series(words("events behind"), behind), Series(words("events a second"), tuple(rates[: len(shown)])))
    columns = (words("time"), words("events behind"), words("events a second"))
    return Chart("lines", tuple(beat.at for beat in shown), series, (), columns, rows)

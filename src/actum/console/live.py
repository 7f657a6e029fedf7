"""What happens, as it happens: the newest events of every context, and a feed that puts each new one on top.

Whoever looks gets four batches a second at the most, of fifty events at the most; what is more is counted and left out.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from actum.console.answering import Shown, Streamed
from actum.console.charts import SPANS, histogram
from actum.console.rendering import render
from actum.console.telling import Line, line_of
from actum.history.question import Question, answers, question
from actum.history.story import Placed
from actum.journal.errors import Invalid, Unknown

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from actum.console.asked import Asked
    from actum.journal.event import Position, SequencedEvent
    from actum.service.running import Running

ROWS = 50
"""Events on a page, and in a batch at the most."""

BREATH = 0.25
"""Seconds between two batches."""

HEARTBEAT = 15.0
"""Seconds after which a silent feed says that it is alive."""


def live(asked: Asked) -> Shown:
    """`/live`: the newest events, and then each new one."""
    text = asked.query.get("q", "")
    question(text)
    places = {name: running.head() for name, running in asked.house.contexts.items()}
    values = {
        "q": text,
        "lines": newest(asked, text, places),
        "feed": asked.link("live", "feed", q=text, after=cursor(places)),
        **over_time(asked),
        "types": types_of(asked),
    }
    return Shown("live.html", asked.words("Live"), values, here="live")


def over_time(asked: Asked) -> dict[str, Any]:
    """The histogram of the span that is asked for."""
    span = asked.query.get("span", "15m")
    if span not in SPANS:
        raise Unknown("span", span, tuple(SPANS))
    return {"chart": histogram(asked, span=span, now=datetime.now(UTC)), "span": span, "spans": list(SPANS)}


def types_of(asked: Asked) -> list[str]:
    """Every type of event that can be searched for."""
    return sorted({type for search in asked.house.searches.values() for type in search.index.types()})


def newest(asked: Asked, text: str, until: dict[str, Position]) -> list[Line]:
    """The newest events up to these positions that answer the question, the newest first."""
    found: list[Placed] = []
    for name, search in asked.house.searches.items():
        wanted = question(text, types=search.index.types())
        events = search.find(wanted, before=until[name] + 1, limit=ROWS).events
        found += [Placed(name, event) for event in events]
    found.sort(key=lambda placed: (placed.event.recorded, placed.event.position), reverse=True)
    return [line_of(asked, each) for each in found[:ROWS]]


def cursor(places: dict[str, Position]) -> str:
    """Positions of contexts as one text: `accounts.12~assets.7`."""
    return "~".join(f"{name}.{position}" for name, position in places.items())


def places_in(text: str) -> dict[str, Position]:
    """The positions that such a text says; `Invalid` for one that says none."""
    found: dict[str, Position] = {}
    for part in text.split("~") if text else ():
        name, dot, position = part.rpartition(".")
        if not (dot and position.isascii() and position.isdigit() and len(position) < 19):
            raise Invalid(f"expected a place like accounts.12, found {part!r:.80}")
        found[name] = int(position)
    return found


def feed(asked: Asked) -> Streamed:
    """`/live/feed`: each new event as a row of the table, as server-sent events; goes on from `Last-Event-ID`."""
    text = asked.query.get("q", "")
    wanted = question(text, types=types_of(asked))
    places = places_in(asked.headers.get("last-event-id") or asked.query.get("after", ""))
    begun = {name: places.get(name, running.head()) for name, running in asked.house.contexts.items()}
    return Streamed(_Feed(asked, wanted, begun).chunks())


class _Feed:
    """One listener: which events it wants, and up to where it has had them."""

    def __init__(self, asked: Asked, wanted: Question, places: dict[str, Position]) -> None:
        self._asked = asked
        self._wanted = wanted
        self._places = places
        self._news = asyncio.Event()

    async def chunks(self) -> AsyncGenerator[str, None]:
        loop = asyncio.get_running_loop()

        def hear(_: Position) -> None:
            loop.call_soon_threadsafe(self._news.set)

        stops = [running.store.watch(hear) for running in self._asked.house.contexts.values()]
        try:
            yield ": hello\n\n"
            while True:
                async with self._asked.house.feeding:
                    batch = await asyncio.to_thread(self._batch)
                if batch:
                    yield batch
                    await asyncio.sleep(BREATH)
                else:
                    yield await self._wait()
        finally:
            for stop in stops:
                stop()

    async def _wait(self) -> str:
        try:
            async with asyncio.timeout(HEARTBEAT):
                await self._news.wait()
        except TimeoutError:
            return ": alive\n\n"
        self._news.clear()
        return ""

    def _batch(self) -> str:
        """What is new, as one message; empty where there is nothing."""
        self._news.clear()
        found: list[Placed] = []
        left_out = 0
        for name, running in self._asked.house.contexts.items():
            events, missed = self._new_in(name, running)
            found += [Placed(name, event) for event in events]
            left_out += missed
        if not found and not left_out:
            return ""
        found.sort(key=lambda placed: (placed.event.recorded, placed.event.position), reverse=True)
        lines = [line_of(self._asked, each) for each in found[:ROWS]]
        html = render(self._asked, "rows.html", {"lines": lines, "left_out": left_out + len(found[ROWS:])})
        data = "\n".join(f"data: {row}" for row in html.splitlines() if row.strip())
        return f"id: {cursor(self._places)}\n{data}\n\n"

    def _new_in(self, name: str, running: Running) -> tuple[list[SequencedEvent], int]:
        """The newest events behind where one stood, and how many were too many to look at."""
        head, place = running.head(), self._places[name]
        self._places[name] = max(head, place)
        if head <= place:
            return [], 0
        begin = max(place, head - 10 * ROWS)
        events = running.store.read(after=begin, until=head)
        return [event for event in events if answers(self._wanted, event)], begin - place

"""Search: events of every context by whatever one knows of them, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actum.console.answering import Shown
from actum.console.live import ROWS, cursor, over_time, places_in, types_of
from actum.console.telling import Line, line_of
from actum.history.question import question
from actum.history.story import Placed

if TYPE_CHECKING:
    from actum.console.asked import Asked
    from actum.journal.event import Position


def search(asked: Asked) -> Shown:
    """`/search?q=…`: what is found, the newest first."""
    text = asked.query.get("q", "")
    lines, on = _page(asked, text, places_in(asked.query.get("before", "")))
    values = {
        "q": text,
        "lines": lines,
        "next": on and asked.link("search", q=text, before=cursor(on)),
        "unsearchable": asked.house.unsearchable(),
        "types": types_of(asked),
        **over_time(asked),
    }
    return Shown("search.html", asked.words("Search"), values, here="search")


def _page(asked: Asked, text: str, before: dict[str, Position]) -> tuple[list[Line], dict[str, Position] | None]:
    """A page, and where each context goes on; None where none does."""
    found: list[Placed] = []
    more = False
    places: dict[str, Position] = {}
    for name, search in asked.house.searches.items():
        places[name] = before.get(name, search.store.head() + 1)
        page = search.find(question(text, types=search.index.types()), before=places[name], limit=ROWS)
        found += [Placed(name, event) for event in page.events]
        more = more or page.next is not None
        if not page.events and page.next is not None:
            places[name] = page.next
    found.sort(key=lambda placed: (placed.event.recorded, placed.event.position), reverse=True)
    shown = found[:ROWS]
    for placed in shown:
        places[placed.context] = min(places[placed.context], placed.event.position)
    more = more or len(found) > len(shown)
    return [line_of(asked, each) for each in shown], places if more else None

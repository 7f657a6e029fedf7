"""Two pages: a building that grows step by step, and real permits found by any word of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import msgspec
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from actum import ActumError
from actum.history.question import question
from demos.building.building import HOUSE
from demos.building.permits import ActivityDone, Longest
from demos.building.replay import frames
from demos.building.words import words_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from actum import Running
    from actum.history.searching import Search

HERE = Path(__file__).parent
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}


class Pages:
    """Over two journals that are open in this process; `search` is None where no permits were imported."""

    def __init__(self, works: Running, permits: Running | None, search: Search | None) -> None:
        self._works = works
        self._permits = permits
        self._search = search
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
        )

    def building(self, request: Request) -> Response:
        """The building at a step; the last one where none is said."""
        life = frames(self._works, HOUSE)
        asked = request.query_params.get("step", "")
        step = int(asked) if asked.isascii() and asked.isdigit() else len(life)
        step = min(max(step, 1), len(life))
        return self._page(request, "building.html", life=life, now=life[step - 1], step=step)

    def permits(self, request: Request) -> Response:
        """What is found in the permits, and those about which most was done."""
        words = request.query_params.get("q", "").strip()
        found, wrong = list[Any](), None
        if words and self._search is not None and self._permits is not None:
            try:
                stored = self._search.find(question(words)).events
                codec = self._permits.app.codec
                found = [
                    (one, event) for one in stored for event in codec.decode(one) if isinstance(event, ActivityDone)
                ]
            except ActumError as error:
                wrong = str(error)
        longest = () if self._permits is None else self._permits.ask(Longest(count=10))
        events = 0 if self._permits is None else self._permits.head()
        return self._page(request, "permits.html", q=words, found=found, wrong=wrong, longest=longest, events=events)

    def _page(self, request: Request, template: str, **values: Any) -> Response:
        language = "en" if request.query_params.get("language") == "en" else "fr"
        text = self._templates.get_template(template).render(
            language=language, words=words_of(language), said=_said, has_permits=self._permits is not None, **values
        )
        return HTMLResponse(text, headers=HEADERS)

    def app(self) -> Starlette:
        """Both."""
        return Starlette(
            routes=[
                Route("/", self.building),
                Route("/permits", self.permits),
                Mount("/static", StaticFiles(directory=HERE / "static")),
            ]
        )


def _said(facts: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items() if not isinstance(value, msgspec.Raw))

"""Templates: everything that is shown is escaped, in the reader's language, and refers to nothing outside the console."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from actum.console import formats
from actum.console.static import address_of
from actum.console.tables import SpokenTables

if TYPE_CHECKING:
    from actum.console.asked import Asked

TEMPLATES = Path(__file__).parent / "templates"


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=[SpokenTables],
        trim_blocks=True,
        lstrip_blocks=True,
    )


def prepare() -> None:
    """Have every template ready before anybody asks for a page."""
    for name in _environment().list_templates():
        _environment().get_template(name)


def render(asked: Asked, template: str, values: dict[str, Any]) -> str:
    """The page, or a part of one."""
    language = asked.language
    given = {
        "_": asked.words,
        "asked": asked,
        "house": asked.house,
        "link": asked.link,
        "file": partial(address_of, asked.root),
        "number": partial(formats.number, language=language),
        "moment": partial(formats.moment, language=language),
        "duration": partial(formats.duration, language=language),
        "clock": formats.clock,
        "cell": partial(formats.cell, language=language),
    }
    return _environment().get_template(template).render(given | values)

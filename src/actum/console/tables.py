"""Tables stay tables for those who hear them: each part says its role, which some browsers forget of rows shown as cards.

It is said where a template is compiled, so that none can leave it out; what is shown in a template never passes here.
"""

from __future__ import annotations

import re

from jinja2.ext import Extension

ROLES = {
    "table": "table",
    "thead": "rowgroup",
    "tbody": "rowgroup",
    "tr": "row",
    "td": "cell",
    'th scope="col"': "columnheader",
    'th scope="row"': "rowheader",
}
"""What each element of a table is, in the words of WAI-ARIA 1.2."""

_ELEMENT = re.compile(f"<({'|'.join(ROLES)})(?=[ >{{])")


def spoken(template: str) -> str:
    """The text of a template, in which every element of a table says its role."""
    return _ELEMENT.sub(lambda found: f'{found[0]} role="{ROLES[found[1]]}"', template)


class SpokenTables(Extension):
    """That, for every template of an environment."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """The template before it is compiled."""
        return spoken(source)

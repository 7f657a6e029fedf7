"""Why a number is what it is: a page, and the middle of that page for the `<explain-cell>` of somebody's own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actum.console.answering import Shown
from actum.console.formats import cell, number
from actum.console.lengthy import bounded, comes_later
from actum.console.telling import line_of
from actum.console.thing import key_in, segments_of, waiting
from actum.decision.state import fold_of
from actum.history.explain import Doubt
from actum.history.formula import is_number
from actum.history.story import Placed
from actum.history.timeline import Subject
from actum.service.explaining import explained as explain_cell

if TYPE_CHECKING:
    from actum.console.asked import Asked
    from actum.history.explain import Explanation, Movement

LAST = 50
"""How many movements of a cell a page tells at the most."""


def explained(asked: Asked) -> Shown:
    """`/{context}/explain/{name}/…/{column}`: a cell; `at` and `since` are positions."""
    context, name = asked.names["context"], asked.names["name"]
    running = asked.house.running(context)
    cls = running.app.state_type(name)
    *key, column = asked.rest
    subject = Subject(cls, *fold_of(cls).parse(key_in(key)))
    if comes_later(asked, running, subject):
        return waiting(asked, running, subject, column)
    found = explain_cell(
        running.app,
        bounded(running.store),
        running.views,
        cls,
        subject.ids,
        column,
        at=asked.number("at"),
        since=asked.number("since"),
        last=LAST,
        language=asked.language,
    )
    head = running.head()
    values = {
        "context": context,
        "colour": asked.house.colour(context),
        "name": name,
        "key": " · ".join(key) or "—",
        "column": column,
        "told": _told(asked, context, found, ""),
        "position": found.position,
        "since": found.since,
        "exact": found.exact,
        "head": head,
        "behind": max(head - found.position, 0) if asked.number("at") is None else 0,
        "thing": asked.link(context, "things", name, *segments_of(key)),
        "here": asked.link(context, "explain", name, *key, column),
    }
    return Shown("explain.html", f"{found.title} · {name} {values['key']}", values, here="things")


def _told(asked: Asked, context: str, found: Explanation, sign: str) -> dict[str, Any]:
    """A cell and its parts, for a page."""
    language = asked.language
    return {
        "sign": sign,
        "title": found.title,
        "value": cell(found.value, language),
        "number": is_number(found.value),
        "formula": _formula(found),
        "code": found.formula and found.formula.text,
        "sum": found.formula is not None and found.formula.sum,
        "parts": [_told(asked, context, part.explanation, part.sign) for part in found.parts],
        "movements": [_movement(asked, context, each) for each in reversed(found.movements)],
        "moved": found.moved,
        "opening": cell(found.movements[0].before if found.movements else found.opening, language),
        "since": found.since,
        "exact": found.exact,
        "others_count": Doubt.OTHERS_COUNT in found.doubts,
        "no_sum": Doubt.FORMULA in found.doubts,
        "shown": cell(found.shown, language) if Doubt.SHOWN in found.doubts else None,
    }


def _formula(found: Explanation) -> list[tuple[str, str]]:
    """The formula in the words of its parts, where it is a sum: signs and titles."""
    if found.formula is None or not found.formula.sum:
        return []
    signs = {"+": "+", "-": "−"}
    told = [(signs.get(part.sign, ""), part.explanation.title) for part in found.parts]
    return [("" if told[0][0] == "+" else told[0][0], told[0][1]), *told[1:]]


def _movement(asked: Asked, context: str, movement: Movement) -> dict[str, Any]:
    language = asked.language
    return {
        "line": line_of(asked, Placed(context, movement.recorded.stored)),
        "before": cell(movement.before, language),
        "after": cell(movement.after, language),
        "delta": None if movement.delta is None else number(movement.delta, language, signed=True),
        "less": movement.delta is not None and movement.delta < 0,
    }

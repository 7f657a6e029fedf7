"""Things: the rows of views, and the life of one thing with a scrubber through it: its state at each event, and what that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from actum.console.answering import Moved, Shown
from actum.console.charts import Chart, Series
from actum.console.formats import cell, moment
from actum.console.lengthy import bounded, comes_later, meanwhile
from actum.console.telling import Line, line_of
from actum.console.troubles import trouble_of
from actum.decision.state import fold_of
from actum.history.as_of import position_at, state_at
from actum.history.explain import title_of
from actum.history.formula import cells_of, is_number
from actum.history.story import Placed
from actum.history.timeline import Step, Subject, timeline
from actum.journal.errors import ActumError, Invalid, Unknown
from actum.journal.event import Position
from actum.projection.view import View, plan_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actum.console.asked import Asked
    from actum.decision.state import State
    from actum.projection.table import Table
    from actum.service.running import Running

ROWS = 50
"""Rows of a view on a page."""

MANY = 10_000
"""Rows that a page counts."""

STEPS = 100
"""Events of a life on a page."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of a thing, as a page shows it. `before` is what it was before the event, where that changed it."""

    name: str
    title: str
    value: str
    number: bool
    explained: str
    before: str | None = None


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a life: its line, where a click leads, and what it changed."""

    line: Line
    href: str
    changes: tuple[tuple[str, str, str], ...]
    chosen: bool


def things(asked: Asked) -> Shown:
    """`/things`: the views and states of every context."""
    found = [
        {
            "context": name,
            "colour": asked.house.colour(name),
            "views": [(view, _count(running, cls), asked.link(name, "things", view)) for view, cls in _views(running)],
            "states": [
                (state, tuple(fold_of(cls).identity), asked.link(name, "things", state))
                for state, cls in running.app.states.items()
                if state not in running.app.views
            ],
        }
        for name, running in asked.house.contexts.items()
    ]
    return Shown("things.html", asked.words("Things"), {"contexts": found, "many": MANY}, here="things")


def _views(running: Running) -> list[tuple[str, type[View]]]:
    return list(running.app.views.items())


def _count(running: Running, view: type[View]) -> int | None:
    """How many rows it has, `MANY` and one where it has more; None where they cannot be read."""
    try:
        return running.view(view).count(most=MANY + 1)
    except ActumError:
        return None


def rows(asked: Asked) -> Shown | Moved:
    """`/{context}/things/{name}`: the rows of a view, page by page; or the way to one thing, by its key."""
    context, name = asked.names["context"], asked.names["name"]
    running = asked.house.running(context)
    cls = running.app.state_type(name)
    if asked.query.get("key"):
        return Moved(asked.link(context, "things", name, *asked.query["key"].split(" ")))
    values: dict[str, Any] = {
        "context": context,
        "colour": asked.house.colour(context),
        "name": name,
        "identity": tuple(fold_of(cls).identity),
        "columns": [],
        "rows": [],
        "next": None,
        "trouble": None,
    }
    if issubclass(cls, View) and running.app.views.get(name) is cls:
        values |= _rows(asked, running.view(cls), context)
    return Shown("rows_of_view.html", name, values, here="things")


ONLY = "-"
"""The key, in an address, of what has no identity: there is one of it."""


def segments_of(key: Iterable[object]) -> tuple[object, ...]:
    """A key as segments of an address."""
    return tuple(key) or (ONLY,)


def key_in(segments: Sequence[str]) -> tuple[str, ...]:
    """The key that such segments say."""
    return () if tuple(segments) == (ONLY,) else tuple(segments)


def _rows(asked: Asked, table: Table[Any], context: str) -> dict[str, Any]:
    cls: type[State] = table.view
    identity = tuple(fold_of(cls).identity)
    try:
        page = table.page(limit=ROWS, after=asked.query.get("after"))
    except ActumError as wrong:
        return {"trouble": trouble_of(wrong, asked.words)}
    columns = cells_of(cls)
    link = asked.link(context, "things", cls.__name__)
    return {
        "columns": [title_of(cls, name, asked.language) for name in columns],
        "rows": [
            (
                asked.link(context, "things", cls.__name__, *segments_of(getattr(row, name) for name in identity)),
                _fields(asked, context, row, tuple(getattr(row, name) for name in identity)),
            )
            for row in page.rows
        ],
        "next": page.next and f"{link}?after={page.next}",
    }


def _fields(asked: Asked, context: str, state: State, key: tuple[Any, ...], before: State | None = None) -> list[Field]:
    cls = type(state)
    found: list[Field] = []
    for name in cells_of(cls):
        value = getattr(state, name)
        was = value if before is None else getattr(before, name)
        found.append(
            Field(
                name=name,
                title=title_of(cls, name, asked.language),
                value=cell(value, asked.language),
                number=is_number(value),
                explained=""
                if name in fold_of(cls).identity
                else asked.link(context, "explain", cls.__name__, *key, name),
                before=None if was == value else cell(was, asked.language),
            )
        )
    return found


def thing(asked: Asked) -> Shown:
    """`/{context}/things/{name}/…`: one thing at one event of its life; `at` says which, the last one where it does not."""
    context, name = asked.names["context"], asked.names["name"]
    running = asked.house.running(context)
    cls = running.app.state_type(name)
    subject = Subject(cls, *fold_of(cls).parse(key_in(asked.rest)))
    if comes_later(asked, running, subject):
        return waiting(asked, running, subject)
    life = _Life(asked, running, subject)
    chosen = life.chosen
    state = chosen.after if chosen else subject.fold.new(subject.ids)
    link = asked.link(context, "things", name, *asked.rest)
    values = {
        "context": context,
        "colour": asked.house.colour(context),
        "name": name,
        "key": " · ".join(asked.rest) or "—",
        "here": link,
        "compare": asked.link(context, "compare", name, *asked.rest),
        "fields": _fields(asked, context, state, subject.ids, chosen.before if chosen else None),
        "stops": [_stop(asked, context, step, link, chosen) for step in life.steps],
        "places": [step.recorded.position for step in life.steps],
        "at": life.at,
        "head": running.head(),
        "index": life.index,
        "earlier": life.earlier,
        "later": life.later,
        "chart": _chart(asked, context, cls, life.steps),
        "is_view": issubclass(cls, View),
    }
    return Shown("thing.html", f"{name} {values['key']}", values, here="things")


def waiting(asked: Asked, running: Running, subject: Subject[Any], column: str | None = None) -> Shown:
    """The page of a thing of very many events, until they are read; of a view, with what its table shows meanwhile."""
    context, cls = asked.names["context"], subject.fold.cls
    key = " · ".join(map(str, subject.ids)) or "—"
    values = {"context": context, "colour": asked.house.colour(context), "name": cls.__name__, "key": key}
    fields = _fields_of_row(asked, running, subject)
    if column is not None:
        fields = [field for field in fields if field.name == column]
    return meanwhile(asked, f"{cls.__name__} {key}", {**values, "fields": fields})


def _fields_of_row(asked: Asked, running: Running, subject: Subject[Any]) -> list[Field]:
    cls = subject.fold.cls
    if running.app.views.get(cls.__name__) is not cls or asked.number("at") is not None:
        return []
    try:
        row = running.view(cls).get(*subject.ids)
    except ActumError:
        return []
    return [] if row is None else _fields(asked, asked.names["context"], row, subject.ids)


def _stop(asked: Asked, context: str, step: Step[Any], link: str, chosen: Step[Any] | None) -> Stop:
    changes = tuple(
        (change.field, cell(change.before, asked.language), cell(change.after, asked.language))
        for change in step.changes
    )
    return Stop(
        line=line_of(asked, Placed(context, step.recorded.stored)),
        href=f"{link}?at={step.recorded.position}",
        changes=changes,
        chosen=chosen is not None and step.recorded.position == chosen.recorded.position,
    )


class _Life:
    """The events of a thing around the one that is looked at: as many as a page shows, found by index."""

    def __init__(self, asked: Asked, running: Running, subject: Subject[Any]) -> None:
        self._running = running
        self._subject = subject
        self.at = position_at(running.store, asked.number("at"))
        before = self._positions(until=self.at, limit=STEPS, backwards=True)
        self.earlier = before[-1] if len(before) > STEPS - 1 else None
        behind = self._positions(after=self.at, limit=max(STEPS - len(before), STEPS // 2), backwards=False)
        self.later = behind[-1] if behind else None
        first = (before[-1] if before else self.at + 1) - 1
        last = behind[-1] if behind else self.at
        told = timeline(subject, store=bounded(running.store), codec=running.app.codec, after=first, until=last)
        self.steps = list(told)

    def _positions(
        self, *, after: Position = 0, until: Position | None = None, limit: int, backwards: bool
    ) -> list[Position]:
        fold, store = self._subject.fold, self._running.store
        query = fold.query(self._running.app.codec, fold.tags(self._subject.ids))
        return [each.position for each in store.read(query, after=after, until=until, limit=limit, backwards=backwards)]

    @property
    def index(self) -> int | None:
        """Which of the steps is looked at."""
        there = [number for number, step in enumerate(self.steps) if step.recorded.position <= self.at]
        return there[-1] if there else None

    @property
    def chosen(self) -> Step[Any] | None:
        """The step that is looked at."""
        return None if self.index is None else self.steps[self.index]


def _chart(asked: Asked, context: str, cls: type[State], steps: list[Step[Any]]) -> Chart | None:
    """The numbers of a thing over time, with its events as marks; None where it has none, or too little happened."""
    numbers = [name for name in cells_of(cls) if any(is_number(getattr(step.after, name)) for step in steps)]
    if len(steps) < 2 or not numbers:
        return None
    series = tuple(
        Series(title_of(cls, name, asked.language), tuple(float(getattr(step.after, name) or 0) for step in steps))
        for name in numbers[:4]
    )
    hrefs = tuple(asked.link(context, "events", step.recorded.position) for step in steps)
    rows = tuple(
        (
            (moment(step.recorded.recorded_at, asked.language), href),
            (step.recorded.type, ""),
            *((cell(getattr(step.after, name), asked.language), "") for name in numbers[:4]),
        )
        for step, href in zip(steps, hrefs, strict=True)
    )
    columns = (asked.words("time"), asked.words("event"), *(each.name for each in series))
    return Chart("steps", tuple(step.recorded.stored.recorded / 1e6 for step in steps), series, hrefs, columns, rows)


def compared(asked: Asked) -> Shown:
    """`/{context}/compare/{name}/…?from=&to=`: one thing at two moments, side by side."""
    context, name = asked.names["context"], asked.names["name"]
    running = asked.house.running(context)
    cls = running.app.state_type(name)
    fold = fold_of(cls)
    ids = fold.ids(fold.parse(key_in(asked.rest)))
    subject = Subject(cls, *ids)
    if comes_later(asked, running, subject):
        return waiting(asked, running, subject)
    moments = [position_at(running.store, asked.number(which), what=which) for which in ("from", "to")]
    if moments[0] > moments[1]:
        raise Invalid("from: expected a position before `to`")
    one, other = (
        state_at(bounded(running.store), running.app.codec, fold=fold, ids=ids, until=until) for until in moments
    )
    values = {
        "context": context,
        "colour": asked.house.colour(context),
        "name": name,
        "key": " · ".join(asked.rest) or "—",
        "from": moments[0],
        "to": moments[1],
        "fields": _fields(asked, context, other, ids, one),
        "thing": asked.link(context, "things", name, *asked.rest),
        "here": asked.link(context, "compare", name, *asked.rest),
    }
    return Shown("compared.html", f"{name} {values['key']}", values, here="things")


def checked_view(running: Running, name: str) -> type[View]:
    """The view of that name; `Unknown` for a state that is none."""
    found = running.app.view_type(name)
    if plan_of(found).name not in running.app.views:
        raise Unknown("view", name, tuple(sorted(running.app.views)))
    return found

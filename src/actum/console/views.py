"""Projections: how far each has come and how fast, and what can be done to its tables: rebuild, compare, switch, go back."""

from __future__ import annotations

import time
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from actum.console.answering import Answer, Answering, Moved, Shown
from actum.console.charts import lag
from actum.console.formats import cell
from actum.console.troubles import trouble_of
from actum.history.explain import title_of
from actum.journal.errors import ActumError, Busy, Invalid
from actum.journal.readmodel import Kept, Role
from actum.projection.view import View, plan_of

if TYPE_CHECKING:
    from actum.console.asked import Asked
    from actum.journal.readmodel import Value
    from actum.projection.difference import CellDifference, Difference, RowDifference
    from actum.projection.handling import Handles
    from actum.projection.status import FollowerStatus
    from actum.service.declared import Declared
    from actum.service.running import Running

SHOWN = 100
"""How many rows that differ are shown."""

LONGEST = 30.0
"""Seconds that it waits for it to begin, on a machine with much else to do."""

PATIENCE = 1.0
"""Seconds that the page of a rebuild waits for it to be done; a longer one goes on, and is shown as it does."""

ROLES = {Role.LIVE: "live", Role.CANDIDATE: "candidate", Role.KEPT: "kept", Role.TAKEN_BACK: "taken back"}


def views(asked: Asked) -> Shown:
    """`/views`: every follower of every context."""
    found = [_of_context(asked, name, running) for name, running in asked.house.contexts.items()]
    return Shown("views.html", asked.words("Projections"), {"contexts": found}, here="views")


def to_views(asked: Asked) -> Moved:
    """`/{context}/views`: to those of that context."""
    asked.house.running(asked.names["context"])
    return Moved(f"{asked.link('views')}#{asked.names['context']}")


def _of_context(asked: Asked, name: str, running: Running) -> dict[str, Any]:
    try:
        followers = [_follower(asked, name, each) for each in running.followers()]
        trouble = None
    except ActumError as wrong:
        followers, trouble = [], trouble_of(wrong, asked.words)
    stopped = running.views.progress.error
    if trouble is None and stopped is not None:
        trouble = trouble_of(stopped, asked.words)
    return {
        "context": name,
        "colour": asked.house.colour(name),
        "head": running.head(),
        "flow": asked.house.pulse.flow(name),
        "followers": followers,
        "trouble": trouble,
    }


def _follower(asked: Asked, context: str, status: FollowerStatus) -> dict[str, Any]:
    app = asked.house.app(context)
    projection = app.projections.get(status.name)
    has_page = status.name in app.views or (projection is not None and projection.begin is not None)
    return {
        "status": status,
        "flow": asked.house.pulse.flow(context, status.name),
        "href": asked.link(context, "views", status.name) if has_page else "",
        "changed": has_page and not _current(asked.house.running(context), Meant.named(app, status.name)),
    }


class Meant(NamedTuple):
    """A view, or a projection whose tables are its own: what its author wrote, its name, and the view's class."""

    kept: Handles
    name: str
    view: type[View] | None

    @classmethod
    def named(cls, app: Declared, name: str) -> Meant:
        """The one that is called so, or `Unknown`."""
        kept = app.kept(name)
        return cls(kept, kept.__name__, kept) if isinstance(kept, type) else cls(kept.cls, kept.name, None)


def _current(running: Running, meant: Meant) -> bool:
    """Whether readers see rows of the program's own definition."""
    if meant.view is not None:
        return running.view(meant.view).current
    return all(each.mine for each in running.versions(meant.kept) if each.role is Role.LIVE)


def view(asked: Asked) -> Shown:
    """`/{context}/views/{name}`: one view, its tables side by side, and what can be done."""
    return _shown(asked, None)


def _shown(asked: Asked, difference: Difference | None) -> Shown:
    context, name = asked.names["context"], asked.names["name"]
    running = asked.house.running(context)
    meant = Meant.named(running.app, name)
    versions = running.versions(meant.kept)
    status = next(each for each in running.followers() if each.name == meant.name)
    candidate = _stands(running, meant)
    kept = any(each.role is Role.KEPT for each in versions)
    values = {
        "context": context,
        "colour": asked.house.colour(context),
        "name": meant.name,
        "head": running.head(),
        "status": status,
        "flow": asked.house.pulse.flow(context, meant.name),
        "versions": [(ROLES[each.role], each) for each in versions],
        "current": _current(running, meant),
        "candidate": candidate,
        "mine": any(each.role is Role.CANDIDATE and each.mine for each in versions),
        "kept": kept,
        "pace": running.candidate(meant.kept).progress() if candidate else None,
        "difference": None if difference is None else _difference(asked, context, meant.view, difference),
        "chart": lag(asked, asked.house.pulse.beats(context), meant.name),
        "rows": "" if meant.view is None else asked.link(context, "things", meant.name),
        "do": {verb: asked.link(context, "views", meant.name, verb) for verb in VERBS},
    }
    return Shown("view.html", meant.name, values, here="views")


def _difference(asked: Asked, context: str, cls: type[View] | None, found: Difference) -> dict[str, Any]:
    return {
        "found": found,
        "rows": [
            {
                "key": " · ".join([*filter(None, [row.table]), *map(str, row.key)]),
                "what": row.what,
                "href": "" if cls is None else asked.link(context, "things", cls.__name__, *row.key),
                "cells": [_cell(asked, context, cls, each) for each in row.cells],
                "since": _since(asked, context, row),
            }
            for row in found.rows
        ],
    }


def _cell(asked: Asked, context: str, cls: type[View] | None, each: CellDifference) -> dict[str, Any]:
    since = each.since
    amount = cls is not None and plan_of(cls).shape.column(each.column).kept is Kept.AMOUNT
    return {
        "column": each.column if cls is None else title_of(cls, each.column, asked.language),
        "live": _kept(each.live, asked, amount=amount),
        "candidate": _kept(each.candidate, asked, amount=amount),
        "since": None if since is None else (since.type, asked.link(context, "events", since.position)),
    }


def _kept(value: Value, asked: Asked, *, amount: bool) -> str:
    """A value as a table keeps it: amounts are text there."""
    return cell(Decimal(value) if amount and isinstance(value, str) else value, asked.language)


def _since(asked: Asked, context: str, row: RowDifference) -> tuple[str, str] | None:
    return None if row.since is None else (row.since.type, asked.link(context, "events", row.since.position))


# What can be done.


def _meant(asked: Asked) -> tuple[Running, Meant]:
    running = asked.house.running(asked.names["context"])
    return running, Meant.named(running.app, asked.names["name"])


def _back(asked: Asked) -> Moved:
    return Moved(asked.link(asked.names["context"], "views", asked.names["name"]))


def rebuild(asked: Asked) -> Moved:
    """Build another table beside the live one."""
    running, meant = _meant(asked)
    begun = running.rebuild(meant.kept)
    deadline = time.monotonic() + LONGEST
    while not _stands(running, meant) and time.monotonic() < deadline:
        time.sleep(PATIENCE / 50)  # its thread has still to begin
    with suppress(Busy):
        begun.wait(timeout=PATIENCE)
    return _back(asked)


def _stands(running: Running, meant: Meant) -> bool:
    """Whether there is a candidate to look at."""
    return any(each.role is Role.CANDIDATE for each in running.versions(meant.kept))


def diff(asked: Asked) -> Shown:
    """Compare the candidate with the live table."""
    running, meant = _meant(asked)
    begun = running.candidate(meant.kept)
    found = begun.diff(old=_old(asked, meant), limit=SHOWN)
    asked.house.compared[asked.names["context"], meant.name] = found
    return _shown(asked, found)


def _old(asked: Asked, meant: Meant) -> type[View] | Declared | None:
    """The definition that made the live rows, where it is at hand: that of the older program whose table it is."""
    older = asked.house.older.get(asked.names["context"])
    running = asked.house.running(asked.names["context"])
    live = next(each for each in running.versions(meant.kept) if each.role is Role.LIVE)
    for view in () if older is None else older.views.values():
        if plan_of(view).shape.fingerprint.hex() == live.definition.fingerprint:
            return view
    before = None if older is None else older.projections.get(meant.name)
    made_it = before is not None and before.shape.fingerprint.hex() == live.definition.fingerprint
    return older if made_it else None


def switch(asked: Asked) -> Moved:
    """Have the candidate take the live table's place: what was compared, where something was."""
    running, meant = _meant(asked)
    diffed = asked.house.compared.pop((asked.names["context"], meant.name), None)
    said = asked.form.get("digest")
    if said and (diffed is None or diffed.candidate.digest != said):
        raise Invalid("something else was compared meanwhile; compare again, and then switch")
    running.candidate(meant.kept).switch(diffed if said else None, actor=_actor(asked), reason=_reason(asked))
    return _back(asked)


def rollback(asked: Asked) -> Moved:
    """Have the table that was live before take its place again."""
    running, meant = _meant(asked)
    running.rollback(meant.kept, behind=asked.form.get("behind") == "yes", actor=_actor(asked), reason=_reason(asked))
    return _back(asked)


def cancel(asked: Asked) -> Moved:
    """Give the candidate up."""
    running, meant = _meant(asked)
    running.cancel_rebuild(meant.kept, actor=_actor(asked), reason=_reason(asked))
    return _back(asked)


VERBS: dict[str, Answering] = {
    "rebuild": rebuild,
    "diff": diff,
    "switch": switch,
    "rollback": rollback,
    "cancel": cancel,
}


def act(asked: Asked) -> Answer:
    """`POST /{context}/views/{name}/{verb}`."""
    verb = VERBS.get(asked.names["verb"])
    if verb is None:
        raise Invalid(f"expected one of {', '.join(VERBS)}, found {asked.names['verb']!r:.40}")
    return verb(asked)


def _actor(asked: Asked) -> str:
    """In whose name it goes on record: who is logged in, or the console."""
    return asked.actor or "console"


def _reason(asked: Asked) -> str | None:
    return asked.form.get("reason", "").strip() or None

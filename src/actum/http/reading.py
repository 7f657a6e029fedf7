"""Answers out: queries, rows of views, states; now or as of a moment, and not again to whoever has them already."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from actum.decision.state import fold_of, source
from actum.history.as_of import position_at, state_at
from actum.http.answers import Stated
from actum.http.call import answer, etag_of, unchanged
from actum.http.parameters import asked_of, identity_in, question_in, timing_in
from actum.http.problem import Problem
from actum.journal.event import Position
from actum.journal.fields import fields_of
from actum.journal.message import to_json
from actum.projection.answer import Answers
from actum.projection.view import View, plan_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response

    from actum.history.as_of import Moment
    from actum.http.call import Call
    from actum.http.parameters import Timing
    from actum.service.running import Running


class Shown(msgspec.Struct, frozen=True):
    """Something read, and the position that it shows."""

    position: Position
    body: bytes | None


async def query(call: Call) -> Response:
    """`GET /queries/{name}`: the answer to a question."""
    served, running = call.served, call.served.running.running
    cls = served.app.query_type(call.names["name"])
    parameters = call.parameters()
    timing = timing_in(parameters, fields=list(fields_of(cls)), longest=served.limits.wait)
    question = question_in(parameters, cls)
    asked = served.app.answer(cls)

    def ask() -> bytes:
        served.affordable(timing.at)
        return to_json(running.ask(question, at=timing.at))

    return await _show(call, timing, tuple(asked.tables.values()), ask, mark=_code_of(asked.function))


async def rows(call: Call) -> Response:
    """`GET /views/{name}`: rows of a view, filtered, sorted and page by page."""
    served, running = call.served, call.served.running.running
    view = served.app.view_type(call.names["name"])
    parameters = call.parameters()
    timing = timing_in(parameters, fields=(), longest=served.limits.wait)
    asked = asked_of(parameters, view, rows=served.limits.rows)

    def page() -> bytes:
        served.affordable(timing.at)
        return to_json(asked.page(running.view(view, at=timing.at)))

    return await _show(call, timing, (view,), page)


async def row(call: Call) -> Response:
    """`GET /views/{name}/{key}`: one row of a view. As of a moment, it is folded from its own events alone."""
    served, running = call.served, call.served.running.running
    view = served.app.view_type(call.names["name"])
    parameters = call.parameters()
    timing = timing_in(parameters, fields=(), longest=served.limits.wait)
    parameters.finish(("at", "wait_for", "timeout"))
    ids = identity_in(call.segments(2), plan_of(view).fold)

    def get() -> bytes:
        found = running.view(view).get(*ids) if timing.at is None else running.state(view, *ids, at=timing.at)
        if found is None:
            raise Problem("not-found", f"{view.__name__} has no row {', '.join(map(str, ids))}")
        return to_json(found)

    return await _show(call, timing, (view,), get)


async def state(call: Call) -> Response:
    """`GET /states/{name}/{id}`: one thing as rules see it, now or as of a position or a time of recording."""
    served, running = call.served, call.served.running.running
    cls = served.app.state_type(call.names["name"])
    parameters = call.parameters()
    at = parameters.moment("at")
    parameters.finish(("at",))
    fold = fold_of(cls)
    ids = identity_in(call.segments(2), fold)

    def look() -> Shown:
        served.there(at, "at")
        until = position_at(running.store, at)
        if call.matches(etag_of(cls.__name__, fold.fingerprint, until)):
            return Shown(until, None)
        found: Any = state_at(running.store, served.app.codec, fold=fold, ids=ids, until=until)
        return Shown(until, to_json(found))

    shown = await served.read(look)
    etag = etag_of(cls.__name__, fold.fingerprint, shown.position)
    if shown.body is None:
        return unchanged(etag, shown.position)
    return answer(Stated(shown.position, msgspec.Raw(shown.body)), position=shown.position, headers={"etag": etag})


async def _show(
    call: Call, timing: Timing, views: tuple[type[View], ...], read: Callable[[], bytes], mark: str = ""
) -> Response:
    """What is read from views: with the position they show as its version, and not again to whoever has that one."""
    served, running = call.served, call.served.running.running
    await served.wait_for(timing.wait_for, timing.timeout)
    prints = [plan_of(view).shape.fingerprint for view in views]
    tables = running.views.tables(*views) if timing.at is None else ()
    version = (served.app.producer, mark, *prints, *tables)

    def look() -> Shown:
        served.there(timing.at, "at")
        # The position is read before the rows: they may be newer than it says, never older.
        position = _position(running, timing.at, views)
        return Shown(position, None if call.matches(etag_of(*version, position)) else read())

    shown = await served.read(look)
    etag = etag_of(*version, shown.position)
    if shown.body is None:
        return unchanged(etag, shown.position)
    return answer(shown.body, position=shown.position, headers={"etag": etag})


@cache
def _code_of(function: Answers) -> str:
    code: str = source().code_of(function)
    return code


def _position(running: Running, at: Moment | None, views: tuple[type[View], ...]) -> Position:
    return running.views.shown(*views) if at is None else position_at(running.store, at)

"""How the service is: alive, ready, its counters, and what it offers."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.responses import Response

from actum.http.answers import Health, Readiness
from actum.http.call import answer
from actum.http.metrics import CONTENT_TYPE
from actum.http.openapi import describe
from actum.http.policy import METRICS
from actum.http.sessions import SESSION, named
from actum.journal.errors import ActumError, Denied

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.http.call import Call
    from actum.http.served import Served
    from actum.service.running import Running


async def health(_: Call) -> Response:
    """`GET /health`: the process answers. Says nothing of the journal: restarting would not mend that."""
    return answer(Health("ok"))


async def ready(call: Call) -> Response:
    """`GET /ready`: whether to send requests here: the journal is reachable, the views go on, no stop is near."""
    found = await _how_it_is(call.served)
    return answer(found if _may_know(call) else _outside(found), status=200 if found.ready else 503)


async def _how_it_is(served: Served) -> Readiness:
    found = await served.read(_readiness, served.running.running)
    if served.draining:
        return Readiness(False, found.head, found.views, found.lag, "about to stop")
    if found.ready and served.feed.trouble is not None:
        return Readiness(False, found.head, found.views, found.lag, f"the feed waits: {served.feed.trouble}")
    return found


def _may_know(call: Call) -> bool:
    """Whether whoever asks may know more than whether to ask again. Who has nothing good to show is nobody, here."""
    guard = call.served.guard
    if guard is None:
        return True
    with suppress(Denied):
        guard.admit(call, METRICS)
        return True
    return False


def _outside(found: Readiness) -> Readiness:
    """What everybody may know: what stands behind the colon names data and files."""
    return Readiness(found.ready, None, None, None, found.trouble and found.trouble.partition(":")[0])


def _readiness(running: Running) -> Readiness:
    try:
        head = running.head()
    except ActumError as wrong:
        return Readiness(False, None, None, None, f"the journal cannot be read: {wrong}")
    if not running.app.views or not running.views.there:
        return Readiness(True, head, None, None, None)
    progress = running.views.progress
    try:
        views = running.views.shown(*running.app.views.values())
    except ActumError as wrong:
        return Readiness(False, head, None, None, f"the views cannot be read: {wrong}")
    trouble = None if progress.error is None else f"the views have stopped: {progress.error}"
    return Readiness(trouble is None, head, views, max(head - views, 0), trouble)


async def metrics(call: Call) -> Response:
    """`GET /metrics`: counters, durations and gauges, as OpenMetrics text."""
    served = call.served
    found = await _how_it_is(served)
    return Response(served.metrics.text(_gauges(served, found)), media_type=CONTENT_TYPE)


def _gauges(served: Served, found: Readiness) -> Iterator[tuple[str, str, float]]:
    yield "actum_ready", "1 where requests may be sent here.", int(found.ready)
    yield "actum_commands_in_flight", "Commands under way.", served.commands.inside
    yield "actum_reads_in_flight", "Reads under way.", served.reads.inside
    yield "actum_feeds_open", "Event feeds and live queries that are open.", served.feeds.inside
    if found.head is not None:
        yield "actum_journal_head", "The position of the newest event.", found.head
    if found.views is not None and found.lag is not None:
        yield "actum_views_position", "Up to where every view shows the journal.", found.views
        yield "actum_views_lag", "How many events the views are behind.", found.lag


async def openapi(call: Call) -> Response:
    """`GET /openapi.json`: what can be asked here, as OpenAPI 3.1."""
    guard, root = call.served.guard, call.root
    session = None if guard is None else named(SESSION, secure=guard.secure(call), path=root)
    return answer(describe(call.served.app, session=session, root=root))

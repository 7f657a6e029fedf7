"""Live: events as they come, and answers as they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actum.http.choice import FILTERS, choice_in
from actum.http.parameters import question_in
from actum.http.said import LAST_EVENT_ID
from actum.http.streams import Stream
from actum.journal.errors import Invalid
from actum.journal.event import LAST_POSITION

if TYPE_CHECKING:
    from starlette.responses import Response

    from actum.http.call import Call
    from actum.http.parameters import Parameters
    from actum.journal.event import Position


async def feed(call: Call) -> Response:
    """`GET /feed`: the events that are asked for, behind a position, and then those that come."""
    served, parameters = call.served, call.parameters()
    choice = choice_in(parameters)
    named = _resumed(call, parameters)
    parameters.finish((*FILTERS, "after"))
    after = await served.running.head() if named is None else named
    await served.read(served.there, after, "after")
    return Stream(
        served.feed.follow(choice, after=after, heartbeats=served.limits.heartbeat), served.feeds, still=call.still
    )


def _resumed(call: Call, parameters: Parameters) -> Position | None:
    """Behind which position to begin: where the listener lost us, or where it says; None for what comes from now on."""
    after = parameters.position("after")
    last = call.headers.get(LAST_EVENT_ID)
    if last is None or not last.strip():
        return after
    if not (last.isascii() and last.isdigit() and len(last) < 20 and int(last) <= LAST_POSITION):
        raise Invalid(f"{LAST_EVENT_ID}: expected the position of an event, found {last!r:.80}")
    return int(last)


async def live(call: Call) -> Response:
    """`GET /live/{name}`: the answer to a query, and again whenever it changes."""
    served = call.served
    cls = served.app.query_type(call.names["name"])
    question = question_in(call.parameters(), cls, controls=())
    await served.read(served.running.running.ask, question)
    return Stream(served.live.answers(question), served.feeds, still=call.still)

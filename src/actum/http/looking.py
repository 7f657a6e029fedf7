"""The journal itself: events by type, tag, actor, story and time, page by page; and one event in its full envelope."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from actum.history.as_of import Moment, position_at
from actum.history.finding import event_at, event_with_id
from actum.http.answers import Events, Recording, recording_of
from actum.http.call import answer, etag_of, unchanged
from actum.http.choice import FILTERS, Choice, choice_in
from actum.http.said import uuid_in
from actum.journal.errors import Invalid
from actum.journal.event import LAST_POSITION, Position

if TYPE_CHECKING:
    from starlette.responses import Response

    from actum.http.call import Call
    from actum.http.parameters import Parameters
    from actum.journal.event import SequencedEvent
    from actum.service.running import Running

MOST_LOOKED_AT = 10_000
"""How many events one page looks at to find those of an actor or a story; the next page goes on behind them."""


PAGE = 500
"""How many events a page has where nobody says how many they want, and the door gives as many."""


class Span(msgspec.Struct, frozen=True):
    """Which stretch of the journal somebody wants, how many events of it, and whether the newest first."""

    after: Position
    until: Moment | None
    since: datetime | None
    limit: int
    newest: bool


def span_in(parameters: Parameters, *, rows: int) -> Span:
    """What the parameters say of that."""
    since = parameters.moment("since")
    if isinstance(since, int):
        raise Invalid("since: expected a time; behind a position is `after`", where=".since")
    return Span(
        after=parameters.position("after") or 0,
        until=parameters.moment("until"),
        since=since,
        limit=parameters.number("limit", least=1, most=rows) or min(PAGE, rows),
        newest=parameters.yes("newest"),
    )


def page_of(running: Running, choice: Choice, span: Span) -> Events:
    """The events of one page."""
    store, codec = running.store, running.app.codec
    head = store.head()
    until = min(head, span.until) if isinstance(span.until, int) else position_at(store, span.until)
    after = max(span.after, _before(running, span.since))
    most = span.limit if choice.by_index else MOST_LOOKED_AT
    found: list[Recording] = []
    place: Position | None = None
    looked = 0
    for event in store.read(choice.query, after=after, until=until, limit=most + 1, backwards=span.newest):
        if len(found) == span.limit or looked == most:
            return Events(tuple(found), place)
        looked, place = looked + 1, event.position - 1 if span.newest else event.position
        if choice.wants(event):
            found.append(recording_of(event, codec))
    return Events(tuple(found), None)


def _before(running: Running, since: datetime | None) -> Position:
    """The last position before that time: whatever was recorded at the very time is wanted."""
    try:
        return 0 if since is None else position_at(running.store, since - since.resolution)
    except OverflowError:
        return 0  # the first moment there is


async def events(call: Call) -> Response:
    """`GET /events`: the events that are asked for, oldest first or newest first."""
    parameters = call.parameters()
    choice, span = choice_in(parameters), span_in(parameters, rows=call.served.limits.rows)
    parameters.finish((*FILTERS, "after", "until", "since", "limit", "newest"))
    running = call.served.running.running
    head = await call.served.read(running.head)
    etag = etag_of(running.app.producer, head)
    if call.matches(etag):
        return unchanged(etag, head)
    await call.served.read(call.served.there, span.after, "after")
    return answer(await call.served.read(page_of, running, choice, span), position=head, headers={"etag": etag})


async def event(call: Call) -> Response:
    """`GET /events/{which}`: one event, by its position or its id."""
    running = call.served.running.running
    which: str = call.names["which"]
    found = await call.served.read(_find, running, which)
    etag = etag_of(running.app.producer, found.leaf.hex()[:16])
    if call.matches(etag):
        return unchanged(etag, found.position)
    return answer(recording_of(found, running.app.codec), position=found.position, headers={"etag": etag})


def _find(running: Running, which: str) -> SequencedEvent:
    if which.isascii() and which.isdigit() and len(which) < 20 and int(which) <= LAST_POSITION:
        return event_at(running.store, int(which))
    id = uuid_in(which)
    if id is None:
        raise Invalid(f"expected the position of an event or its id, a UUID, found {which!r:.80}")
    return event_with_id(running.store, id)

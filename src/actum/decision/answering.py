"""What a command is answered with: the events of its rule, a refusal, or once more what it was answered the first time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from actum.decision.outcome import CommandRefused, Decided, NothingChanged
from actum.journal.clock import uuid_of
from actum.journal.errors import Misdeclared, Refused, Reused
from actum.journal.event import Event
from actum.journal.query import Query

if TYPE_CHECKING:
    from actum.decision.handler import Answer, Handler
    from actum.decision.order import Order
    from actum.journal.codec import Codec
    from actum.journal.store import DecisionRecord, EventStore


def events_of(handler: Handler, answer: Answer) -> tuple[Event, ...]:
    """The events that a rule answered, none where it answered None. `Misdeclared` for anything that it does not declare."""
    if answer is None:
        return ()
    events = (answer,) if isinstance(answer, Event) or not isinstance(answer, Iterable) else tuple(answer)
    for event in events:
        if type(event) not in handler.produces and not (handler.produces_any and isinstance(event, Event)):
            raise Misdeclared(
                f"{handler.name} answered {event!r:.80}; expected {' or '.join(cls.__name__ for cls in handler.produces)}, "
                "as its signature says, or None where there is nothing to do; declare what else it answers"
            )
    return events


def nothing(order: Order) -> NothingChanged:
    """On record: there was nothing to do."""
    return NothingChanged(command=str(order.command.__kind__), said=msgspec.Raw(order.content))


def refusal(order: Order, refused: Refused) -> CommandRefused:
    """On record: what was asked for, and why not."""
    facts = {name: str(value) for name, value in refused.facts.items()}
    said = msgspec.Raw(order.content)
    return CommandRefused(command=str(order.command.__kind__), reason=refused.reason, facts=facts, said=said)


def first_answer(store: EventStore, codec: Codec, order: Order, record: DecisionRecord) -> Decided:
    """What a command that was decided before was answered then. Raises its `Refused`, or `Reused` for another's id."""
    if record.digest != order.digest:
        raise Reused(
            f"the command id {uuid_of(order.id)} already stands for another command, decided at position "
            f"{record.first}; give this {order.command.__kind__.type} an id of its own"
        )
    stored = list(store.read(Query.all(), after=record.first - 1, until=record.last))
    events = tuple(event for one in stored for event in codec.decode(one))
    for event in events:
        if isinstance(event, CommandRefused):
            raise event.error(record.first)
    return Decided(
        events=tuple(event for event in events if not isinstance(event, NothingChanged)),
        position=record.last,
        recorded=stored[-1].recorded,
        command=order.id,
        repeated=True,
    )

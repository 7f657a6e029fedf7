"""A story: everything that one click led to, across contexts, refusals included, as a tree of who caused what.

An *act* is one decision (or one fact that nobody decided) with all its events. Its parent is the act that holds the event, or
is the command, which its metadata names as the cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

import msgspec

from actum.decision.outcome import CommandRefused, NothingChanged
from actum.history.searching import MOST
from actum.journal.clock import Microseconds
from actum.journal.event import SequencedEvent
from actum.journal.metadata import Metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from actum.history.searching import Search

Searches: TypeAlias = "Mapping[str, Search]"
"""What is searched, by the names of the contexts."""

DEEPEST = 100
"""How many causes above an event are told at the most."""

REFUSED = CommandRefused.__kind__.type
UNCHANGED = NothingChanged.__kind__.type


class Placed(msgspec.Struct, frozen=True):
    """An event, and the context in whose journal it stands."""

    context: str
    event: SequencedEvent


class Act(msgspec.Struct, frozen=True):
    """One decision with its events, or one fact. `id` and `did` say which command, where there is one; `cause` what caused it."""

    context: str
    id: UUID | None
    did: str | None
    metadata: Metadata | None
    cause: UUID | None
    events: tuple[SequencedEvent, ...]

    @property
    def refused(self) -> bool:
        """Whether a rule said no."""
        return any(event.type == REFUSED for event in self.events)

    @property
    def recorded(self) -> Microseconds:
        """When it was taken down."""
        return self.events[0].recorded


class Branch(msgspec.Struct, frozen=True):
    """An act, and what it led to."""

    act: Act
    led_to: tuple[Branch, ...] = ()

    def all(self) -> Iterator[Act]:
        """The act, and everything below it."""
        yield self.act
        for each in self.led_to:
            yield from each.all()


class Story(msgspec.Struct, frozen=True):
    """A story by its id. `more`: it is longer than what is told here."""

    id: UUID
    roots: tuple[Branch, ...]
    more: bool

    @property
    def acts(self) -> tuple[Act, ...]:
        """All acts, in order of time."""
        return tuple(sorted(chain.from_iterable(root.all() for root in self.roots), key=lambda act: act.recorded))


def story(searches: Searches, id: UUID, *, limit: int = MOST) -> Story:
    """What happened in that story, as far as it can be searched yet; `limit` events of each context at the most."""
    pages = {name: search.story(id, limit=limit) for name, search in searches.items()}
    acts = acts_of(Placed(name, event) for name, page in pages.items() for event in page.events)
    return Story(id, _tree(acts), any(page.next is not None for page in pages.values()))


def acts_of(placed: Iterable[Placed]) -> list[Act]:
    """The acts that these events belong to, in order of time."""
    grouped: dict[tuple[str, UUID], list[SequencedEvent]] = {}
    for each in placed:
        metadata = each.event.said
        command = None if metadata is None else metadata.command_id
        grouped.setdefault((each.context, command or each.event.uuid), []).append(each.event)
    found = [_act(context, events) for (context, _), events in grouped.items()]
    return sorted(found, key=lambda act: act.recorded)


def _act(context: str, events: list[SequencedEvent]) -> Act:
    metadata = events[0].said
    if metadata is None:
        return Act(context, None, None, None, None, tuple(events))
    return Act(context, metadata.command_id, metadata.command_type, metadata, metadata.causation, tuple(events))


def _tree(acts: list[Act]) -> tuple[Branch, ...]:
    home = {event.uuid: number for number, act in enumerate(acts) for event in act.events}
    home |= {act.id: number for number, act in enumerate(acts) if act.id is not None}
    below: dict[int | None, list[int]] = {}
    for number, act in enumerate(acts):
        parent = None if act.cause is None else home.get(act.cause)
        # A cause is never later than what it caused; clocks of two machines may say otherwise, and a loop would be endless.
        below.setdefault(parent if parent is not None and parent < number else None, []).append(number)

    def branch(number: int) -> Branch:
        return Branch(acts[number], tuple(branch(each) for each in below.get(number, ())))

    return tuple(branch(number) for number in below.get(None, ()))


def causes(searches: Searches, placed: Placed) -> list[Act]:
    """What led to an event, the nearest cause first: each act that holds the event by which the one before it was caused."""
    found: list[Act] = []
    metadata = placed.event.said
    cause = None if metadata is None else metadata.causation
    while cause is not None and len(found) < DEEPEST:
        above = _holding(searches, cause)
        if above is None:
            break
        found.append(above)
        cause = above.cause
    return found


def effects(searches: Searches, placed: Placed, *, limit: int = 100) -> list[Act]:
    """What an event led to directly, in whatever context, in order of time."""
    pages = ((name, search.effects(placed.event.uuid, limit=limit)) for name, search in searches.items())
    return acts_of(Placed(name, event) for name, page in pages for event in page.events)


def _holding(searches: Searches, id: UUID) -> Act | None:
    """The act that holds the event of that id, with this event alone."""
    for name, search in searches.items():
        event = search.with_id(id)
        if event is not None:
            return _act(name, [event])
    return None

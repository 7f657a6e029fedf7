"""Which events a verb shows: by type, tag, actor, position and time. The same words for `tail` and `events list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from actum.cli.options import TIME
from actum.history.as_of import position_at
from actum.journal.query import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from actum.journal.event import Position, SequencedEvent
    from actum.journal.store import EventStore, JournalStore

FunctionT = TypeVar("FunctionT", bound="Callable[..., Any]")


class Selected(msgspec.Struct, frozen=True):
    """The events somebody asked for."""

    query: Query
    actors: frozenset[str]
    after: Position
    since: datetime | None

    def start(self, store: EventStore) -> Position:
        """Behind which position to begin."""
        if self.since is None:
            return self.after
        # A moment earlier: whatever was recorded at the very time is wanted.
        return max(self.after, position_at(store, self.since - self.since.resolution))

    def wants(self, event: SequencedEvent) -> bool:
        """Whether the event, which the query matches, is by one of the actors."""
        if not self.actors:
            return True
        metadata = event.said
        return metadata is not None and metadata.actor in self.actors

    def last(self, store: EventStore, count: int) -> list[SequencedEvent]:
        """The newest of them, oldest first."""
        found: list[SequencedEvent] = []
        for event in store.read(self.query, after=self.start(store), backwards=True):
            if len(found) >= count:
                break
            if self.wants(event):
                found.append(event)
        return found[::-1]

    def all(self, store: EventStore) -> Iterator[SequencedEvent]:
        """All of them that there are now."""
        head = store.head()
        return (event for event in store.read(self.query, after=self.start(store), until=head) if self.wants(event))

    def missing(self, store: JournalStore) -> str:
        """What to say where there is none of them: most often a word is spelt otherwise."""
        head, known = store.head(), sorted({kind.type for kind in store.kinds()})
        strange = sorted({type for item in self.query.items for type in item.types}.difference(known))
        if self.after > head:
            return f"nothing was found: the journal ends at position {head}"
        if strange:
            return f"nothing was found: no event is of the type {', '.join(strange)}; there are {', '.join(known) or 'none'}"
        return "nothing was found"


def selecting(verb: FunctionT) -> FunctionT:
    """The options by which events are chosen; `selected_from` makes something of them."""
    for option in (
        click.option(
            "--since", type=TIME, metavar="TIME", help="From a time on: 2026-01-31T12:00Z, or 10m ago as 10m."
        ),
        click.option("--after", type=click.IntRange(min=0), default=0, metavar="POSITION", help="Behind a position."),
        click.option(
            "--actor", "actors", multiple=True, metavar="NAME", help="Only what this one did; may be repeated."
        ),
        click.option(
            "--tag", "tags", multiple=True, metavar="TAG", help="Only with this tag; repeated, with all of them."
        ),
        click.option(
            "--type", "types", multiple=True, metavar="TYPE", help="Only of this type; repeated, of any of them."
        ),
    ):
        verb = option(verb)
    return verb


def selected_from(
    *,
    types: tuple[str, ...],
    tags: tuple[str, ...],
    actors: tuple[str, ...],
    after: int,
    since: datetime | None,
) -> Selected:
    """What the options ask for. `Invalid` for what no event can have."""
    query = Query.of(types=types, tags=tags) if types or tags else Query.all()
    return Selected(query, frozenset(actors), after, since)

"""Search: an index that follows the journal, and what is found by it: events by id, by story, by cause, by words, by time.

The index says where to look; every event is then read from the journal, and shown only if it is what was asked for.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec

from actum.history.as_of import position_at
from actum.history.question import entry_of
from actum.journal.clock import to_microseconds
from actum.journal.errors import Invalid
from actum.journal.event import Position, SequencedEvent
from actum.journal.readmodel import Mark
from actum.journal.search import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from uuid import UUID

    from actum.history.question import Question
    from actum.journal.search import SearchIndex, Wanted
    from actum.journal.store import EventStore

PAGE = 2000
"""How many events are taken in at once."""

MOST = 1000
"""How many events one page shows at the most."""


class Found(msgspec.Struct, frozen=True):
    """A page of events, the newest first unless asked otherwise; where to go on, None where there is nothing more."""

    events: tuple[SequencedEvent, ...]
    next: Position | None


class Search:
    """What is found in one journal by its index. `step` takes in what is new; whoever searches sees what was taken in."""

    def __init__(self, store: EventStore, index: SearchIndex) -> None:
        self.store = store
        self.index = index
        self._checked = False

    @property
    def position(self) -> Position:
        """Up to where the journal can be searched."""
        return self.index.mark().position

    def step(self) -> bool:
        """Take in a page of events; whether there may be more. Safe in several processes at once."""
        seen = self.index.mark()
        if not self._checked and not self._is_of_this(seen):
            self.index.clear()
            return True
        self._checked = True
        events = list(self.store.read(after=seen.position, limit=PAGE))
        if not events:
            return False
        reached = Mark(events[-1].position, events[-1].id)
        self.index.add([entry_of(event) for event in events], seen=seen, reached=reached)
        return len(events) == PAGE

    def _is_of_this(self, seen: Mark) -> bool:
        """Whether the event that was taken in last is still there: an older copy of the journal may have been put back."""
        return seen.position == 0 or any(event.id == seen.event for event in self._at([seen.position]))

    def catch_up(self, progress: Callable[[int, int], None] | None = None) -> Position:
        """Take in everything there is."""
        while self.step():
            if progress is not None:
                progress(self.position, self.store.head())
        return self.position

    # Finding.

    def with_id(self, id: UUID) -> SequencedEvent | None:
        """The event of that id; None where none was taken in."""
        return next((event for event in self._at(self.index.with_id(id.bytes)) if event.id == id.bytes), None)

    def story(self, id: UUID, *, after: Position = 0, limit: int = MOST) -> Found:
        """Everything that happened in a story, the first thing first, refusals included."""
        span = self._span(after, None, limit, newest=False)
        return self._page(self.index.of_story(id.bytes, span), span, lambda event: _correlation(event) == id)

    def effects(self, id: UUID, *, after: Position = 0, limit: int = MOST) -> Found:
        """What names that event or command as its cause, beyond what the command itself led to; the first thing first."""
        span = self._span(after, None, limit, newest=False)
        return self._page(self.index.caused_by(id.bytes, span), span, lambda event: _causation(event) == id)

    def find(self, question: Question, *, before: Position | None = None, limit: int = 50) -> Found:
        """The events that answer the question, the newest first; `before` is where an earlier page said to go on."""
        since = 0 if question.since is None else position_at(self.store, question.since)
        until = None if question.until is None else position_at(self.store, question.until)
        if before is not None:
            until = before - 1 if until is None else min(until, before - 1)
        span = self._span(since, until, limit, newest=True)
        if question.id is not None:
            one = self.with_id(question.id)
            there = one is not None and span.after < one.position <= span.until and _has(one, question.wanted)
            return Found((one,), None) if there and one is not None else self._of_story(question, span, question.id)
        if question.story is not None:
            return self._of_story(question, span, question.story)
        if question.everything:
            return self._all(span)
        return self._page(self.index.find(question.wanted, span), span, lambda event: _has(event, question.wanted))

    def _of_story(self, question: Question, span: Span, story: UUID) -> Found:
        positions = self.index.of_story(story.bytes, span)
        return self._page(positions, span, lambda event: _correlation(event) == story and _has(event, question.wanted))

    def _all(self, span: Span) -> Found:
        events = self.store.read(after=span.after, until=span.until, limit=span.limit, backwards=True)
        return _cut(list(events), span)

    def _span(self, after: Position, until: Position | None, limit: int, *, newest: bool) -> Span:
        if type(limit) is not int or not 1 <= limit <= MOST:
            raise Invalid(f"limit: expected 1 to {MOST:,} events, found {limit!r}")
        return Span(after, self.store.head() if until is None else max(until, 0), limit + 1, newest)

    def _page(self, positions: list[Position], span: Span, wants: Callable[[SequencedEvent], bool]) -> Found:
        found = _cut(list(self._at(positions)), span)
        return Found(tuple(event for event in found.events if wants(event)), found.next)

    def _at(self, positions: Iterable[Position]) -> Iterable[SequencedEvent]:
        for position in positions:
            yield from self.store.read(after=position - 1, until=position, limit=1)

    # Over time.

    def counts(self, moments: list[datetime]) -> list[int]:
        """How many events were recorded between each moment and the next, to ten seconds."""
        places = self.index.last_until([to_microseconds(moment) for moment in moments])
        return [later - earlier for earlier, later in itertools.pairwise(places)]


def _cut(events: list[SequencedEvent], span: Span) -> Found:
    """A page, and where the next one begins: the limit of a span is one more than a page has."""
    shown = tuple(events[: span.limit - 1])
    return Found(shown, shown[-1].position if len(events) == span.limit else None)


def _has(event: SequencedEvent, wanted: Wanted) -> bool:
    """Whether the event has the marks: those of an index may stand for others, too."""
    if not wanted.marks:
        return True
    marks = set(entry_of(event).marks)
    return all(not marks.isdisjoint(choices) for choices in wanted.marks)


def _correlation(event: SequencedEvent) -> UUID | None:
    metadata = event.said
    return None if metadata is None else metadata.correlation_id


def _causation(event: SequencedEvent) -> UUID | None:
    metadata = event.said
    return None if metadata is None else metadata.causation

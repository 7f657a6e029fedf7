"""Any journal beside the simplest one: random batches and questions, the same answers. Hypothesis finds the difference."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from actum.journal.event import EventData, data_of
from actum.journal.query import AppendCondition, Query, QueryItem
from actum.journal.store import Append, Appended, Collided, DecisionKey, DecisionRecord, Repeated, leaf_of
from actum.testing.contract.case import Opener, StoreCase

if TYPE_CHECKING:
    from collections.abc import Callable

    from actum.journal.event import Position
    from actum.journal.store import Outcome

Fate: TypeAlias = tuple[int, int] | DecisionRecord | frozenset[int]
"""What must become of an append: written from there to there, decided before, or a collision with one of these positions
(0: with a fallen one of its batch)."""

TYPES = ("Opened", "Moved", "Closed")
TAGS = ("a:1", "a:2", "b:1", "b:%", "b:'", "a:1 b:1")


class PlainJournal:
    """The rules of the port, written down as plainly as they can be: a list, searched from end to end."""

    def __init__(self) -> None:
        self.events: list[EventData] = []
        self.decisions: dict[bytes, DecisionRecord] = {}

    def append(self, batch: tuple[Append, ...]) -> list[Fate]:
        """What must become of each append of the batch."""
        head, fallen, fates = len(self.events), list[EventData](), list[Fate]()
        for append in batch:
            fate = self._known(append) or self._collisions(append, head, fallen) or self._write(append, head)
            if not isinstance(fate, tuple):
                fallen.extend(append.events)
            fates.append(fate)
        return fates

    def matches(self, query: Query, after: Position = 0, until: Position | None = None) -> list[Position]:
        """Where the events stand that the query asks for."""
        end = len(self.events) if until is None else until
        return [
            position
            for position, event in enumerate(self.events, 1)
            if after < position <= end and _asked(query, event)
        ]

    def _known(self, append: Append) -> DecisionRecord | None:
        return self.decisions.get(append.decision.command) if append.decision else None

    def _collisions(self, append: Append, head: Position, fallen: list[EventData]) -> frozenset[Position]:
        if append.condition is None:
            return frozenset()
        query, after = append.condition.fail_if_events_match, append.condition.after
        if not append.sequel:
            return frozenset(self.matches(query, after))
        missing = [0] if any(_asked(query, event) for event in fallen) else []
        return frozenset(self.matches(query, after, head) + missing)

    def _write(self, append: Append, head: Position) -> tuple[Position, Position]:
        first = len(self.events) + 1
        condition = append.condition
        if condition is not None and append.sequel and (seen := self.matches(condition.fail_if_events_match, head)):
            condition = AppendCondition(condition.fail_if_events_match, seen[-1])
        self.events.extend(append.events)
        if append.decision:
            key, count = append.decision, len(append.events)
            record = DecisionRecord(key.command, key.digest, key.handler, condition, first, count)
            self.decisions[key.command] = record
        return first, len(self.events)


def _asked(query: Query, event: EventData) -> bool:
    return query.is_all or any(
        (not item.types or event.type in item.types) and all(tag in event.tags for tag in item.tags)
        for item in query.items
    )


types = st.sampled_from(TYPES)
tags = st.sampled_from(TAGS)
items = st.builds(QueryItem, types=st.frozensets(types, max_size=2), tags=st.frozensets(tags, min_size=1, max_size=2))
items |= st.builds(QueryItem, types=st.frozensets(types, min_size=1, max_size=3))
queries = st.lists(items, min_size=1, max_size=3).map(Query.from_items) | st.just(Query.all())
sixteen = st.binary(min_size=16, max_size=16)
events = st.builds(
    EventData,
    id=sixteen,
    type=types,
    data=st.binary(max_size=20),
    salt=sixteen,
    version=st.integers(1, 3),
    tags=st.lists(tags, unique=True, max_size=3).map(tuple),
    metadata=st.binary(max_size=20),
    effective=st.none() | st.integers(-(10**15), 10**15),
)
keys = st.builds(
    DecisionKey,
    command=st.integers(0, 30).map(lambda n: n.to_bytes(16, "big")),
    digest=st.binary(max_size=2),
    handler=st.sampled_from(["one@1", "two@1"]),
)


@st.composite
def appends(draw: st.DrawFn, head: Position) -> Append:
    """An append whose condition may have been seen at any position up to the head, most often near it."""
    after = draw(st.sampled_from([head, max(head - 1, 0)]) | st.integers(0, head))
    condition = draw(st.none() | st.builds(AppendCondition, queries, st.just(after)))
    written = draw(st.lists(events, min_size=1, max_size=4).map(tuple))
    return Append(written, condition, draw(st.none() | keys), sequel=draw(st.booleans()))


def fate_of(outcome: Outcome, expected: Fate) -> Fate:
    """The outcome as a fate; a collision with any of the expected is the expected one."""
    match outcome:
        case Appended():
            return outcome.first, outcome.last
        case Repeated():
            return outcome.decision
        case Collided():
            named = frozenset({outcome.position})
            return expected if isinstance(expected, frozenset) and named <= expected else named


class Comparison(RuleBasedStateMachine):
    """A store and the plain journal side by side."""

    def __init__(self, open_store: Callable[[Path], Opener]) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._open = open_store(Path(self._folder.name))
        self.store = self._open()
        self.plain = PlainJournal()

    @rule(data=st.data())
    def append(self, data: st.DataObject) -> None:
        """A batch is taken apart in the same way."""
        batch = tuple(data.draw(st.lists(appends(len(self.plain.events)), min_size=1, max_size=5)))
        expected = self.plain.append(batch)
        outcomes = self.store.append(*batch)
        assert [fate_of(one, other) for one, other in zip(outcomes, expected, strict=True)] == expected
        assert self.store.head() == len(self.plain.events)

    @precondition(lambda self: bool(cast("Comparison", self).plain.events))
    @rule(query=queries, data=st.data(), backwards=st.booleans(), limit=st.none() | st.integers(0, 5))
    def read(self, query: Query, data: st.DataObject, backwards: bool, limit: int | None) -> None:
        """A question has the same answer, whatever the options."""
        head = len(self.plain.events)
        after, until = data.draw(st.integers(0, head + 2)), data.draw(st.none() | st.integers(0, head + 2))
        expected = self.plain.matches(query, after, until)[:: -1 if backwards else 1][:limit]
        found = list(self.store.read(query, after=after, until=until, limit=limit, backwards=backwards))
        assert [event.position for event in found] == expected
        assert [data_of(event) for event in found] == [self.plain.events[position - 1] for position in expected]

    @rule(asked=st.lists(queries, max_size=4), data=st.data())
    def load(self, asked: list[Query], data: st.DataObject) -> None:
        """Several questions at once have the answers that they have alone."""
        head = len(self.plain.events)
        after = [data.draw(st.integers(0, head + 1)) for _ in asked]
        seen, found = self.store.load(asked, after=after)
        assert seen == head
        expected = [self.plain.matches(query, start) for query, start in zip(asked, after, strict=True)]
        assert [[event.position for event in part] for part in found] == expected

    @rule(after=st.integers(0, 20))
    def decisions(self, after: Position) -> None:
        """The same was decided, on the same evidence."""
        expected = [record for record in self.plain.decisions.values() if record.first > after]
        assert list(self.store.decisions(after=after)) == expected
        for command, record in self.plain.decisions.items():
            assert self.store.decision(command) == record

    def teardown(self) -> None:
        """Whatever happened, every event is there to the byte, and its leaf can be computed again."""
        try:
            found = list(self.store.read())
            assert [data_of(event) for event in found] == self.plain.events
            assert [event.leaf for event in found] == [leaf_of(event, self.store.origin) for event in found]
        finally:
            self.store.close()
            self._folder.cleanup()


class ReopenedComparison(Comparison):
    """The same for a store that lasts: it may be closed and opened at any moment."""

    @rule()
    def reopen(self) -> None:
        """What was written is what is there."""
        self.store.close()
        self.store = self._open()


MODEL = settings(
    max_examples=30,
    stateful_step_count=20,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


class ModelCases(StoreCase):
    """Random batches and questions, compared with the plain journal."""

    comparison: type[Comparison] = Comparison

    def test_random_batches_and_questions_have_the_answers_of_the_plain_journal(self) -> None:
        run_state_machine_as_test(cast("Any", lambda: self.comparison(self.opener)), settings=MODEL)

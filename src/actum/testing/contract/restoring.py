"""Restoring: what one journal kept, in another, to the byte and at the very positions it had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from actum.journal.errors import Corrupted, Invalid
from actum.journal.query import Query
from actum.journal.store import Append, Repeated, leaf_of
from actum.stores.memory import MemoryStore
from actum.testing.builders import a_decision, an_append, an_event, command_id, positions
from actum.testing.contract.case import StoreCase

if TYPE_CHECKING:
    from actum.journal.event import SequencedEvent
    from actum.journal.store import DecisionRecord, JournalStore

FOO = Query.of(tags=["foo:1"])


def kept_elsewhere() -> tuple[str, list[SequencedEvent], list[DecisionRecord]]:
    """The origin, the events and the decisions of a small journal."""
    other = MemoryStore()
    other.append(an_append(an_event("A", "foo:1", data=b"\x00\xff", metadata=b"not json", effective=-5)))
    other.append(an_append(an_event("B", "foo:1", "é:ü"), an_event("C", version=3), unless=FOO, after=1, command="c"))
    other.append(an_append(an_event("D")))
    return other.origin, list(other.read()), list(other.decisions())


class RestoringCases(StoreCase):
    """The cases of `Archive`."""

    def test_what_another_journal_kept_is_here_to_the_byte(self, store: JournalStore) -> None:
        origin, events, decisions = kept_elsewhere()
        assert store.restore(origin, events, decisions) == 4
        assert store.origin == origin
        assert list(store.read()) == events
        assert list(store.decisions()) == decisions
        assert positions(store.read(FOO)) == [1, 2]

    def test_a_restored_decision_answers_a_retry(self, store: JournalStore) -> None:
        store.restore(*kept_elsewhere())
        (outcome,) = store.append(an_append(command="c"))
        assert isinstance(outcome, Repeated)
        assert outcome.decision.first == 2

    def test_a_journal_goes_on_where_the_restored_one_ended(self, store: JournalStore) -> None:
        origin, events, decisions = kept_elsewhere()
        store.restore(origin, events, decisions)
        store.append(an_append(an_event("E", "foo:1")))
        (last,) = store.read(after=4)
        assert last.position == 5
        assert last.recorded >= events[-1].recorded
        assert last.leaf == leaf_of(last, origin)

    def test_restoring_by_parts_is_restoring_at_once(self, store: JournalStore) -> None:
        origin, events, decisions = kept_elsewhere()
        store.restore(origin, events[:1], [])
        store.restore(origin, events[1:3], decisions)
        store.restore(origin, events[3:], [])
        assert list(store.read()) == events

    def test_another_journal_is_not_mixed_in(self, store: JournalStore) -> None:
        store.append(an_append())
        origin, events, decisions = kept_elsewhere()
        with pytest.raises(Invalid, match="restore into an empty one"):
            store.restore(origin, events[1:], decisions)
        assert store.head() == 1

    def test_a_gap_or_another_order_is_turned_down_whole(self, store: JournalStore) -> None:
        origin, events, decisions = kept_elsewhere()
        for wrong in (events[1:], [events[0], events[2]], [events[1], events[0]], [events[0], events[0]]):
            with pytest.raises(Invalid, match="expected the event at position"):
                store.restore(origin, wrong, [])
            assert store.head() == 0
        assert store.restore(origin, events, decisions) == 4

    def test_one_altered_byte_is_turned_down_whole(self, store: JournalStore) -> None:
        origin, events, decisions = kept_elsewhere()
        for change in (
            {"data": b"\x01\xff"},
            {"metadata_bytes": b"not jsom"},
            {"effective": None},
            {"tag_text": "foo:2"},
            {"salt": bytes(16)},
            {"id": bytes(16)},
        ):
            altered = [msgspec.structs.replace(events[0], **change), *events[1:]]
            with pytest.raises(Corrupted, match="position 1"):
                store.restore(origin, altered, decisions)
            assert store.head() == 0
            assert list(store.decisions()) == []

    def test_time_does_not_go_back_in_what_is_restored(self, store: JournalStore) -> None:
        origin, events, _ = kept_elsewhere()
        early = msgspec.structs.replace(events[1], recorded=events[0].recorded - 1)
        early = msgspec.structs.replace(early, leaf=leaf_of(early, origin))
        with pytest.raises(Invalid, match="recorded before"):
            store.restore(origin, [events[0], early], [])
        assert store.head() == 0

    def test_a_decision_whose_events_are_not_there_is_turned_down(self, store: JournalStore) -> None:
        origin, events, (decision,) = kept_elsewhere()
        with pytest.raises(Invalid, match="not all there"):
            store.restore(origin, events[:2], [decision])
        assert store.head() == 0

    def test_a_command_is_not_restored_twice(self, store: JournalStore) -> None:
        origin, events, (decision,) = kept_elsewhere()
        store.restore(origin, events[:3], [decision])
        with pytest.raises(Invalid, match="decided"):
            store.restore(origin, events[3:], [msgspec.structs.replace(decision, first=4, count=1)])
        assert store.head() == 3

    def test_the_record_of_a_sequel_says_up_to_where_it_had_seen(self, store: JournalStore) -> None:
        def sequel(command: str) -> Append:
            return an_append(an_event("A", "foo:1"), unless=FOO, command=command, sequel=True)

        store.append(sequel("one"), sequel("two"), an_append(an_event("B")), sequel("three"))
        seen = [record.condition.after for record in store.decisions() if record.condition is not None]
        assert seen == [0, 1, 2]
        assert store.decision(command_id("three")) is not None
        assert a_decision("three").command == command_id("three")

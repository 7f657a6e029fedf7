"""Appending without conditions: what was given is kept to the byte, whole batches or nothing, and no gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from actum.journal.clock import EARLIEST, LATEST
from actum.journal.errors import Invalid
from actum.journal.event import data_of
from actum.journal.query import Query
from actum.journal.store import Append, Appended, leaf_of
from actum.testing.builders import a_decision, an_append, an_event, fill, positions
from actum.testing.clocks import SetClock
from actum.testing.contract.case import Opener, StoreCase

if TYPE_CHECKING:
    from actum.journal.event import EventData
    from actum.journal.store import JournalStore

ODD_BYTES = (
    b"",
    b"\x00",
    bytes(range(256)),
    b'{"a":  1}\n',
    b"\xff\xfe not UTF-8 \xc3\x28",
    "ß→🜂".encode(),
    b"'; DROP TABLE events; --",
)


def written(store: JournalStore, *events: EventData) -> list[EventData]:
    """What comes back after these events were appended in one append."""
    (outcome,) = store.append(an_append(*events))
    assert isinstance(outcome, Appended)
    return [data_of(event) for event in store.read(after=outcome.first - 1, until=outcome.last)]


class AppendingCases(StoreCase):
    """The cases of `EventStore.append` that need no condition."""

    def test_positions_begin_at_one_and_leave_no_gap(self, store: JournalStore) -> None:
        outcomes = store.append(an_append(an_event(), an_event()), an_append(an_event()))
        outcomes += store.append(an_append(*(an_event() for _ in range(7))))
        assert [(done.first, done.last) for done in outcomes if isinstance(done, Appended)] == [(1, 2), (3, 3), (4, 10)]
        assert positions(store.read()) == list(range(1, 11))

    def test_the_head_is_the_newest_position(self, store: JournalStore) -> None:
        heads = [store.head()]
        for size in (1, 3, 1):
            fill(store, size)
            heads.append(store.head())
        assert heads == [0, 1, 4, 5]

    def test_an_event_comes_back_as_it_was_given(self, store: JournalStore) -> None:
        event = an_event("Moved", "a:1", "b:2", data=b'{"x":1}', metadata=b'{"actor":"me"}', version=7, effective=-5)
        assert written(store, event) == [event]

    def test_tags_come_back_in_the_order_in_which_they_were_given(self, store: JournalStore) -> None:
        (back,) = written(store, an_event("Moved", "z:1", "a:1", "m:1"))
        assert back.tags == ("z:1", "a:1", "m:1")

    def test_an_event_without_tags_has_none(self, store: JournalStore) -> None:
        (back,) = written(store, an_event("Moved"))
        assert back.tags == ()

    @pytest.mark.parametrize("stored", ODD_BYTES)
    def test_data_is_kept_to_the_byte(self, store: JournalStore, stored: bytes) -> None:
        (back,) = written(store, an_event(data=stored))
        assert back.data == stored

    @pytest.mark.parametrize("stored", ODD_BYTES)
    def test_metadata_is_kept_to_the_byte(self, store: JournalStore, stored: bytes) -> None:
        (back,) = written(store, an_event(metadata=stored))
        assert back.metadata == stored

    @pytest.mark.parametrize("effective", [None, 0, 1, -1, EARLIEST, LATEST])
    def test_the_effective_time_is_kept(self, store: JournalStore, effective: int | None) -> None:
        (back,) = written(store, an_event(effective=effective))
        assert back.effective == effective

    def test_versions_of_one_type_are_told_apart(self, store: JournalStore) -> None:
        back = written(store, an_event(version=1), an_event(version=1_000_000), an_event(version=2))
        assert [event.version for event in back] == [1, 1_000_000, 2]
        assert positions(store.read(Query.of(types=["Happened"]))) == [1, 2, 3]

    def test_ids_and_salts_of_any_bytes_are_kept(self, store: JournalStore) -> None:
        odd = Append(tuple(_named(bytes([first]) * 16) for first in (0x00, 0xFF, 0x27, 0x5C)))
        store.append(odd)
        assert [(event.id, event.salt) for event in store.read()] == [(event.id, event.salt) for event in odd.events]
        assert [event.uuid for event in store.read()] == [UUID(bytes=event.id) for event in odd.events]

    def test_a_batch_of_no_appends_changes_nothing(self, store: JournalStore) -> None:
        assert store.append() == []
        assert store.head() == 0

    def test_every_stored_leaf_can_be_computed_again(self, store: JournalStore) -> None:
        for stored in ODD_BYTES:
            events = [an_event("Moved", "z:1", "ü:é", data=stored, metadata=stored, effective=3), an_event(version=2)]
            store.append(an_append(*events), an_append(an_event("Closed", "a:1")))
        for event in store.read():
            assert event.leaf == leaf_of(event, store.origin)

    def test_no_two_leaves_are_alike(self, store: JournalStore) -> None:
        same = an_event("Moved", "a:1")
        store.append(an_append(same), an_append(same), an_append(same))
        assert len({event.leaf for event in store.read()}) == 3

    def test_the_origin_is_a_line_of_text_that_stays(self, store: JournalStore) -> None:
        before = store.origin
        fill(store, 3)
        assert store.origin == before
        assert before.isprintable()
        assert before

    def test_events_of_one_append_are_recorded_at_one_moment(self, store: JournalStore) -> None:
        (outcome,) = store.append(an_append(*(an_event() for _ in range(50))))
        assert isinstance(outcome, Appended)
        assert {event.recorded for event in store.read()} == {outcome.recorded}

    def test_events_are_recorded_when_the_clock_says(self, open_store: Opener) -> None:
        clock = SetClock(1_700_000_000_000_001)
        store = open_store(clock=clock)
        fill(store, 1)
        clock.set(1_700_000_123_456_789)
        fill(store, 1)
        assert [event.recorded for event in store.read()] == [1_700_000_000_000_001, 1_700_000_123_456_789]
        store.close()

    def test_the_time_of_recording_never_goes_back_even_where_the_clock_does(self, open_store: Opener) -> None:
        clock = SetClock(1000)
        store = open_store(clock=clock)
        for moment in (1000, 500, 2000, 1, 1999, 3000):
            clock.set(moment)
            store.append(an_append(an_event()), an_append(an_event()))
        found = [event.recorded for event in store.read()]
        assert found == [1000, 1000, 1000, 1000, 2000, 2000, 2000, 2000, 2000, 2000, 3000, 3000]
        assert all(event.leaf == leaf_of(event, store.origin) for event in store.read())
        store.close()

    def test_its_clock_is_never_before_what_is_on_record(self, open_store: Opener) -> None:
        clock = SetClock(1000)
        store = open_store(clock=clock)
        store.append(an_append(an_event()))
        clock.set(500)
        assert store.now() == 1000
        clock.set(1_700_000_000_000_000)
        assert store.now() == 1_700_000_000_000_000
        store.close()

    def test_one_payload_over_the_limit_turns_the_whole_batch_down(self, open_store: Opener) -> None:
        store = open_store(payload_limit=100)
        store.append(an_append(an_event(data=b"x" * 100)))
        batch = (an_append(an_event(), command="c"), an_append(an_event(), an_event(data=b"x" * 101)), an_append())
        with pytest.raises(Invalid, match=r"100 bytes.*found 101"):
            store.append(*batch)
        assert store.head() == 1
        assert positions(store.read()) == [1]
        assert store.decision(a_decision("c").command) is None
        fill(store, 1)
        assert store.head() == 2
        store.close()

    @pytest.mark.parametrize("limit", [0, -1])
    def test_a_payload_limit_that_allows_nothing_is_refused(self, open_store: Opener, limit: int) -> None:
        with pytest.raises(Invalid, match="payload_limit"):
            open_store(payload_limit=limit)


def _named(sixteen: bytes) -> EventData:
    made = an_event()
    return type(made)(id=sixteen, type=made.type, data=made.data, salt=sixteen)

"""Reading beside writing in one thread: what comes is seen, what was bounded stays bounded, nobody waits for a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actum.journal.query import Query
from actum.testing.builders import an_append, an_event, fill, positions
from actum.testing.contract.case import StoreCase

if TYPE_CHECKING:
    from actum.journal.store import JournalStore

FOO = Query.of(tags=["foo:1"])


class LiveCases(StoreCase):
    """Readers that are still reading when something is appended."""

    def test_events_appended_while_one_reads_are_seen(self, store: JournalStore) -> None:
        fill(store, 2, "foo:1")
        reading = store.read()
        taken = [next(reading).position]
        fill(store, 3, "bar:1")
        assert taken + positions(reading) == [1, 2, 3, 4, 5]

    def test_events_appended_while_one_reads_a_query_are_seen_where_they_match(self, store: JournalStore) -> None:
        fill(store, 2, "foo:1")
        reading = store.read(FOO)
        taken = [next(reading).position]
        store.append(an_append(an_event("Happened", "bar:1"), an_event("Happened", "foo:1")))
        assert taken + positions(reading) == [1, 2, 4]

    def test_every_step_of_a_reader_can_be_answered_by_an_append(self, store: JournalStore) -> None:
        store.append(an_append(an_event("Counted", "foo:1")))
        seen: list[int] = []
        for event in store.read(FOO):
            seen.append(event.position)
            if event.position < 50:
                store.append(an_append(an_event("Counted", "foo:1")))
        assert seen == list(range(1, 51))

    def test_a_type_asked_for_before_is_found_in_versions_that_came_later(self, store: JournalStore) -> None:
        opened = Query.of(types=["Opened"])
        for version in range(1, 5):
            store.append(an_append(an_event("Opened", "foo:1", version=version)))
            expected = list(range(1, version + 1))
            assert positions(store.read(opened)) == expected
            assert positions(store.read(opened, backwards=True)) == expected[::-1]
            assert positions(store.load([opened], after=[0])[1][0]) == expected
            assert type(store.append(an_append(unless=opened, after=version - 1))[0]).__name__ == "Collided"

    def test_a_bounded_reading_does_not_see_what_comes_later(self, store: JournalStore) -> None:
        fill(store, 3)
        reading = store.read(until=store.head())
        next(reading)
        fill(store, 3)
        assert positions(reading) == [2, 3]

    def test_a_reading_backwards_does_not_see_what_comes_later(self, store: JournalStore) -> None:
        fill(store, 3, "foo:1")
        reading = store.read(FOO, backwards=True)
        next(reading)
        fill(store, 3, "foo:1")
        assert positions(reading) == [2, 1]

    def test_a_limit_counts_what_comes_later_too(self, store: JournalStore) -> None:
        fill(store, 2)
        reading = store.read(limit=4)
        next(reading)
        fill(store, 5)
        assert positions(reading) == [2, 3, 4]

    def test_long_readers_do_not_hold_writers_up_and_miss_nothing(self, store: JournalStore) -> None:
        fill(store, 3000, "foo:1")
        readers = [store.read(), store.read(FOO), store.read(Query.of(types=["Happened"]))]
        taken = [[next(reader).position for _ in range(10)] for reader in readers]
        fill(store, 3000, "foo:1")
        assert store.head() == 6000
        for reader, first in zip(readers, taken, strict=True):
            assert first + positions(reader) == list(range(1, 6001))

    def test_a_batch_is_seen_whole_from_its_return_on(self, store: JournalStore) -> None:
        for size in (1, 2, 7, 100):
            before = store.head()
            store.append(an_append(*(an_event("Happened", "foo:1") for _ in range(size))))
            assert positions(store.read(after=before)) == list(range(before + 1, before + size + 1))
            assert positions(store.read(FOO, after=before)) == list(range(before + 1, before + size + 1))
            assert store.head() == before + size

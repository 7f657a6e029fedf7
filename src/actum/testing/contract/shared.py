"""Several processes on one journal: the same promises as in threads, and news that crosses from one to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actum.journal.bell import Bell
from actum.journal.query import Query
from actum.journal.store import Repeated
from actum.testing import workers
from actum.testing.builders import an_append, an_event, fill, positions
from actum.testing.contract.case import Opener, StoreCase
from actum.testing.contract.parallel import (
    check_alone,
    check_batches,
    check_commands,
    check_consistency,
    check_names,
    seeds_from,
    tail,
)
from actum.testing.crews import PATIENCE, in_processes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.journal.event import SequencedEvent
    from actum.journal.store import JournalStore


class SharedContract(StoreCase):
    """Add this to the contract of a store that several processes may open at once. Its opener must be picklable."""

    @pytest.fixture
    def other(self, store: JournalStore, open_store: Opener) -> Iterator[JournalStore]:
        """The journal of `store`, opened a second time."""
        opened = open_store()
        yield opened
        opened.close()

    def test_whoever_is_alone_is_not_overtaken_by_another_process(
        self, store: JournalStore, other: JournalStore
    ) -> None:
        check_alone(store, other)

    def test_decisions_taken_at_once_in_processes_rest_on_what_was_true(
        self, store: JournalStore, open_store: Opener, seed: int
    ) -> None:
        tallies = in_processes(workers.decide_at_random, open_store, seeds_from(seed))
        check_consistency(store, workers.total(tallies))

    def test_unrelated_writers_in_processes_never_collide(
        self, store: JournalStore, open_store: Opener, seed: int
    ) -> None:
        tallies = in_processes(workers.write_for_oneself, open_store, seeds_from(seed))
        assert tallies == [workers.Tally(appended=100)] * len(tallies)
        assert store.head() == len(tallies) * 200

    def test_a_name_wanted_by_many_processes_is_claimed_once(
        self, store: JournalStore, open_store: Opener, seed: int
    ) -> None:
        check_names(store, in_processes(workers.claim_names, open_store, seeds_from(seed)))

    def test_a_command_retried_by_many_processes_is_decided_once(
        self, store: JournalStore, open_store: Opener, seed: int
    ) -> None:
        check_commands(store, in_processes(workers.retry_commands, open_store, seeds_from(seed)))

    def test_a_tailing_reader_beside_processes_sees_every_event_once_and_in_order(
        self, store: JournalStore, open_store: Opener, seed: int
    ) -> None:
        expected = sum(workers.volume(member) for member in seeds_from(seed))
        seen: list[SequencedEvent] = []
        in_processes(
            workers.write_batches,
            open_store,
            seeds_from(seed),
            meanwhile=lambda: seen.extend(tail(store, expected, Query.all())),
        )
        assert positions(seen) == list(range(1, expected + 1))
        check_batches(seen)

    def test_a_watcher_is_rung_for_what_another_process_appends(
        self, store: JournalStore, open_store: Opener, seed: int
    ) -> None:
        bell = Bell()
        store.watch(bell.ring)
        expected = workers.volume(seed)
        in_processes(workers.write_batches, open_store, [seed])
        assert bell.wait(expected, timeout=PATIENCE)
        assert store.head() == expected

    def test_what_one_handle_appends_the_other_reads_at_once(self, store: JournalStore, other: JournalStore) -> None:
        for size in (1, 2, 5):
            head = fill(store, size, "foo:1")
            assert other.head() == head
            assert list(other.read()) == list(store.read())
            assert other.load([Query.of(tags=["foo:1"])], after=[0]) == store.load(
                [Query.of(tags=["foo:1"])], after=[0]
            )
            assert fill(other, 1, "bar:1") == store.head() == head + 1

    def test_a_version_that_another_handle_brings_in_is_found_by_its_type(
        self, store: JournalStore, other: JournalStore
    ) -> None:
        opened = Query.of(types=["Opened"])
        following = other.read(opened)
        for version in range(1, 5):
            store.append(an_append(an_event("Opened", version=version)))
            assert next(following).version == version
            assert positions(other.read(opened)) == list(range(1, version + 1))
            assert positions(other.load([opened], after=[0])[1][0]) == list(range(1, version + 1))

    def test_a_condition_sees_what_another_handle_appended(self, store: JournalStore, other: JournalStore) -> None:
        fill(store, 1, "foo:1")
        foo = Query.of(tags=["foo:1"])
        (failed,) = other.append(an_append(unless=foo))
        assert type(failed).__name__ == "Collided"
        fill(other, 1, "foo:1")
        failed, passed = store.append(an_append(unless=foo, after=1), an_append(unless=foo, after=2))
        assert (type(failed).__name__, type(passed).__name__) == ("Collided", "Appended")

    def test_a_command_decided_through_one_handle_is_a_repetition_through_the_other(
        self, store: JournalStore, other: JournalStore
    ) -> None:
        store.append(an_append(an_event(), command="c"))
        (outcome,) = other.append(an_append(an_event(), command="c"))
        assert isinstance(outcome, Repeated)
        assert list(other.decisions()) == list(store.decisions())

    def test_both_handles_carry_one_origin(self, store: JournalStore, other: JournalStore) -> None:
        assert other.origin == store.origin

    def test_closing_one_handle_leaves_the_other_open(self, store: JournalStore, open_store: Opener) -> None:
        open_store().close()
        assert fill(store, 2) == 2

    def test_a_long_reader_sees_what_another_handle_appends(self, store: JournalStore, other: JournalStore) -> None:
        fill(store, 2500)
        reading = store.read()
        taken = [next(reading).position]
        fill(other, 2500)
        assert taken + positions(reading) == list(range(1, 5001))

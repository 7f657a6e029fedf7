"""What outlives a handle and a process: everything acknowledged, whole batches, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actum.journal.query import Query
from actum.journal.store import Appended, Collided, Repeated, Snapshot, leaf_of
from actum.testing.assault import Assault, long_appends, one_by_one, several_at_once
from actum.testing.builders import an_append, an_event, command_id, fill, positions
from actum.testing.clocks import SetClock
from actum.testing.contract.case import Opener, StoreCase
from actum.testing.contract.hostile import LOOKALIKES
from actum.testing.contract.model import Comparison, ModelCases, ReopenedComparison

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.journal.store import JournalStore

FOO = Query.of(tags=["foo:1"])


class DurableContract(ModelCases, StoreCase):
    """Add this to the contract of a store whose events outlive the process. Its opener must be picklable."""

    comparison: type[Comparison] = ReopenedComparison

    def test_everything_is_there_after_reopening(self, open_store: Opener) -> None:
        def look(store: JournalStore) -> Iterator[object]:
            yield store.origin
            yield store.head()
            yield list(store.read())
            yield list(store.read(Query.of(types=["A", "B"]), backwards=True))
            yield list(store.decisions())
            yield [positions(store.read(Query.of(tags=[tag]))) for tag in LOOKALIKES]

        store = open_store()
        for start in range(0, len(LOOKALIKES), 7):
            events = [an_event("A", tag, data=tag.encode()) for tag in LOOKALIKES[start : start + 7]]
            store.append(
                an_append(*events, unless=FOO, after=store.head(), command=f"c{start}"), an_append(an_event("B"))
            )
        before = list(look(store))
        store.close()
        for _ in range(3):
            store = open_store()
            assert list(look(store)) == before
            assert all(event.leaf == leaf_of(event, store.origin) for event in store.read())
            store.close()

    def test_an_empty_journal_stays_the_same_journal(self, open_store: Opener) -> None:
        store = open_store()
        origin = store.origin
        store.close()
        store = open_store()
        assert (store.origin, store.head(), list(store.read())) == (origin, 0, [])
        store.close()

    def test_conditions_hold_against_what_was_written_before_reopening(self, open_store: Opener) -> None:
        store = open_store()
        fill(store, 1, "foo:1")
        fill(store, 2500, "bar:1")
        store.close()
        store = open_store()
        outcomes = store.append(
            an_append(unless=FOO),
            an_append(unless=FOO, after=1),
            an_append(unless=Query.of(tags=["bar:1"]), after=2500),
            an_append(unless=Query.of(types=["Happened"]), after=2501),
        )
        assert [type(outcome) for outcome in outcomes] == [Collided, Appended, Collided, Collided]
        store.close()

    def test_positions_go_on_where_they_ended(self, open_store: Opener) -> None:
        for expected in (1, 2, 3):
            store = open_store()
            assert fill(store, 1) == expected
            store.close()

    def test_a_retry_after_reopening_is_answered_with_the_first_decision(self, open_store: Opener) -> None:
        append = an_append(an_event("A", "foo:1"), an_event("B"), unless=FOO, command="c")
        store = open_store()
        (first,) = store.append(append)
        store.close()
        store = open_store()
        (again,) = store.append(append)
        assert isinstance(first, Appended)
        assert isinstance(again, Repeated)
        assert again.decision == store.decision(command_id("c"))
        assert (again.decision.first, again.decision.last, store.head()) == (first.first, first.last, 2)
        store.close()

    def test_the_time_of_recording_does_not_go_back_across_reopening(self, open_store: Opener) -> None:
        for moment in (5000, 10, 7000, 6000):
            store = open_store(clock=SetClock(moment))
            fill(store, 1)
            store.close()
        store = open_store()
        assert [event.recorded for event in store.read()] == [5000, 5000, 7000, 7000]
        store.close()

    def test_two_journals_have_two_origins(self, open_store: Opener, tmp_path_factory: pytest.TempPathFactory) -> None:
        here = open_store()
        there = self.opener(tmp_path_factory.mktemp("elsewhere"))()
        assert here.origin != there.origin
        here.close()
        there.close()

    def test_a_snapshot_is_the_same_or_gone_after_reopening(self, open_store: Opener) -> None:
        kept = Snapshot(position=3, fingerprint=b"\x00\xff", data=bytes(range(256)))
        store = open_store()
        store.remember("Account/a", kept)
        store.close()
        store = open_store()
        assert store.snapshot("Account/a") in (kept, None)
        store.close()

    def test_a_writer_killed_between_write_and_acknowledgement_loses_nothing(
        self, open_store: Opener, seed: int
    ) -> None:
        Assault(open_store, seed, one_by_one).until(landed=6)

    def test_a_writer_killed_in_mid_batch_leaves_whole_batches(self, open_store: Opener, seed: int) -> None:
        Assault(open_store, seed, several_at_once).until(landed=6)

    def test_a_writer_killed_in_the_middle_of_a_long_append_leaves_it_whole_or_not_at_all(
        self, open_store: Opener, seed: int
    ) -> None:
        Assault(open_store, seed, long_appends, patience=3).until(landed=6)

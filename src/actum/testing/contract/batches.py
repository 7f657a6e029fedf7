"""Batches: several appends in one transaction, each judged alone and in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actum.journal.errors import Invalid
from actum.journal.query import AppendCondition, Query
from actum.journal.store import Appended, Collided, Repeated
from actum.testing.builders import an_append, an_event, fill, positions
from actum.testing.contract.case import StoreCase

if TYPE_CHECKING:
    from actum.journal.store import JournalStore, Outcome

FOO = Query.of(tags=["foo:1"])
BAR = Query.of(tags=["bar:1"])


def fates(outcomes: list[Outcome]) -> list[str]:
    """What became of each append, in a word."""
    return [type(outcome).__name__ for outcome in outcomes]


class BatchCases(StoreCase):
    """The cases of `EventStore.append` with several appends."""

    def test_each_append_of_a_batch_is_turned_down_alone(self, store: JournalStore) -> None:
        outcomes = store.append(
            an_append(an_event("A", "foo:1")),
            an_append(an_event("B", "foo:1"), unless=FOO),
            an_append(an_event("C", "bar:1"), an_event("D"), unless=BAR),
            an_append(an_event("E"), unless=Query.all()),
            an_append(an_event("F", "foo:1")),
        )
        assert fates(outcomes) == ["Appended", "Collided", "Appended", "Collided", "Appended"]
        assert [event.type for event in store.read()] == ["A", "C", "D", "F"]
        assert positions(store.read()) == [1, 2, 3, 4]

    def test_an_append_collides_with_an_earlier_one_of_its_batch(self, store: JournalStore) -> None:
        fill(store, 2)
        _, outcome = store.append(
            an_append(an_event("A", "foo:1", "x:1")), an_append(an_event("B"), unless=FOO, after=2)
        )
        assert outcome == Collided(position=3, type="A", tags=("foo:1", "x:1"), after=2)

    def test_an_append_does_not_collide_with_a_later_one_of_its_batch(self, store: JournalStore) -> None:
        outcomes = store.append(an_append(an_event("A"), unless=FOO), an_append(an_event("B", "foo:1")))
        assert fates(outcomes) == ["Appended", "Appended"]

    def test_an_append_does_not_collide_with_one_that_was_turned_down(self, store: JournalStore) -> None:
        fill(store, 1, "bar:1")
        outcomes = store.append(
            an_append(an_event("A", "foo:1"), unless=BAR), an_append(an_event("B", "foo:1"), unless=FOO)
        )
        assert fates(outcomes) == ["Collided", "Appended"]
        assert [event.type for event in store.read(after=1)] == ["B"]

    def test_sixty_four_rivals_in_one_batch_have_one_winner(self, store: JournalStore) -> None:
        outcomes = store.append(*(an_append(an_event(f"Rival{n}", "foo:1"), unless=FOO) for n in range(64)))
        assert fates(outcomes) == ["Appended"] + ["Collided"] * 63
        assert [event.type for event in store.read()] == ["Rival0"]

    def test_sixty_four_neighbours_in_one_batch_all_pass(self, store: JournalStore) -> None:
        outcomes = store.append(
            *(an_append(an_event("Claimed", f"name:{n}"), unless=Query.of(tags=[f"name:{n}"])) for n in range(64))
        )
        assert fates(outcomes) == ["Appended"] * 64
        assert positions(store.read()) == list(range(1, 65))

    def test_one_call_that_cannot_be_right_leaves_the_whole_batch_unwritten(self, store: JournalStore) -> None:
        with pytest.raises(Invalid):
            store.append(an_append(an_event("A")), an_append(unless=FOO, after=1))
        assert store.head() == 0

    def test_a_sequel_reckons_with_the_earlier_appends_of_its_batch(self, store: JournalStore) -> None:
        fill(store, 1, "foo:1")
        outcomes = store.append(
            an_append(an_event("A", "foo:1"), unless=FOO, after=1),
            an_append(an_event("B", "foo:1"), unless=FOO, after=1, sequel=True),
            an_append(an_event("C", "foo:1"), unless=FOO, after=1, sequel=True),
        )
        assert fates(outcomes) == ["Appended", "Appended", "Appended"]
        assert [event.type for event in store.read(after=1)] == ["A", "B", "C"]

    def test_a_sequel_still_collides_with_what_came_before_its_batch(self, store: JournalStore) -> None:
        fill(store, 2, "foo:1")
        outcomes = store.append(
            an_append(an_event("A", "bar:1")), an_append(an_event("B"), unless=FOO, after=1, sequel=True)
        )
        assert outcomes[1] == Collided(position=2, type="Happened", tags=("foo:1",), after=1)

    def test_a_sequel_falls_with_an_earlier_append_that_it_reckoned_with(self, store: JournalStore) -> None:
        fill(store, 1, "bar:1")
        outcomes = store.append(
            an_append(an_event("A", "foo:1", "x:1"), unless=BAR),
            an_append(an_event("B", "foo:1"), unless=FOO, after=1, sequel=True),
            an_append(an_event("C", "foo:1"), unless=FOO, after=1, sequel=True),
        )
        assert outcomes[1] == Collided(position=0, type="A", tags=("foo:1", "x:1"), after=1)
        assert fates(outcomes) == ["Collided", "Collided", "Collided"]
        assert store.head() == 1

    def test_a_sequel_does_not_care_about_a_fallen_append_that_does_not_concern_it(self, store: JournalStore) -> None:
        fill(store, 1, "bar:1")
        outcomes = store.append(
            an_append(an_event("A", "bar:1"), unless=BAR),
            an_append(an_event("B", "foo:1"), unless=FOO, after=1, sequel=True),
            an_append(an_event("C"), sequel=True),
        )
        assert fates(outcomes) == ["Collided", "Appended", "Appended"]

    def test_a_sequel_falls_with_an_earlier_append_that_was_a_repetition(self, store: JournalStore) -> None:
        store.append(an_append(an_event("A", "foo:1"), command="one"))
        outcomes = store.append(
            an_append(an_event("A", "foo:1"), command="one"),
            an_append(an_event("B", "foo:1"), unless=FOO, after=1, command="two", sequel=True),
        )
        assert isinstance(outcomes[0], Repeated)
        assert outcomes[1] == Collided(position=0, type="A", tags=("foo:1",), after=1)

    def test_a_sequel_does_not_remember_earlier_batches(self, store: JournalStore) -> None:
        fill(store, 1, "bar:1")
        store.append(an_append(an_event("A", "foo:1"), unless=BAR))
        (outcome,) = store.append(an_append(an_event("B", "foo:1"), unless=FOO, after=1, sequel=True))
        assert isinstance(outcome, Appended)

    @pytest.mark.parametrize("query", [FOO, Query.all(), Query.of(types=["A"]), FOO | Query.of(types=["B"])])
    def test_the_evidence_of_a_sequel_ends_with_what_it_had_seen_of_its_batch(
        self, store: JournalStore, query: Query
    ) -> None:
        fill(store, 1, "bar:1")
        store.append(
            an_append(an_event("A", "foo:1")), an_append(an_event("B"), unless=query, after=1, command="c", sequel=True)
        )
        (record,) = store.decisions()
        assert record.condition == AppendCondition(query, after=2)
        assert list(store.read(query, after=2, until=record.first - 1)) == []

    def test_others_in_the_batch_of_a_sequel_see_its_events(self, store: JournalStore) -> None:
        outcomes = store.append(
            an_append(an_event("A", "foo:1"), unless=FOO),
            an_append(an_event("B", "foo:1"), unless=FOO, sequel=True),
            an_append(an_event("C", "foo:1"), unless=FOO),
        )
        assert fates(outcomes) == ["Appended", "Appended", "Collided"]

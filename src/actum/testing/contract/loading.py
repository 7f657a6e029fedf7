"""Loading: several questions answered together, as of one head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actum.journal.errors import Invalid
from actum.journal.event import LAST_POSITION
from actum.journal.query import Query
from actum.testing.builders import fill, positions
from actum.testing.contract.reading import HEAD, QUESTIONS, ReadingCases

if TYPE_CHECKING:
    from actum.journal.store import JournalStore


class LoadingCases(ReadingCases):
    """The cases of `EventStore.load`."""

    def test_a_load_answers_every_query_in_order(self, story: JournalStore) -> None:
        queries = [query for query, _ in QUESTIONS.values()]
        head, found = story.load(queries, after=[0] * len(queries))
        assert head == HEAD
        assert [positions(events) for events in found] == [expected for _, expected in QUESTIONS.values()]

    def test_a_load_starts_each_query_after_its_own_position(self, story: JournalStore) -> None:
        foo = Query.of(tags=["foo:1"])
        _, found = story.load([foo, foo, foo, foo, foo], after=[0, 1, 2, 9, LAST_POSITION])
        assert [positions(events) for events in found] == [[1, 2, 9], [2, 9], [9], [], []]

    @pytest.mark.parametrize("question", QUESTIONS)
    def test_a_load_of_one_query_finds_what_a_read_finds(self, story: JournalStore, question: str) -> None:
        query, _ = QUESTIONS[question]
        for after in range(HEAD + 2):
            assert story.load([query], after=[after])[1] == [list(story.read(query, after=after))]

    def test_a_load_of_nothing_still_tells_the_head(self, story: JournalStore) -> None:
        assert story.load([], after=[]) == (HEAD, [])

    def test_a_load_from_an_empty_journal_finds_nothing(self, store: JournalStore) -> None:
        assert store.load([Query.all(), Query.of(tags=["foo:1"])], after=[0, 0]) == (0, [[], []])

    def test_a_load_finds_the_old_and_the_new_among_thousands(self, store: JournalStore) -> None:
        fill(store, 1, "foo:1")
        fill(store, 3000, "bar:1")
        fill(store, 1, "foo:1")
        head, found = store.load([Query.of(tags=["foo:1"]), Query.of(tags=["bar:1"])], after=[0, 2990])
        assert head == 3002
        assert [positions(events) for events in found] == [[1, 3002], list(range(2991, 3002))]

    def test_a_load_needs_one_position_for_each_query(self, store: JournalStore) -> None:
        with pytest.raises(Invalid, match="one position for each query"):
            store.load([Query.all()], after=[])

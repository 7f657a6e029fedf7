"""Reading backwards: the same events, the newest first; and the last one alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actum.journal.query import Query
from actum.testing.builders import an_append, an_event, fill, positions
from actum.testing.contract.reading import HEAD, QUESTIONS, ReadingCases, questions

if TYPE_CHECKING:
    from actum.journal.store import JournalStore


class BackwardsCases(ReadingCases):
    """The cases of `EventStore.read` with `backwards`."""

    @questions
    def test_backwards_the_newest_come_first(self, story: JournalStore, question: str) -> None:
        query, expected = QUESTIONS[question]
        assert positions(story.read(query, backwards=True)) == expected[::-1]

    @questions
    def test_backwards_reading_starts_with_the_position_until_which_it_is_asked(
        self, story: JournalStore, question: str
    ) -> None:
        query, expected = QUESTIONS[question]
        for until in range(HEAD + 3):
            chosen = [found for found in expected if found <= until][::-1]
            assert positions(story.read(query, until=until, backwards=True)) == chosen

    @questions
    def test_backwards_a_limit_keeps_the_newest(self, story: JournalStore, question: str) -> None:
        query, expected = QUESTIONS[question]
        for limit in range(HEAD + 3):
            assert positions(story.read(query, limit=limit, backwards=True)) == expected[::-1][:limit]

    @questions
    def test_backwards_the_options_choose_among_the_same_events(self, story: JournalStore, question: str) -> None:
        query, expected = QUESTIONS[question]
        for after, until, limit in ((0, 9, 2), (1, 8, 3), (2, 4, 1), (3, 3, 5), (5, 2, 5), (8, 20, 9)):
            chosen = [found for found in expected if after < found <= until][::-1][:limit]
            found = story.read(query, after=after, until=until, limit=limit, backwards=True)
            assert positions(found) == chosen

    @questions
    def test_the_last_event_alone_is_the_newest_that_matches(self, story: JournalStore, question: str) -> None:
        query, expected = QUESTIONS[question]
        assert positions(story.read(query, limit=1, backwards=True)) == expected[-1:]

    def test_backwards_from_the_first_position_there_is_one_event(self, story: JournalStore) -> None:
        assert positions(story.read(until=1, backwards=True)) == [1]

    def test_backwards_events_older_than_thousands_of_others_are_found(self, store: JournalStore) -> None:
        store.append(an_append(an_event("Opened", "foo:1")))
        fill(store, 3000, "bar:1")
        assert positions(store.read(Query.of(tags=["foo:1"]), limit=1, backwards=True)) == [1]
        assert positions(store.read(Query.of(types=["Opened"]), limit=1, backwards=True)) == [1]
        assert positions(store.read(backwards=True)) == list(range(3001, 0, -1))
        assert positions(store.read(Query.of(tags=["bar:1"]), backwards=True)) == list(range(3001, 1, -1))

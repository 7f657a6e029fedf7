"""Reading: what matches is found, nothing else is, and in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actum.journal.errors import Invalid
from actum.journal.event import LAST_POSITION, Kind
from actum.journal.query import Query, QueryItem
from actum.journal.skim import skim, skimmed
from actum.testing.builders import an_append, an_event, positions
from actum.testing.contract.case import StoreCase

if TYPE_CHECKING:
    from actum.journal.store import JournalStore

HEAD = 9
STORY = (
    ("Opened", "foo:1"),
    ("Moved", "foo:1", "bar:1"),
    ("Closed", "bar:1"),
    ("Opened", "bar:1", "foo:2"),
    ("Moved", "foo:2"),
    ("Closed",),
    ("Opened", "foos:1", "notfoo:1"),
    ("Moved", "foo:11", "foo:1:2", "Foo:1"),
    ("OpenedAgain", "bar:1", "foo:1", "baz:1"),
)
"""Nine events: types, and tags with near misses among them."""

QUESTIONS: dict[str, tuple[Query, list[int]]] = {
    "all": (Query.all(), [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    "a tag": (Query.of(tags=["foo:1"]), [1, 2, 9]),
    "another tag": (Query.of(tags=["bar:1"]), [2, 3, 4, 9]),
    "all of two tags": (Query.of(tags=["foo:1", "bar:1"]), [2, 9]),
    "all of three tags": (Query.of(tags=["foo:1", "bar:1", "baz:1"]), [9]),
    "two tags that never meet": (Query.of(tags=["foo:1", "foo:2"]), []),
    "a tag nobody has": (Query.of(tags=["foo:3"]), []),
    "the beginning of a tag": (Query.of(tags=["foo"]), []),
    "a known and an unknown tag": (Query.of(tags=["foo:1", "foo:3"]), []),
    "a type": (Query.of(types=["Opened"]), [1, 4, 7]),
    "one of two types": (Query.of(types=["Opened", "Closed"]), [1, 3, 4, 6, 7]),
    "a type nobody has": (Query.of(types=["Open"]), []),
    "a known and an unknown type": (Query.of(types=["Closed", "Open"]), [3, 6]),
    "a type and a tag": (Query.of(types=["Opened"], tags=["foo:1"]), [1]),
    "one of two types and a tag": (Query.of(types=["Opened", "Moved"], tags=["bar:1"]), [2, 4]),
    "one of two types and all of two tags": (Query.of(types=["OpenedAgain", "Moved"], tags=["bar:1", "foo:1"]), [2, 9]),
    "a type and a tag that never meet": (Query.of(types=["Closed"], tags=["foo:1"]), []),
    "either of two tags": (Query.of(tags=["foo:1"]) | Query.of(tags=["bar:1"]), [1, 2, 3, 4, 9]),
    "the same in another order": (Query.of(tags=["bar:1"]) | Query.of(tags=["foo:1"]), [1, 2, 3, 4, 9]),
    "a tag or a type": (Query.of(tags=["foo:1"]) | Query.of(types=["Closed"]), [1, 2, 3, 6, 9]),
    "a type or a tag": (Query.of(types=["Closed"]) | Query.of(tags=["foo:1"]), [1, 2, 3, 6, 9]),
    "items that overlap": (Query.of(tags=["foo:1"]) | Query.of(types=["Moved"], tags=["foo:1"]), [1, 2, 9]),
    "items of which one matches nothing": (Query.of(tags=["foo:3"]) | Query.of(tags=["foo:2"]), [4, 5]),
    "three different items": (
        Query.from_items(
            [
                QueryItem(types=frozenset({"Closed"})),
                QueryItem(tags=frozenset({"foo:2"})),
                QueryItem(types=frozenset({"Opened"}), tags=frozenset({"foo:1"})),
            ]
        ),
        [1, 3, 4, 5, 6],
    ),
    "everything or something": (Query.all() | Query.of(tags=["foo:1"]), [1, 2, 3, 4, 5, 6, 7, 8, 9]),
}
"""What is asked of the story, and where the answers stand."""

questions = pytest.mark.parametrize("question", QUESTIONS)


class ReadingCases(StoreCase):
    """The cases of `EventStore.read`, forwards."""

    @pytest.fixture
    def story(self, store: JournalStore) -> JournalStore:
        """A journal that holds the story, written in three appends."""
        events = [an_event(type, *tags) for type, *tags in STORY]
        store.append(an_append(*events[:2]), an_append(*events[2:3]), an_append(*events[3:]))
        return store

    def test_an_empty_journal_holds_nothing(self, store: JournalStore) -> None:
        assert list(store.read()) == []
        assert list(store.read(Query.of(tags=["foo:1"]))) == []
        assert list(store.read(backwards=True)) == []
        assert store.head() == 0

    @questions
    def test_a_query_finds_what_matches_and_nothing_else(self, story: JournalStore, question: str) -> None:
        query, expected = QUESTIONS[question]
        assert positions(story.read(query)) == expected

    def test_without_a_query_every_event_is_read(self, story: JournalStore) -> None:
        assert [(event.type, *event.tags) for event in story.read()] == list(STORY)

    def test_the_first_event_can_be_had_alone_and_everything_read_again_after_it(self, story: JournalStore) -> None:
        reading = story.read(Query.of(tags=["foo:1"]))
        assert next(reading).position == 1
        assert positions(reading) == [2, 9]
        assert positions(story.read(Query.of(tags=["foo:1"]))) == [1, 2, 9]

    @questions
    def test_reading_starts_after_the_position_it_is_given(self, story: JournalStore, question: str) -> None:
        query, expected = QUESTIONS[question]
        for after in range(HEAD + 3):
            assert positions(story.read(query, after=after)) == [found for found in expected if found > after]

    @questions
    def test_reading_ends_with_the_position_until_which_it_is_asked(self, story: JournalStore, question: str) -> None:
        query, expected = QUESTIONS[question]
        for until in range(HEAD + 3):
            assert positions(story.read(query, until=until)) == [found for found in expected if found <= until]

    @questions
    def test_a_limit_keeps_the_first_and_leaves_the_rest(self, story: JournalStore, question: str) -> None:
        query, expected = QUESTIONS[question]
        for limit in range(HEAD + 3):
            assert positions(story.read(query, limit=limit)) == expected[:limit]

    @questions
    def test_options_together_choose_among_the_same_events(self, story: JournalStore, question: str) -> None:
        query, expected = QUESTIONS[question]
        for after, until, limit in ((0, 9, 2), (1, 8, 3), (2, 4, 1), (3, 3, 5), (5, 2, 5), (8, 20, 9)):
            chosen = [found for found in expected if after < found <= until][:limit]
            assert positions(story.read(query, after=after, until=until, limit=limit)) == chosen

    def test_skimming_finds_what_reading_finds(self, story: JournalStore) -> None:
        for types in (["Opened"], ["Closed", "Open"], ["Opened", "Moved", "Closed", "OpenedAgain"], ["Open"]):
            expected = [skimmed(event) for event in story.read(Query.of(types=types))]
            for after, until, limit in ((0, HEAD, HEAD), (0, HEAD, 2), (3, HEAD, 3), (1, 7, HEAD), (HEAD, HEAD, 1)):
                chosen = [one for one in expected if after < one[0] <= until][:limit]
                assert skim(story, types, after=after, until=until, limit=limit) == chosen

    def test_the_kinds_there_are_can_be_had_without_reading(self, story: JournalStore) -> None:
        assert story.kinds() == {Kind(type, 1) for type, *_ in STORY}
        story.append(an_append(an_event("Opened", version=2)))
        assert story.kinds() == {Kind(type, 1) for type, *_ in STORY} | {Kind("Opened", 2)}

    def test_a_limit_of_nothing_reads_nothing(self, story: JournalStore) -> None:
        assert list(story.read(limit=0)) == []

    def test_reading_after_or_until_far_beyond_the_head_is_no_error(self, story: JournalStore) -> None:
        assert list(story.read(after=LAST_POSITION)) == []
        assert positions(story.read(until=LAST_POSITION, limit=LAST_POSITION)) == list(range(1, HEAD + 1))

    def test_two_readers_at_once_do_not_disturb_one_another(self, story: JournalStore) -> None:
        one, other = story.read(), story.read(Query.of(types=["Opened"]))
        taken = [(next(one).position, next(other).position) for _ in range(3)]
        assert taken == [(1, 1), (2, 4), (3, 7)]
        assert positions(one) == [4, 5, 6, 7, 8, 9]
        assert positions(other) == []

    def test_a_reading_that_is_given_up_leaves_the_journal_usable(self, story: JournalStore) -> None:
        next(story.read())
        story.append(an_append(an_event("Opened", "foo:1")))
        assert story.head() == HEAD + 1

    @pytest.mark.parametrize("limit", [-1, -(2**70), 2**63, 1.0, True, "1"])
    def test_a_limit_that_is_no_count_is_refused(self, store: JournalStore, limit: int) -> None:
        with pytest.raises(Invalid, match=r"limit: expected .* found"):
            list(store.read(limit=limit))

    @pytest.mark.parametrize("position", [-1, 2**63, 0.5, True, "0"])
    def test_a_position_that_is_none_is_refused(self, store: JournalStore, position: int) -> None:
        with pytest.raises(Invalid, match=r"after: expected .* found"):
            list(store.read(after=position))
        with pytest.raises(Invalid, match=r"until: expected .* found"):
            list(store.read(until=position))
        with pytest.raises(Invalid, match=r"after: expected .* found"):
            store.load([Query.all()], after=[position])
        with pytest.raises(Invalid, match=r"after: expected .* found"):
            list(store.decisions(after=position))

"""Hostile input: tags that look alike, characters that mean something to somebody, and what must not come in at all."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from actum.journal.errors import Invalid
from actum.journal.event import LONGEST_TAG, LONGEST_TYPE, MOST_TAGS
from actum.journal.query import Query, QueryItem
from actum.journal.store import Appended, Collided
from actum.testing.builders import an_append, an_event, positions
from actum.testing.contract.case import StoreCase

if TYPE_CHECKING:
    from actum.journal.store import JournalStore

LOOKALIKES = (
    *("a", "A", "aa", "a:", ":a", "a:1", "a:1 ", " a:1", "a :1", "a:1:", "a:11", "a:1:1", "aa:1", "a;1", "a,1", "a|1"),
    *("a:%", "a:_", "%", "_", "a%", "a:1%", "*", "a*", "a:*", "a?", "[a]", "a:[1]", "^a", "a$", "(a)", "{a}", "~a"),
    *(
        "'",
        "''",
        "a:'1'",
        "a:'",
        '"',
        '""',
        'a:"1"',
        "\\",
        "\\\\",
        "a:\\1",
        "a:\\n1",
        "\\x00",
        ";",
        "--",
        "a:1;--",
        "/*a*/",
    ),
    *(
        "AND",
        "OR",
        "NOT",
        "NEAR",
        "null",
        "NULL",
        "true",
        "0",
        "00",
        "-1",
        "1e0",
        "a AND b",
        "a OR b",
        "$1",
        ":1",
        "?1",
        "@a",
    ),
    *(
        "é:1",
        "e\u0301:1",
        "É:1",
        "ß:1",
        "ss:1",
        "ﬁ:1",
        "fi:1",
        "ı:1",
        "i:1",
        "İ:1",
        "K:1",
        "\u212a:1",
        "\u00c5:1",
        "A\u030a:1",
        "\u212b:1",
    ),
    *(
        "😀:1",
        "😁:1",
        "👩‍👩‍👧:1",
        "👩👩👧:1",
        "שלום:1",
        "مرحبا:1",
        "\u202ea:1",
        "a\u200b:1",
        "a\ufeff:1",
        "\ufeffa:1",
        "\ufffda:1",
    ),
    *(
        "\u00a0",
        "\u2028",
        "\u2029",
        "\U0010ffff",
        "\ue000",
        "a\u00ad1",
        "中:1",
        "🜂",
        "a\u3000b",
        "{}",
        "[]",
        "<a>",
        "&amp;",
        "&",
    ),
)
"""Tags that collation, patterns, quoting, tokenizers or normalisation might take for one another."""

FORBIDDEN_TAGS = ("", "\x00", "a\x00b", "a\nb", "\n", "a\r", "\t", "a\x1fb", "a\x7f", "\x85", "\ud800", "a:\udfff")

ODD_TYPES = ("A", "a", "Aa", "aA", "A.b", "A-b", "A_b", "A.B", "AND", "NULL", "select", "A1", "X" * LONGEST_TYPE)
FORBIDDEN_TYPES = ("", " ", "1A", "_A", "A b", "A\n", "A:b", "é", "A'", "A%", "X" * (LONGEST_TYPE + 1), "A\x00", "@A")


class HostileCases(StoreCase):
    """Whatever can be stored is told apart from everything else; whatever cannot is turned away at the door."""

    @pytest.fixture
    def zoo(self, store: JournalStore) -> JournalStore:
        """A journal in which each odd tag stands on one event, in the order of the tuple."""
        store.append(an_append(*(an_event("Odd", tag) for tag in LOOKALIKES)))
        return store

    def test_the_odd_tags_are_all_different(self) -> None:
        assert len(set(LOOKALIKES)) == len(LOOKALIKES) > 100

    def test_every_odd_tag_comes_back_as_it_was(self, zoo: JournalStore) -> None:
        assert [event.tags for event in zoo.read()] == [(tag,) for tag in LOOKALIKES]

    def test_every_odd_tag_finds_its_event_and_no_other(self, zoo: JournalStore) -> None:
        found = {tag: positions(zoo.read(Query.of(tags=[tag]))) for tag in LOOKALIKES}
        assert found == {tag: [place] for place, tag in enumerate(LOOKALIKES, 1)}

    def test_every_odd_tag_is_loaded_alone(self, zoo: JournalStore) -> None:
        queries = [Query.of(types=["Odd"], tags=[tag]) for tag in LOOKALIKES]
        _, found = zoo.load(queries, after=[0] * len(queries))
        assert [positions(events) for events in found] == [[place] for place in range(1, len(LOOKALIKES) + 1)]

    def test_every_odd_tag_collides_with_itself_and_nothing_else(self, zoo: JournalStore) -> None:
        for place, tag in enumerate(LOOKALIKES, 1):
            (failed,) = zoo.append(an_append(unless=Query.of(tags=[tag]), after=place - 1))
            (passed,) = zoo.append(an_append(unless=Query.of(tags=[tag]), after=place))
            assert isinstance(failed, Collided)
            assert (failed.position, failed.tags) == (place, (tag,))
            assert isinstance(passed, Appended)

    def test_odd_tags_on_one_event_are_kept_apart(self, store: JournalStore) -> None:
        store.append(an_append(an_event("All", *LOOKALIKES), an_event("None")))
        assert next(store.read()).tags == LOOKALIKES
        for one, other in itertools.pairwise(LOOKALIKES):
            assert positions(store.read(Query.of(tags=[one, other]))) == [1]
        assert positions(store.read(Query.of(tags=[*LOOKALIKES]))) == [1]
        assert positions(store.read(Query.of(tags=[*LOOKALIKES, "one more"]))) == []

    def test_tags_joined_by_anything_are_not_the_single_tags(self, store: JournalStore) -> None:
        for joint in (" ", ",", ";", "|", ":", "\u2028", "\\n", "', '", '","', "\u00a0", "%", " AND "):
            head = store.head()
            store.append(an_append(an_event("Joined", f"x:1{joint}y:1"), an_event("Apart", "x:1", "y:1")))
            assert positions(store.read(Query.of(tags=["x:1", "y:1"]), after=head)) == [head + 2]
            assert positions(store.read(Query.of(tags=[f"x:1{joint}y:1"]), after=head)) == [head + 1]

    def test_tags_that_this_store_might_confuse_are_told_apart(self, store: JournalStore) -> None:
        for one, other in self.confusable_tags:
            head = store.head()
            store.append(an_append(an_event("One", one), an_event("Both", one, other)))
            assert positions(store.read(Query.of(tags=[other]), after=head)) == [head + 2]
            assert positions(store.read(Query.of(tags=[one]), after=head)) == [head + 1, head + 2]
            (passed,) = store.append(an_append(an_event("Two", other), unless=Query.of(tags=[one]), after=head + 2))
            assert isinstance(passed, Appended)
            (passed,) = store.append(an_append(unless=Query.of(tags=[one]), after=head + 2))
            assert isinstance(passed, Appended)

    def test_odd_types_are_told_apart(self, store: JournalStore) -> None:
        store.append(an_append(*(an_event(type) for type in ODD_TYPES)))
        found = {type: positions(store.read(Query.of(types=[type]))) for type in ODD_TYPES}
        assert found == {type: [place] for place, type in enumerate(ODD_TYPES, 1)}

    def test_a_type_is_no_tag_and_a_tag_no_type(self, store: JournalStore) -> None:
        store.append(an_append(an_event("Odd", "Even"), an_event("Even", "Odd")))
        assert positions(store.read(Query.of(types=["Odd"]))) == [1]
        assert positions(store.read(Query.of(tags=["Odd"]))) == [2]
        assert positions(store.read(Query.of(types=["Odd"], tags=["Odd"]))) == []

    @pytest.mark.parametrize("tag", FORBIDDEN_TAGS)
    def test_a_tag_that_cannot_be_stored_gets_no_further_than_its_event(self, store: JournalStore, tag: str) -> None:
        with pytest.raises(Invalid, match="tag"):
            store.append(an_append(an_event("Odd", "fine:1", tag)))
        with pytest.raises(Invalid, match="tag"):
            list(store.read(Query.of(tags=[tag])))
        assert store.head() == 0

    @pytest.mark.parametrize("type", FORBIDDEN_TYPES)
    def test_a_type_that_cannot_be_stored_gets_no_further_than_its_event(self, store: JournalStore, type: str) -> None:
        with pytest.raises(Invalid, match="cannot name an event type"):
            store.append(an_append(an_event(type)))
        with pytest.raises(Invalid, match="cannot name an event type"):
            list(store.read(Query.of(types=[type])))
        assert store.head() == 0


class SizeCases(StoreCase):
    """Much of everything: long tags, many tags, large payloads, queries of ten thousand items."""

    def test_tags_of_the_greatest_length_are_told_apart_by_their_last_character(self, store: JournalStore) -> None:
        stem = "x" * (LONGEST_TAG - 1)
        long = [stem + last for last in "abc"] + ["é" * (LONGEST_TAG // 2), "🜂" * (LONGEST_TAG // 4)]
        store.append(an_append(*(an_event("Long", tag) for tag in long)))
        for place, tag in enumerate(long, 1):
            assert positions(store.read(Query.of(tags=[tag]))) == [place]
            (failed,) = store.append(an_append(unless=Query.of(tags=[tag]), after=place - 1))
            assert isinstance(failed, Collided)
            assert failed.tags == (tag,)

    @pytest.mark.parametrize("tag", ["x" * (LONGEST_TAG + 1), "é" * (LONGEST_TAG // 2 + 1), "x" * 1_000_000])
    def test_a_longer_tag_is_refused(self, store: JournalStore, tag: str) -> None:
        with pytest.raises(Invalid, match=f"at most {LONGEST_TAG} bytes, found"):
            store.append(an_append(an_event("Long", tag)))
        assert store.head() == 0

    def test_an_event_carries_as_many_tags_as_promised(self, store: JournalStore) -> None:
        tags = [f"n:{number}:" + "x" * (LONGEST_TAG - 8) for number in range(MOST_TAGS)]
        store.append(an_append(an_event("Many", *tags)))
        assert next(store.read(Query.of(tags=tags))).tags == tuple(tags)
        with pytest.raises(Invalid, match=f"at most {MOST_TAGS} tags, found {MOST_TAGS + 1}"):
            store.append(an_append(an_event("Many", *tags, "one:more")))

    def test_payloads_of_a_mebibyte_come_back_to_the_byte(self, store: JournalStore) -> None:
        payloads = [bytes(range(256)) * 4096, b"\x00" * 2**20, b"x" * (2**20 - 1)]
        store.append(*(an_append(an_event("Large", "a:1", data=payload, metadata=payload)) for payload in payloads))
        found = list(store.read(Query.of(tags=["a:1"])))
        assert [event.data for event in found] == payloads
        assert [event.metadata_bytes for event in found] == payloads

    def test_a_payload_over_a_mebibyte_is_refused_and_the_rest_of_its_batch_with_it(self, store: JournalStore) -> None:
        with pytest.raises(Invalid, match=r"1048576 bytes.*found 1048577"):
            store.append(an_append(), an_append(an_event("Large", data=b"x" * (2**20 + 1))))
        assert store.head() == 0

    def test_an_append_of_ten_thousand_events_is_one_append(self, store: JournalStore) -> None:
        events = [an_event("Many", f"n:{number}", "all:1") for number in range(10_000)]
        (outcome,) = store.append(an_append(*events, unless=Query.of(tags=["all:1"]), command="c"))
        assert isinstance(outcome, Appended)
        assert (outcome.first, outcome.last) == (1, 10_000)
        assert [event.id for event in store.read(Query.of(tags=["all:1"]))] == [event.id for event in events]
        assert positions(store.read(Query.of(tags=["n:7777"]))) == [7778]

    def test_a_query_of_ten_thousand_items_finds_each(self, store: JournalStore) -> None:
        events = [an_event("Even" if number % 2 == 0 else "Odd", f"n:{number}") for number in range(2000)]
        store.append(an_append(*events))
        items = [QueryItem(types=frozenset({"Even"}), tags=frozenset({f"n:{number}"})) for number in range(10_000)]
        query = Query.from_items(items[::-1])
        expected = list(range(1, 2001, 2))
        assert positions(store.read(query)) == expected
        assert positions(store.read(query, backwards=True)) == expected[::-1]
        assert positions(store.read(query, limit=1, backwards=True)) == [1999]
        head, (alone, again) = store.load([query, query], after=[0, 1000])
        assert head == 2000
        assert positions(alone) == expected
        assert positions(again) == [place for place in expected if place > 1000]

    def test_a_condition_of_ten_thousand_items_finds_the_one_that_matches(self, store: JournalStore) -> None:
        query = Query.from_items(QueryItem(tags=frozenset({f"n:{number}"})) for number in range(10_000))
        (passed,) = store.append(an_append(an_event("Other", "n:10000"), unless=query, command="c"))
        (matching,) = store.append(an_append(an_event("Late", "n:9999")))
        (failed,) = store.append(an_append(unless=query, after=1))
        (again,) = store.append(an_append(unless=query, after=2))
        assert isinstance(passed, Appended)
        assert isinstance(matching, Appended)
        assert failed == Collided(position=2, type="Late", tags=("n:9999",), after=1)
        assert isinstance(again, Appended)
        (record,) = store.decisions()
        assert record.condition is not None
        assert record.condition.fail_if_events_match == query

    def test_a_condition_with_more_tags_than_an_event_can_have_never_fails(self, store: JournalStore) -> None:
        tags = [f"n:{number}" for number in range(1000)]
        store.append(an_append(an_event("Some", *tags[:MOST_TAGS])))
        (outcome,) = store.append(an_append(unless=Query.of(tags=tags)))
        assert isinstance(outcome, Appended)
        assert list(store.read(Query.of(types=["Some"], tags=tags))) == []

    def test_a_query_for_ten_thousand_types_finds_each(self, store: JournalStore) -> None:
        store.append(an_append(*(an_event(f"T{number}", "a:1") for number in range(50))))
        types = [f"T{number}" for number in range(25, 10_025)]
        assert positions(store.read(Query.of(types=types))) == list(range(26, 51))
        assert positions(store.read(Query.of(types=types, tags=["a:1"]), backwards=True)) == list(range(50, 25, -1))
        (failed,) = store.append(an_append(unless=Query.of(types=types), after=49))
        (passed,) = store.append(an_append(unless=Query.of(types=types), after=50))
        assert isinstance(failed, Collided)
        assert isinstance(passed, Appended)

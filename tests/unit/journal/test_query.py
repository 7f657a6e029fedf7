"""The algebra of queries, and what cannot be asked."""

from __future__ import annotations

import pickle
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from actum.journal.errors import Invalid
from actum.journal.query import MANY_ITEMS, AppendCondition, Query, QueryItem

names = st.frozensets(st.sampled_from("ABC"), max_size=2)
marks = st.frozensets(st.sampled_from("abcd"), max_size=2)
items = st.tuples(names, marks).filter(any).map(lambda pair: QueryItem(types=pair[0], tags=pair[1]))
queries = st.lists(items, min_size=1, max_size=3 * MANY_ITEMS).map(Query.from_items) | st.just(Query.all())
events = st.tuples(st.sampled_from("ABCD"), st.frozensets(st.sampled_from("abcde")))


@given(queries, queries, events)
def test_a_union_matches_what_either_matches(one: Query, other: Query, event: tuple[str, frozenset[str]]) -> None:
    assert (one | other).matches(*event) == (one.matches(*event) or other.matches(*event))


@given(queries, queries, queries)
def test_unions_may_be_taken_in_any_grouping(one: Query, other: Query, third: Query) -> None:
    assert (one | other) | third == one | (other | third)
    assert one | one == one
    assert (one | Query.all()).is_all


@given(queries, events)
def test_a_query_of_many_items_matches_what_its_items_match(query: Query, event: tuple[str, frozenset[str]]) -> None:
    type, tags = event
    plain = query.is_all or any((not i.types or type in i.types) and i.tags <= tags for i in query.items)
    assert query.matches(type, tags) == query.matches(type, tuple(tags)) == plain


@given(queries)
def test_a_query_is_a_value(query: Query) -> None:
    query.matches("A", {"a"})
    copy = pickle.loads(pickle.dumps(query))
    assert copy == query
    assert hash(copy) == hash(query)


def test_an_item_asks_for_one_of_its_types_and_all_of_its_tags() -> None:
    query = Query.of(types=["A", "B"], tags=["x", "y"])
    assert query.matches("B", ["y", "z", "x"])
    assert not query.matches("C", ["x", "y"])
    assert not query.matches("A", ["x"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Query.of, r"use Query.all\(\)"),
        (lambda: Query.from_items([]), r"use Query.all\(\)"),
        (
            lambda: Query.of(types="Opened"),
            r"types: expected several names, found the text 'Opened'; write \['Opened'\]",
        ),
        (lambda: Query.of(tags="a:1"), "tags: expected several names"),
        (lambda: Query.of(tags=[""]), "cannot be empty"),
        (lambda: Query.of(tags=["a\n"]), "control character"),
        (lambda: Query.of(types=["a b"]), "cannot name an event type"),
        (lambda: Query.of(types=[7]), "cannot name an event type"),
        (lambda: AppendCondition(Query.all(), after=-1), "after: expected a position from 0"),
        (lambda: AppendCondition(Query.all(), after=2**63), "after: expected a position from 0"),
        (lambda: AppendCondition(Query.all(), after=1.0), "after: expected a position from 0"),
    ],
)
def test_what_cannot_be_asked_says_what_can(make: Any, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        make()

"""The newest events in memory: found alike whenever one looks, and taken back whole."""

from __future__ import annotations

import random

import pytest

from actum.journal.query import Query
from actum.stores.window import Window

TAGS = ("a:1", "a:2", "b:1")
TYPES = ("Opened", "Closed")
QUERIES = (
    Query.of(tags=["a:1"]),
    Query.of(tags=["a:1", "b:1"]),
    Query.of(types=["Opened"], tags=["a:2"]),
    Query.of(types=["Closed"]),
    Query.of(tags=["a:1"]) | Query.of(tags=["b:1"]),
    Query.all(),
)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_found_does_not_depend_on_when_somebody_looked_before(seed: int) -> None:
    chance, window = random.Random(seed), Window()
    events: list[tuple[str, tuple[str, ...]]] = []
    for _ in range(60):
        match chance.randrange(4):
            case 0 | 1:
                new = [
                    (chance.choice(TYPES), tuple(chance.sample(TAGS, chance.randrange(3))))
                    for _ in range(chance.randrange(1, 5))
                ]
                window.extend(new)
                events += new
            case 2:
                head = chance.randrange(window.floor, len(events) + 1)
                window.take_back(head)
                del events[head:]
            case _:
                window.turn_over(8, indexed=chance.randrange(len(events) + 1))
        if chance.randrange(2):
            query, after = chance.choice(QUERIES), chance.randrange(window.floor, len(events) + 1)
            expected = [place for place, event in enumerate(events, 1) if place > after and query.matches(*event)]
            assert window.find(query, after, window.head) == expected
            assert not expected or window.may_match(query, after)
    assert window.head == len(events)
    assert window.tags_after(window.floor) == [tags for _, tags in events[window.floor :]]


def test_what_was_taken_back_is_no_longer_the_newest_of_its_type() -> None:
    window = Window()
    window.extend([("Opened", ("a:1",)), ("Opened", ("a:1",))])
    window.take_back(1)
    assert window.newest_of["Opened"] == 1
    assert window.find(Query.of(tags=["a:1"]), 0, window.head) == [1]

"""A moment is found among the positions, and a state folded up to it and no further."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from actum.history.as_of import position_at, recorded_at
from actum.journal.clock import Microseconds, to_datetime
from actum.journal.errors import Invalid
from actum.journal.store import Append
from actum.stores.memory import MemoryStore
from actum.testing.builders import an_event


class Given:
    """A clock that says what it is told, one time after another."""

    def __init__(self, times: list[Microseconds]) -> None:
        self._times = iter(times)

    def now(self) -> Microseconds:
        return next(self._times)


def _store(times: list[Microseconds]) -> MemoryStore:
    store = MemoryStore(clock=Given(times))
    for _ in times:
        store.append(Append((an_event(),)))
    return store


@given(some.lists(some.integers(0, 30), max_size=40).map(sorted), some.integers(-1, 31))
def test_a_time_is_the_last_position_recorded_until_then(times: list[Microseconds], moment: Microseconds):
    assert position_at(_store(times), to_datetime(moment)) == sum(time <= moment for time in times)


def test_no_moment_is_now():
    assert position_at(_store([1, 2, 3]), None) == 3
    assert position_at(_store([]), None) == 0


def test_a_position_is_itself_unless_it_is_from_the_future():
    store = _store([5, 6, 7])
    assert [position_at(store, position) for position in range(4)] == [0, 1, 2, 3]
    with pytest.raises(Invalid, match="position 4 is from the future, the journal ends at 3"):
        position_at(store, 4)


def test_the_zone_of_a_time_does_not_matter_and_a_time_without_one_is_refused():
    store = _store([0, 3_600_000_000])
    half_past = datetime(1970, 1, 1, 0, 30, tzinfo=UTC)
    assert position_at(store, half_past) == position_at(store, half_past.astimezone()) == 1
    assert position_at(store, half_past + timedelta(hours=1)) == 2
    with pytest.raises(Invalid, match="naive"):
        position_at(store, half_past.replace(tzinfo=None))


def test_each_event_was_recorded_at_its_time():
    store = _store([5, 5, 9])
    assert [recorded_at(store, position) for position in (1, 2, 3)] == [5, 5, 9]

"""Time to the microsecond, and identifiers that only grow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from actum.journal.clock import (
    EARLIEST,
    LATEST,
    SYSTEM_CLOCK,
    SYSTEM_IDS,
    Uuid7Ids,
    checked_moment,
    moment_of,
    to_datetime,
    to_microseconds,
    uuid_of,
)
from actum.journal.errors import Invalid
from actum.testing.clocks import SetClock


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_datetime_survives_its_microseconds(moment: datetime) -> None:
    assert to_datetime(to_microseconds(moment)) == moment


def test_another_time_zone_is_another_way_to_say_the_same() -> None:
    there = datetime(2024, 1, 1, 3, tzinfo=timezone(timedelta(hours=3)))
    assert to_microseconds(there) == to_microseconds(datetime(2024, 1, 1, tzinfo=UTC)) == 1_704_067_200_000_000


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(Invalid, match="a time zone, found the naive 2024-01-01T00:00:00"):
        to_microseconds(datetime(2024, 1, 1))  # noqa: DTZ001


def test_moments_end_with_the_calendar() -> None:
    assert to_datetime(EARLIEST) == datetime.min.replace(tzinfo=UTC)
    assert to_datetime(LATEST) == datetime.max.replace(tzinfo=UTC)
    wrong: list[Any] = [EARLIEST - 1, LATEST + 1, 0.0, True, None]
    for moment in wrong:
        with pytest.raises(Invalid, match="when: expected microseconds since 1970"):
            checked_moment(moment, "when")


def test_identifiers_are_of_version_seven_and_say_when_they_were_made() -> None:
    before = SYSTEM_CLOCK.now() // 1000 * 1000
    made = SYSTEM_IDS.new()
    assert uuid_of(made).version == 7
    assert uuid_of(made).variant == "specified in RFC 4122"
    assert moment_of(made) >= before


@pytest.mark.parametrize("moments", [[5_000_000], [5_000_000, 4_000_000, 1], list(range(0, 5_000_000, 1000))])
def test_identifiers_grow_whatever_the_clock_does(moments: list[int]) -> None:
    clock = SetClock()
    ids = Uuid7Ids(clock)
    made: list[bytes] = []
    for moment in moments:
        clock.set(moment)
        made += [ids.new() for _ in range(20)]
    assert made == sorted(set(made))


def test_identifiers_made_in_many_threads_are_all_different_and_grow_in_each() -> None:
    ids = Uuid7Ids(SYSTEM_CLOCK)
    with ThreadPoolExecutor(8) as crew:
        made = list(crew.map(lambda _: [ids.new() for _ in range(2000)], range(8)))
    assert all(mine == sorted(mine) for mine in made)
    assert len({one for mine in made for one in mine}) == 16_000


def test_salts_are_sixteen_bytes_and_never_the_same() -> None:
    salts = [SYSTEM_IDS.salt() for _ in range(5000)]
    assert {len(salt) for salt in salts} == {16}
    assert len(set(salts)) == 5000

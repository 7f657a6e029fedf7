"""What recurs, in every time zone and on every odd day."""

from __future__ import annotations

import itertools
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from actum import Command, Misdeclared
from actum.process.schedule import Daily, Every, Monthly, Recurrence, schedule_of

ZONES = sorted(zoneinfo.available_timezones())
MOMENTS = some.integers(-(10**9) // 2, 38 * 10**8).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def turns(when: Recurrence, start: datetime, count: int) -> list[datetime]:
    found = [when.following(start)]
    while len(found) < count:
        found.append(when.following(found[-1]))
    return found


def local(moments: list[datetime], zone: str) -> list[str]:
    return [moment.astimezone(zoneinfo.ZoneInfo(zone)).isoformat() for moment in moments]


def test_a_time_that_the_clocks_leave_out_is_taken_with_the_offset_from_before():
    when = Daily("02:30", zone="Europe/Berlin")
    assert local(turns(when, datetime(2026, 3, 28, tzinfo=UTC), 3), "Europe/Berlin") == [
        "2026-03-28T02:30:00+01:00",
        "2026-03-29T03:30:00+02:00",  # there is no 02:30 on this day
        "2026-03-30T02:30:00+02:00",
    ]


def test_a_time_that_the_clocks_show_twice_is_the_first_of_the_two():
    when = Daily("02:30", zone="Europe/Berlin")
    assert local(turns(when, datetime(2026, 10, 24, tzinfo=UTC), 3), "Europe/Berlin") == [
        "2026-10-24T02:30:00+02:00",
        "2026-10-25T02:30:00+02:00",  # and not again an hour later, at +01:00
        "2026-10-26T02:30:00+01:00",
    ]


def test_a_day_that_a_zone_leaves_out_is_not_made_up_for():
    when = Daily("12:00", zone="Pacific/Apia")
    found = turns(when, datetime(2011, 12, 28, 23, tzinfo=UTC), 3)
    assert local(found, "Pacific/Apia") == [
        "2011-12-29T12:00:00-10:00",
        "2011-12-31T12:00:00+14:00",
        "2012-01-01T12:00:00+14:00",
    ]


@given(some.sampled_from(ZONES), MOMENTS, some.times())
def test_in_every_zone_each_day_has_its_turn_once_and_in_order(zone: str, start: datetime, at: time):
    place, wanted = zoneinfo.ZoneInfo(zone), at.replace(microsecond=0)
    found = turns(Daily(wanted.isoformat(), zone=zone), start, 6)
    assert found == sorted(set(found))
    assert all(moment > start for moment in found)
    days = [moment.astimezone(place) for moment in found]
    for moment in days:
        if moment.time() != wanted:  # then there was no such time on that day
            there = datetime.combine(moment.date(), wanted, tzinfo=place)
            before = there.astimezone(UTC).astimezone(place)
            assert before.time() != wanted or before.date() != there.date(), (zone, moment)
        else:
            assert moment.fold == 0, (zone, moment)
    assert all(later - earlier <= timedelta(hours=49) for earlier, later in itertools.pairwise(found)), days


@given(some.sampled_from(ZONES), MOMENTS, some.times(), some.integers(0, 86_400))
def test_the_next_turn_does_not_depend_on_when_one_asks(zone: str, start: datetime, at: time, seconds: int):
    when = Daily(at.replace(microsecond=0).isoformat(), zone=zone)
    following = when.following(start)
    between = min(start + timedelta(seconds=seconds), following - timedelta(microseconds=1))
    assert when.following(between) == following


def test_days_of_the_week_can_be_named():
    when = Daily("09:00", zone="UTC", on=("mon", "fri"))
    assert [moment.strftime("%a %d") for moment in turns(when, datetime(2026, 11, 27, 9, tzinfo=UTC), 3)] == [
        "Mon 30",
        "Fri 04",
        "Mon 07",
    ]


def test_the_last_day_stands_in_for_one_that_a_month_does_not_have():
    when = Monthly(31, at="23:00", zone="UTC")
    found = turns(when, datetime(2028, 1, 1, tzinfo=UTC), 4)
    assert [f"{moment:%m-%d}" for moment in found] == ["01-31", "02-29", "03-31", "04-30"]


@given(some.sampled_from(ZONES), MOMENTS, MOMENTS, some.integers(1, 10**6))
def test_an_interval_is_counted_from_where_it_begins_whatever_clocks_show(
    zone: str, begun: datetime, moment: datetime, seconds: int
):
    since = begun.astimezone(zoneinfo.ZoneInfo(zone))
    following = Every(timedelta(seconds=seconds), since=since).following(moment)
    assert moment < following <= moment + timedelta(seconds=seconds)
    assert (following - begun) % timedelta(seconds=seconds) == timedelta(0)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Daily("25:00", zone="UTC"), "time of day"),
        (lambda: Daily("02:30+01:00", zone="UTC"), "by itself"),
        (lambda: Daily("02:30", zone="Mars/Olympus"), "time zone"),
        (lambda: Daily("02:30", zone="UTC", on=()), "expected some of"),
        (lambda: Monthly(32, at="02:30", zone="UTC"), "1 to 31"),
        (lambda: Every(timedelta(0)), "a second or more"),
        (lambda: Every(timedelta(1), since=datetime(2026, 1, 1)), "naive"),  # noqa: DTZ001
    ],
)
def test_what_never_comes_is_said_to_be_none(made: Callable[[], Any], said: str):
    with pytest.raises(Misdeclared, match=said):
        made()


class Tick(Command):
    at: datetime


def tick(due: datetime) -> Tick:
    return Tick(at=due)


def without_due() -> Tick:
    return Tick(at=datetime(2026, 1, 1, tzinfo=UTC))


def without_command(due: datetime) -> str:
    return str(due)


def test_a_schedule_makes_a_command_of_the_time_that_is_due():
    plan = schedule_of(tick, Daily("02:30", zone="UTC"), merge_missed=False)
    due, now = datetime(2026, 1, 1, 2, 30, tzinfo=UTC), datetime(2026, 1, 4, tzinfo=UTC)
    assert plan.next(due, now) == datetime(2026, 1, 2, 2, 30, tzinfo=UTC)
    merged = schedule_of(tick, Daily("02:30", zone="UTC"), merge_missed=True)
    assert merged.next(due, now) == datetime(2026, 1, 4, 2, 30, tzinfo=UTC)
    for wrong in (without_due, without_command):
        with pytest.raises(Misdeclared, match=r"expected|say which command"):
            schedule_of(wrong, Daily("02:30", zone="UTC"), merge_missed=False)  # type: ignore[arg-type]

"""When something recurs: at a time of day in a time zone, on a day of the month, or after so long.

Local times follow RFC 5545 §3.3.5: a time that a zone's clocks leave out, because they are put forward, is taken with the
offset from before, so 02:30 happens at what they then call 03:30; a time that they show twice, because they are put back,
is the first of the two. A day that a zone leaves out is not made up for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from actum.decision.command import Command
from actum.decision.state import hints_of, source
from actum.journal.errors import Misdeclared, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of a week, as they are said."""

SEARCH = 2000
"""How many days ahead one looks for the next turn: nothing that recurs is rarer."""


class Recurrence(Protocol):
    """What recurs."""

    def following(self, moment: datetime) -> datetime:
        """The first turn after that moment, in UTC."""
        ...


class Every(msgspec.Struct, frozen=True):
    """After so long, again and again, counted from `since`: by the clock of no place, so no clock is ever put back."""

    interval: timedelta
    since: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    def __post_init__(self) -> None:
        if self.interval < timedelta(seconds=1):
            raise Misdeclared(f"Every: expected a second or more, found {self.interval}")
        if self.since.tzinfo is None:
            raise Misdeclared(f"Every: since needs a time zone, found the naive {self.since.isoformat()}")

    def following(self, moment: datetime) -> datetime:
        """See `Recurrence.following`."""
        since = self.since.astimezone(UTC)  # within a zone, Python adds by its clocks on the wall
        turns = (moment - since) // self.interval
        return since + (turns + 1) * self.interval


class Daily(msgspec.Struct, frozen=True):
    """Every day at that time of a zone's clocks, or on these days of the week only: `Daily("02:30", zone="Europe/Berlin")`."""

    at: str
    zone: str
    on: tuple[Weekday, ...] = WEEKDAYS

    def __post_init__(self) -> None:
        _time(self.at)
        _zone(self.zone)
        if not self.on or any(day not in WEEKDAYS for day in self.on):
            raise Misdeclared(f"Daily: on: expected some of {', '.join(WEEKDAYS)}, found {self.on!r}")

    def following(self, moment: datetime) -> datetime:
        """See `Recurrence.following`."""
        wanted = {WEEKDAYS.index(day) for day in self.on}
        return _first_after(moment, self.at, self.zone, (day for day in _days(moment) if day.weekday() in wanted))


class Monthly(msgspec.Struct, frozen=True):
    """On that day of every month, the last one where a month is shorter, at that time of a zone's clocks."""

    day: int
    at: str
    zone: str

    def __post_init__(self) -> None:
        _time(self.at)
        _zone(self.zone)
        if not 1 <= self.day <= 31:
            raise Misdeclared(f"Monthly: expected a day from 1 to 31, found {self.day!r}")

    def following(self, moment: datetime) -> datetime:
        """See `Recurrence.following`."""
        return _first_after(moment, self.at, self.zone, (day for day in _days(moment) if self._fits(day)))

    def _fits(self, day: date) -> bool:
        return day.day == self.day or (day.day < self.day and (day + timedelta(days=1)).day == 1)


def _days(moment: datetime) -> Iterator[date]:
    """From two days before on: no zone is further from UTC."""
    first = moment.astimezone(UTC).date() - timedelta(days=2)
    return (first + timedelta(days=number) for number in range(SEARCH))


def _first_after(moment: datetime, at: str, zone: str, days: Iterator[date]) -> datetime:
    clock, place = _time(at), _zone(zone)
    for day in days:
        turn = datetime.combine(day, clock, tzinfo=place).astimezone(UTC)
        if turn > moment:
            return turn
    raise AssertionError(f"no turn within {SEARCH} days after {moment}")


def _time(text: str) -> time:
    try:
        found = time.fromisoformat(text)
    except (TypeError, ValueError) as wrong:
        raise Misdeclared(f'expected a time of day like "02:30", found {text!r}') from wrong
    if found.tzinfo is not None:
        raise Misdeclared(f"expected a time of day by itself, found {text!r}; say which zone with zone=…")
    return found


@cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as wrong:
        raise Misdeclared(
            f'expected a time zone like "Europe/Berlin", found {name!r}; where it should be known, '
            "this system has no time zone data: pip install tzdata"
        ) from wrong


class SchedulePlan(msgspec.Struct, frozen=True):
    """Something that recurs, understood: when, and which command each turn is."""

    name: str
    when: Recurrence
    make: Callable[[datetime], Command]
    merge_missed: bool

    @property
    def spec(self) -> str:
        """The rule in words: a change of it arranges the next turn anew."""
        return repr(self.when)

    def command(self, due: datetime) -> Command:
        """The command of one turn. A schedule cannot refuse: `Misdeclared` where it does, so that the turn is not lost."""
        try:
            return self.make(due)
        except Refused as refused:
            raise Misdeclared(
                f"the schedule {self.name} refused a turn ({refused}); give its command, and let a rule refuse that"
            ) from refused

    def next(self, due: datetime, now: datetime) -> datetime:
        """Which turn comes next, once this one has been taken."""
        return self.when.following(max(due, now) if self.merge_missed else due)


def schedule_of(make: Callable[[datetime], Command], when: Recurrence, *, merge_missed: bool) -> SchedulePlan:
    """The schedule that the function is. `Misdeclared` where it makes no command of a datetime."""
    what = f"{make.__module__}.{make.__qualname__}"
    parameters, hints = source().parameters_of(make), hints_of(make, what)
    made = hints.get("return")
    if len(parameters) != 1 or hints.get(parameters[0]) is not datetime:
        raise Misdeclared(f"{what}: expected `def {make.__name__}(due: datetime) -> SomeCommand`")
    if not (isinstance(made, type) and issubclass(made, Command)) or not source().is_ordinary(make, generator=False):
        raise Misdeclared(f"{what}: say which command it makes, as in `-> CreditInterest`")
    return SchedulePlan(make.__name__, when, make, merge_missed)

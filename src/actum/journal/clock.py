"""Time and identity, passed in: nothing in actum asks the operating system for either behind your back."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeAlias
from uuid import UUID

from actum.journal.errors import Invalid

Microseconds: TypeAlias = int
"""Microseconds since 1970-01-01T00:00:00Z: how the journal keeps time."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

EARLIEST: Microseconds = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""The first microsecond of the year 1: no moment is before it."""

LATEST: Microseconds = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""The last microsecond of the year 9999: no moment is after it."""


def to_microseconds(moment: datetime) -> Microseconds:
    """The journal's form of an aware datetime, exact. Raises `Invalid` for a naive one, and for what is none."""
    if not isinstance(moment, datetime):
        raise Invalid(f"expected a datetime with a time zone, found {moment!r:.80} ({type(moment).__name__})")
    if moment.tzinfo is None:
        raise Invalid(f"expected a datetime with a time zone, found the naive {moment.isoformat()}; say which zone")
    return (moment - _EPOCH) // _MICROSECOND


def checked_moment(moment: Microseconds, what: str) -> Microseconds:
    """The moment itself; `Invalid` where it is no whole number or outside the years 1 to 9999."""
    if type(moment) is not int or not EARLIEST <= moment <= LATEST:
        raise Invalid(f"{what}: expected microseconds since 1970, within the years 1 to 9999, found {moment!r}")
    return moment


def to_datetime(moment: Microseconds) -> datetime:
    """The datetime, in UTC, of the journal's microseconds, exact."""
    return _EPOCH + timedelta(microseconds=moment)


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> Microseconds:
        """The time, to the microsecond."""
        ...


class Ids(Protocol):
    """Makes identifiers and salts, 16 bytes each."""

    def new(self) -> bytes:
        """A fresh identifier: a UUIDv7 in its 16 bytes, greater than every one made before it here."""
        ...

    def salt(self) -> bytes:
        """16 unpredictable bytes."""
        ...


class SystemClock:
    """The operating system's clock."""

    def now(self) -> Microseconds:
        return time.time_ns() // 1000


class Uuid7Ids:
    """UUIDv7 (RFC 9562 §5.7), strictly increasing within one object also inside a millisecond (§6.2, method 2).

    Salts come from the operating system's random source, drawn a page at a time. Safe to share between threads.
    """

    _PAGE = 4096

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._millisecond = 0
        self._last = 0
        self._steps = iter(b"")
        self._salts: list[bytes] = []

    def new(self) -> bytes:
        """See `Ids.new`."""
        millisecond = self._clock.now() // 1000
        with self._lock:
            if millisecond > self._millisecond:
                self._millisecond = millisecond
                drawn = int.from_bytes(self.salt(), "big") & _DRAWN
                self._last = millisecond << 80 | _VERSION_AND_VARIANT | drawn
            else:
                self._last += 1 + self._step()
            return self._last.to_bytes(16, "big")

    def _step(self) -> int:
        """By how much more than one the next id is greater: 0 to 255, so that nobody can count what lies between two."""
        step = next(self._steps, None)
        if step is None:
            self._steps = iter(os.urandom(self._PAGE))
            step = next(self._steps)
        return step

    def salt(self) -> bytes:
        """See `Ids.salt`."""
        try:
            return self._salts.pop()
        except IndexError:
            page = os.urandom(self._PAGE)
        self._salts += [page[start : start + 16] for start in range(16, self._PAGE, 16)]
        return page[:16]


_VERSION_AND_VARIANT = 0x7000_8000_0000_0000_0000
"""Of a UUIDv7: the bits that are fixed."""

_DRAWN = 0x0FFF_1FFF_FFFF_FFFF_FFFF
"""The bits that are drawn at random in each millisecond: all others but the topmost of the counter, which cannot run over then."""

SYSTEM_CLOCK = SystemClock()
"""The default clock."""

SYSTEM_IDS = Uuid7Ids(SYSTEM_CLOCK)
"""The default maker of identifiers."""


def uuid_of(identifier: bytes) -> UUID:
    """The identifier as people write it."""
    return UUID(bytes=identifier)


def moment_of(identifier: bytes) -> Microseconds:
    """When a UUIDv7 was made, to the millisecond."""
    return int.from_bytes(identifier[:6], "big") * 1000

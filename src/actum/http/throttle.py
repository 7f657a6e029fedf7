"""Slows down whoever guesses: after some failures under one name, the next try must wait, longer each time."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from actum.http.problem import Problem
from actum.journal.errors import Denied

if TYPE_CHECKING:
    from collections.abc import Generator

FREE = 5
"""How many failures under one name from one address cost nothing."""

LONGEST = 900.0
"""Seconds that one waits at the most after those; after as many, one failure is forgotten."""

FREE_TOGETHER = 50
"""How many failures under one name from everywhere, or from one address under all names, cost nothing."""

LONGEST_TOGETHER = 60.0
"""Likewise: short, since whoever guesses must not keep all others out."""

NAMES = 10_000
"""How many names are remembered."""


class Throttle:
    """Counts failures by name, in memory."""

    def __init__(self, *, free: int = FREE, longest: float = LONGEST) -> None:
        self._free = free
        self._longest = longest
        self._failures: dict[str, tuple[int, float]] = {}

    def check(self, name: str) -> None:
        """`too-many-requests` where the name must wait."""
        count, since = self._failed(name)
        pause = min(2.0 ** min(count - self._free, 60), self._longest) if count >= self._free else 0.0
        left = since + pause - time.monotonic()
        if left > 0:
            seconds = str(int(left) + 1)
            raise Problem("too-many-requests", f"too many failures; wait {seconds} s", headers={"Retry-After": seconds})

    def failed(self, name: str) -> None:
        """Another failure."""
        count, _ = self._failed(name)
        self._failures.pop(name, None)
        self._failures[name] = count + 1, time.monotonic()
        if len(self._failures) > NAMES:
            del self._failures[next(iter(self._failures))]

    def undone(self, name: str) -> None:
        """The last one was none."""
        count, since = self._failed(name)
        self._failures[name] = count - 1, since
        if count <= 1:
            del self._failures[name]

    def succeeded(self, name: str) -> None:
        """All is forgiven."""
        self._failures.pop(name, None)

    def _failed(self, name: str) -> tuple[int, float]:
        count, since = self._failures.get(name, (0, 0.0))
        return max(count - int((time.monotonic() - since) / self._longest), 0), since


class Tries:
    """Passwords that are tried: few under one name from one address, more under one name or from one address alone."""

    def __init__(self) -> None:
        self._pairs = Throttle()
        self._together = Throttle(free=FREE_TOGETHER, longest=LONGEST_TOGETHER)

    @contextmanager
    def attempt(self, name: str, address: str) -> Generator[None, None, None]:
        """Counts as a failure from its beginning on, so that nobody gets more by trying many at once; `Denied` leaves it so."""
        pair = f"{address} {name}"
        places = ((self._pairs, pair), (self._together, f"name:{name}"), (self._together, f"from:{address}"))
        for throttle, place in places:
            throttle.check(place)
        for throttle, place in places:
            throttle.failed(place)
        try:
            yield
        except Denied:
            raise
        except BaseException:
            _undo(places)
            raise
        _undo(places)
        self._pairs.succeeded(pair)


def _undo(places: tuple[tuple[Throttle, str], ...]) -> None:
    for throttle, place in places:
        throttle.undone(place)


class Bucket:
    """Lets through so many a second, and up to `most` at once."""

    def __init__(self, rate: float, *, most: float) -> None:
        self._rate = rate
        self._most = most
        self._left = most
        self._looked = time.monotonic()

    def take(self) -> bool:
        """Whether one more may pass."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._looked) * self._rate)
        self._looked = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

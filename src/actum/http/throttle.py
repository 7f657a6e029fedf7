"""Slows down whoever guesses: after some failures under one name, the next try must wait, longer each time."""

from __future__ import annotations

import time

from actum.http.problem import Problem

FREE = 5
"""How many failures cost nothing."""

LONGEST = 900.0
"""Seconds that one waits at the most."""

NAMES = 10_000
"""How many names are remembered."""


class Throttle:
    """Counts failures by name, in memory."""

    def __init__(self) -> None:
        self._failures: dict[str, tuple[int, float]] = {}

    def check(self, name: str) -> None:
        """`too-many-requests` where the name must wait."""
        count, since = self._failures.get(name, (0, 0.0))
        left = since + _pause(count) - time.monotonic()
        if count >= FREE and left > 0:
            seconds = str(int(left) + 1)
            raise Problem("too-many-requests", f"too many failures; wait {seconds} s", headers={"Retry-After": seconds})

    def failed(self, name: str) -> None:
        """Another failure."""
        count, _ = self._failures.pop(name, (0, 0.0))
        self._failures[name] = count + 1, time.monotonic()
        if len(self._failures) > NAMES:
            del self._failures[next(iter(self._failures))]

    def succeeded(self, name: str) -> None:
        """All is forgiven."""
        self._failures.pop(name, None)


def _pause(count: int) -> float:
    return min(2.0 ** (count - FREE), LONGEST) if count >= FREE else 0.0


class Bucket:
    """Lets through so many a second, and as many at once."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._left = rate
        self._looked = time.monotonic()

    def take(self) -> bool:
        """Whether one more may pass."""
        now = time.monotonic()
        self._left = min(self._rate, self._left + (now - self._looked) * self._rate)
        self._looked = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

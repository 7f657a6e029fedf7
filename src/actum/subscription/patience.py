"""Patience with what fails: how long to wait before the next attempt, longer each time, never all at the same moment."""

from __future__ import annotations

import time

import msgspec

from actum.journal.errors import Busy, Corrupted, NewerSchema, NotAJournal, Unavailable

FIRST_PAUSE = 0.02
"""Seconds before the first new attempt after trouble; twice as many before each next one."""

LONGEST_PAUSE = 5.0
"""Seconds between two attempts at the most."""

_STAYS = (Corrupted, NewerSchema, NotAJournal)


class Trouble(msgspec.Struct, frozen=True):
    """What somebody met with: how often in a row, and when to try again (by the monotonic clock)."""

    error: Exception
    attempts: int = 1
    again: float = 0.0

    @property
    def passes(self) -> bool:
        """Whether it may pass by itself: then whoever waits goes on waiting."""
        return isinstance(self.error, (Busy, Unavailable)) and not isinstance(self.error, _STAYS)

    @property
    def due(self) -> bool:
        """Whether it is time to try again."""
        return self.again <= time.monotonic()

    def once_more(self, error: Exception) -> Trouble:
        """The trouble after another attempt that failed, too."""
        return trouble(error, attempts=self.attempts + 1)


def trouble(
    error: Exception, *, attempts: int = 1, first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE
) -> Trouble:
    """The trouble after so many attempts that failed."""
    return Trouble(error, attempts, time.monotonic() + pause(attempts, first=first, longest=longest))


def pause(attempts: int, *, first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE) -> float:
    """Seconds to wait after so many attempts: doubled each time, and drawn from the upper half, so that many do not come at once."""
    import random  # noqa: PLC0415 - whoever never fails has no use for it

    most: float = min(longest, first * 2 ** min(attempts - 1, 30))
    return most * random.uniform(0.5, 1.0)  # noqa: S311 - it only has to differ

"""A clock that stands still until it is set: time as an argument of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actum.journal.clock import Microseconds


class SetClock:
    """Says the time it was last set to."""

    def __init__(self, moment: Microseconds = 0) -> None:
        self._moment = moment

    def now(self) -> Microseconds:
        """The time it was last set to."""
        return self._moment

    def set(self, moment: Microseconds) -> None:
        """Make it another time, earlier or later."""
        self._moment = moment

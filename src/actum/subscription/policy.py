"""What to do with an event that a follower cannot take in: stand still, put it and the later ones of its key aside, or pass it over."""

from __future__ import annotations

from enum import Enum

import msgspec

from actum.journal.errors import Misdeclared
from actum.subscription.patience import FIRST_PAUSE, LONGEST_PAUSE

LONGEST_WAIT = 86_400
"""Seconds between two attempts, whatever is said, at the most."""


class Then(Enum):
    """What follows once an event has failed often enough."""

    STOP = "stop"
    """Stand still and try on, with growing pauses: nothing is left out, and everybody sees that it is late."""
    PARK = "park"
    """Put it aside, and the later events of its key after it: all other keys go on."""
    SKIP = "skip"
    """Pass it over, with a reason: the later events of its key are taken in."""


class Policy(msgspec.Struct, frozen=True):
    """What to do, after how many attempts. Made by `stop()`, `park()` and `skip()`.

    Seconds between two attempts: `pause` at the most after the first, twice as many after each next one, up to `longest`; how long within
    the upper half of that, is drawn, so that many do not come at once. Where nothing else is said, `longest` is a hundred times `pause`, and 5
    seconds at the least.
    """

    then: Then = Then.STOP
    attempts: int = 1
    reason: str = ""
    pause: float = FIRST_PAUSE
    longest: float = LONGEST_PAUSE

    def __post_init__(self) -> None:
        if type(self.attempts) is not int or self.attempts < 1:
            raise Misdeclared(f"attempts: expected 1 or more, found {self.attempts!r}")
        if not 0 < self.pause <= self.longest <= LONGEST_WAIT:
            raise Misdeclared(
                f"pause: expected seconds above 0, not above longest, which is {LONGEST_WAIT:,} at the most; "
                f"found {self.pause!r} and {self.longest!r}"
            )
        if self.then is Then.SKIP and not self.reason.strip():
            raise Misdeclared("skip: expected a reason, for it goes on record; say why these events do not matter")


def stop(*, pause: float = FIRST_PAUSE, longest: float | None = None) -> Policy:
    """Stand still before the event until it can be taken in. What happens unless another policy is said."""
    return Policy(pause=pause, longest=_longest(pause, longest))


def park(*, attempts: int = 5, pause: float = FIRST_PAUSE, longest: float | None = None) -> Policy:
    """After so many attempts, with growing pauses between them, park the event and the later ones of its key.

    With the usual pauses, five attempts take a third of a second: name longer ones for what depends on something that may be away.
    """
    return Policy(Then.PARK, attempts, pause=pause, longest=_longest(pause, longest))


def skip(reason: str, *, attempts: int = 5, pause: float = FIRST_PAUSE, longest: float | None = None) -> Policy:
    """After so many attempts, with growing pauses between them, pass the event over. The reason goes on record."""
    return Policy(Then.SKIP, attempts, reason, pause, _longest(pause, longest))


def _longest(pause: float, longest: float | None) -> float:
    return max(LONGEST_PAUSE, min(100 * pause, LONGEST_WAIT)) if longest is None else longest


def checked_policy(policy: object, name: str) -> Policy:
    """What a follower of that name declares; to stand still where it says nothing. `Misdeclared` for anything but a policy."""
    if policy is None:
        return stop()
    if not isinstance(policy, Policy):
        raise Misdeclared(f'{name}: on_failure: expected stop(), park() or skip("a reason"), found {policy!r:.80}')
    return policy

"""What to do with an event that a follower cannot take in: stand still, put it and the later ones of its key aside, or pass it over."""

from __future__ import annotations

from enum import Enum

import msgspec

from actum.journal.errors import Misdeclared


class Then(Enum):
    """What follows once an event has failed often enough."""

    STOP = "stop"
    """Stand still and try on, with growing pauses: nothing is left out, and everybody sees that it is late."""
    PARK = "park"
    """Put it aside, and the later events of its key after it: all other keys go on."""
    SKIP = "skip"
    """Pass it over, with a reason: the later events of its key are taken in."""


class Policy(msgspec.Struct, frozen=True):
    """What to do, after how many attempts. Made by `stop()`, `park()` and `skip()`."""

    then: Then = Then.STOP
    attempts: int = 1
    reason: str = ""

    def __post_init__(self) -> None:
        if type(self.attempts) is not int or self.attempts < 1:
            raise Misdeclared(f"attempts: expected 1 or more, found {self.attempts!r}")
        if self.then is Then.SKIP and not self.reason.strip():
            raise Misdeclared("skip: expected a reason, for it goes on record; say why these events do not matter")


def stop() -> Policy:
    """Stand still before the event until it can be taken in. What happens unless another policy is said."""
    return Policy()


def park(*, attempts: int = 5) -> Policy:
    """After so many attempts, with growing pauses between them, park the event and the later ones of its key."""
    return Policy(Then.PARK, attempts)


def skip(reason: str, *, attempts: int = 5) -> Policy:
    """After so many attempts, with growing pauses between them, pass the event over. The reason goes on record."""
    return Policy(Then.SKIP, attempts, reason)


def checked_policy(policy: object, name: str) -> Policy:
    """What a follower of that name declares; to stand still where it says nothing. `Misdeclared` for anything but a policy."""
    if policy is None:
        return stop()
    if not isinstance(policy, Policy):
        raise Misdeclared(f'{name}: on_failure: expected stop(), park() or skip("a reason"), found {policy!r:.80}')
    return policy

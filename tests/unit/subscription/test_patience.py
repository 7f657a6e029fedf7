"""Patience: longer pauses each time, not all alike, and known for what passes."""

from __future__ import annotations

import pytest

from actum.journal.errors import Busy, Corrupted, Invalid, Unavailable
from actum.subscription.patience import LONGEST_PAUSE, Trouble, pause, trouble


def test_pauses_grow_to_the_longest_and_differ():
    for attempts in range(1, 60):
        most = min(LONGEST_PAUSE, 0.02 * 2 ** (attempts - 1))
        found = {pause(attempts) for _ in range(20)}
        assert all(most / 2 <= one <= most for one in found)
        assert len(found) > 1


@pytest.mark.parametrize(
    ("error", "passes"),
    [(Busy("b"), True), (Unavailable("u"), True), (Corrupted("c"), False), (Invalid("i"), False), (KeyError(), False)],
)
def test_what_may_pass_by_itself_is_told_from_what_does_not(error: Exception, *, passes: bool):
    assert Trouble(error).passes is passes


def test_trouble_counts_its_attempts_and_waits_for_its_time():
    assert Trouble(Busy("b")).due
    first = trouble(Busy("b"), attempts=9)
    assert not first.due
    assert (first.attempts, first.once_more(Busy("c")).attempts) == (9, 10)

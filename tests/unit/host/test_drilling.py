"""A drill is right where what was seen is what was predicted, and nothing was lost: each of the two can make it wrong."""

from __future__ import annotations

import pytest

from actum.host.counting import Counted
from actum.host.drilling import Outcome, Step
from actum.service.consequences import Happens

ALL = tuple(Happens)


@pytest.mark.parametrize("predicted", ALL)
def test_only_what_was_predicted_is_right_or_what_did_not_show(predicted: Happens):
    right = {seen for seen in (*ALL, None) if Outcome("/shop/views", predicted, seen, "").right}
    assert right == {predicted, None}


def test_where_a_fault_passes_less_may_happen_but_nothing_worse():
    def right(predicted: Happens, seen: Happens) -> bool:
        return Outcome("/shop/views", predicted, seen, "", passes=True).right

    assert right(Happens.STALE, Happens.ANSWERED)
    assert right(Happens.WAITS, Happens.ANSWERED)
    assert right(Happens.REFUSED, Happens.STALE)
    assert not right(Happens.STALE, Happens.REFUSED)
    assert not right(Happens.ANSWERED, Happens.STALE)
    assert not right(Happens.REFUSED, Happens.ANSWERED)


@pytest.mark.parametrize(
    "counted", [Counted(lost=["k"]), Counted(doubled=["k"]), Counted(kept=["k"]), Counted(rows=["v"])]
)
def test_one_that_is_lost_or_doubled_makes_a_step_wrong(counted: Counted):
    fine = Outcome("/shop/views", Happens.STALE, Happens.STALE, "")
    about = {"piece": "p", "way": "kill", "seconds": 1.0, "given": 1, "ready": 0.0, "caught_up": 0.0, "behind": 0}
    assert Step(**about, outcomes=(fine,), counted=Counted()).right
    assert not Step(**about, outcomes=(fine,), counted=counted).right
    wrong = Outcome("/shop/views", Happens.STALE, Happens.REFUSED, "")
    assert not Step(**about, outcomes=(fine, wrong), counted=Counted()).right

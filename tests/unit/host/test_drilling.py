"""A drill is right where what was seen is what was predicted, and nothing was lost: each of the two can make it wrong."""

from __future__ import annotations

import pytest

from actum.host.counting import Counted
from actum.host.drilling import Outcome, Step, _of_commands
from actum.host.loading import Given
from actum.host.seeing import Seen
from actum.service.consequences import Consequence, Happens

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
    ("answers", "seen"),
    [
        ([], None),
        ([(200, ""), (422, "refused"), (409, "conflict")], Happens.ANSWERED),
        ([(503, "service-off"), (503, "draining"), (504, "outcome-unknown"), (0, "")], Happens.REFUSED),
        ([(507, "storage-full"), (200, "")], Happens.STALE),
        ([(200, "")] * 99 + [(500, "internal")], Happens.FAILED),
        ([(401, "unauthenticated")] * 9, Happens.FAILED),
        ([(403, "forbidden")] * 9, Happens.FAILED),
        ([(503, "corrupted")], Happens.FAILED),
    ],
)
def test_a_command_that_fails_was_not_decided(answers: list[tuple[int, str]], seen: Happens | None):
    foretold = Consequence(what="/shop/commands", context="shop", happens=Happens.ANSWERED)
    given = [Given("shop", "k", b"", 0.0, status, problem) for status, problem in answers]
    found = _of_commands(foretold, given)
    assert found.observed is seen
    assert found.right is (seen in (None, Happens.ANSWERED))


def test_an_answer_is_one_or_a_refusal_or_a_fault():
    of_each = {status: (Seen(status).refused, Seen(status).failed) for status in (200, 404, 0, 503, 507, 500, 401, 403)}
    assert [status for status, found in of_each.items() if found == (False, False)] == [200, 404]
    assert [status for status, found in of_each.items() if found == (True, False)] == [0, 503, 507]
    assert [status for status, found in of_each.items() if found == (False, True)] == [500, 401, 403]


def a_step(*outcomes: Outcome, counted: Counted | None = None) -> Step:
    return Step(
        piece="p",
        way="kill",
        outcomes=outcomes,
        seconds=1.0,
        given=1,
        ready=0.0,
        caught_up=0.0,
        behind=0,
        counted=counted or Counted(),
    )


def test_what_did_not_show_is_counted_apart():
    shown = Outcome("/shop/events", Happens.ANSWERED, Happens.ANSWERED, "")
    silent = Outcome("/shop/views", Happens.STALE, None, "")
    assert a_step(shown, silent).unseen == ("/shop/views",)


@pytest.mark.parametrize(
    "counted", [Counted(lost=["k"]), Counted(doubled=["k"]), Counted(kept=["k"]), Counted(rows=["v"])]
)
def test_one_that_is_lost_or_doubled_makes_a_step_wrong(counted: Counted):
    fine = Outcome("/shop/views", Happens.STALE, Happens.STALE, "")
    assert a_step(fine).right
    assert not a_step(fine, counted=counted).right
    wrong = Outcome("/shop/views", Happens.STALE, Happens.REFUSED, "")
    assert not a_step(fine, wrong).right

"""Whoever waits for somebody's work learns that it is done, that it is late, or that it has stopped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from actum.journal.errors import Busy, Invalid, Unavailable
from actum.subscription.progress import Progress


def _both_ways(progress: Progress, position: int, timeout: float) -> list[Callable[[], None]]:
    return [
        lambda: progress.wait(position, timeout=timeout),
        lambda: asyncio.run(progress.wait_async(position, timeout=timeout)),
    ]


def test_a_position_that_is_reached_is_not_waited_for():
    progress = Progress("the views")
    progress.reach(5)
    for wait in _both_ways(progress, 5, 0):
        wait()


def test_those_who_wait_are_woken_when_it_is_reached():
    for way in (0, 1):
        progress = Progress("the views")
        waiting = threading.Thread(target=_both_ways(progress, 3, 30)[way])
        waiting.start()
        for position in (1, 2, 3):
            progress.reach(position)
        waiting.join(timeout=30)
        assert not waiting.is_alive()


def test_whoever_waits_too_long_learns_how_far_it_is():
    progress = Progress("the views")
    progress.reach(2)
    for wait in _both_ways(progress, 3, 0.01):
        with pytest.raises(Busy, match=r"waited 0.01 s for the views to reach position 3, found them at 2"):
            wait()


@pytest.mark.parametrize("kind", [Busy, Unavailable])
def test_trouble_that_may_pass_is_named_when_the_time_is_over(kind: type[Busy | Unavailable]):
    progress = Progress("the views")
    progress.stumble(kind("the disk is elsewhere"))
    for wait in _both_ways(progress, 1, 0.01):
        with pytest.raises(kind, match="cannot go on: the disk is elsewhere") as raised:
            wait()
        assert progress.error is not None
        assert raised.value.__cause__ is progress.error


@pytest.mark.parametrize("trouble", [KeyError("lost"), Invalid("lost")])
def test_work_that_has_stopped_is_not_waited_for(trouble: Exception):
    progress = Progress("the views")
    progress.reach(4)
    progress.fail(trouble)
    for wait in [*_both_ways(progress, 5, 30)]:
        with pytest.raises(Unavailable, match=r"the views stopped at position 4: .*lost") as raised:
            wait()
        assert raised.value.__cause__ is trouble
    progress.wait(4, timeout=0)


def test_work_that_goes_on_again_can_be_waited_for():
    progress = Progress("the views")
    progress.fail(KeyError("lost"))
    progress.reach(1)
    progress.wait(1, timeout=0)
    assert progress.error is None


def test_work_that_begins_anew_goes_back():
    progress = Progress("the views")
    progress.reach(9)
    progress.reach(1)
    assert progress.position == 1
    with pytest.raises(Busy):
        progress.wait(9, timeout=0)


def test_a_listener_whose_loop_is_gone_harms_nobody():
    progress = Progress("the views")

    def gone() -> None:
        raise RuntimeError("Event loop is closed")

    stop = progress.listen(gone)
    progress.reach(1)
    stop()
    stop()
    assert progress.position == 1

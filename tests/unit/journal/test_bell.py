"""The bell: whoever waits is woken, in threads and on event loops, and nobody's trouble is the ringer's."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from actum.journal.bell import Bell

PATIENCE = 20.0


def test_a_position_that_was_rung_needs_no_waiting() -> None:
    bell = Bell(3)
    assert bell.wait(3, timeout=0)
    bell.ring(5)
    assert bell.position == 5
    assert bell.wait(5, timeout=0)


def test_a_wait_ends_without_the_position_when_its_time_is_up() -> None:
    assert not Bell().wait(1, timeout=0.01)
    assert not Bell().wait(1, timeout=-1)


def test_an_older_ring_changes_nothing() -> None:
    heard: list[int] = []
    bell = Bell(5)
    bell.listen(heard.append)
    for position in (4, 5, 6, 6, 2):
        bell.ring(position)
    assert (bell.position, heard) == (6, [6])


def test_every_waiting_thread_is_woken_by_the_position_it_waits_for() -> None:
    bell, woken = Bell(), list[int]()
    waiters = [
        threading.Thread(target=lambda at=at: woken.append(at) if bell.wait(at, timeout=PATIENCE) else None)
        for at in (1, 2, 3)
    ]
    for waiter in waiters:
        waiter.start()
    bell.ring(2)
    waiters[0].join(PATIENCE)
    waiters[1].join(PATIENCE)
    assert sorted(woken) == [1, 2]
    bell.ring(3)
    waiters[2].join(PATIENCE)
    assert sorted(woken) == [1, 2, 3]


def test_a_listener_that_stopped_hears_no_more_and_may_stop_again() -> None:
    heard: list[int] = []
    bell = Bell()
    stop = bell.listen(heard.append)
    bell.ring(1)
    stop()
    stop()
    bell.ring(2)
    assert heard == [1]


def test_a_listener_that_fails_is_logged_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def fail(position: int) -> None:
        raise RuntimeError(f"no use for {position}")

    heard: list[int] = []
    bell = Bell()
    bell.listen(fail)
    bell.listen(heard.append)
    with caplog.at_level(logging.ERROR):
        bell.ring(1)
    assert heard == [1]
    assert "no use for 1" in caplog.text


def test_a_listener_may_listen_and_stop_while_it_is_rung() -> None:
    bell, heard = Bell(), list[int]()
    stops = [bell.listen(lambda position: stops[0]())]
    bell.listen(lambda position: heard.append(position) or (bell.listen(heard.append) and None))
    bell.ring(1)
    bell.ring(2)
    assert heard == [1, 2, 2]


def test_an_awaiter_is_woken_from_another_thread() -> None:
    bell = Bell()

    async def follow() -> bool:
        waiting = asyncio.ensure_future(bell.wait_async(2, timeout=PATIENCE))
        await asyncio.sleep(0)
        ringer = threading.Thread(target=lambda: [bell.ring(1), bell.ring(2)])
        ringer.start()
        answer = await waiting
        ringer.join()
        return answer

    assert asyncio.run(follow())


def test_an_awaiter_of_what_was_rung_does_not_wait() -> None:
    assert asyncio.run(Bell(3).wait_async(2, timeout=0))


def test_an_awaiter_ends_without_the_position_when_its_time_is_up() -> None:
    assert not asyncio.run(Bell().wait_async(1, timeout=0.01))


def test_a_cancelled_awaiter_leaves_no_listener_behind() -> None:
    bell, heard = Bell(), list[int]()

    async def give_up() -> None:
        waiting = asyncio.ensure_future(bell.wait_async(1))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(give_up())
    bell.listen(heard.append)
    bell.ring(1)
    assert heard == [1]

"""Many callers, one at a time, in batches; nobody waits for ever and nothing is done by halves."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Sequence

import pytest

from actum.decision.lane import Lane, Ticket
from actum.journal.errors import Misdeclared, OutcomeUnknown, Unavailable

Batch = Sequence[Ticket[int, int]]


def doubling(batch: Batch) -> None:
    for ticket in batch:
        ticket.succeed(ticket.job * 2)


class Gate:
    """Work that stands still until let through, so that others queue up behind it."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()
        self.batches: list[int] = []

    def work(self, batch: Batch) -> None:
        self.batches.append(len(batch))
        self.entered.set()
        self.open.wait(10)
        doubling(batch)


def waiting(lane: Lane[int, int], count: int) -> None:
    """Until so many jobs stand in the queue."""
    done = threading.Event()
    while len(lane._waiting) < count and not done.wait(0.001):
        continue


def test_a_lone_caller_needs_no_thread() -> None:
    threads = threading.active_count()
    lane = Lane(doubling, name="t")
    assert lane.call(4) == 8
    assert threading.active_count() == threads
    lane.close()


def test_callers_that_come_meanwhile_share_the_next_batch() -> None:
    gate = Gate()
    lane: Lane[int, int] = Lane(gate.work, name="t")
    results: list[int] = []
    threads = [threading.Thread(target=lambda n=n: results.append(lane.call(n))) for n in range(9)]
    threads[0].start()
    gate.entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    waiting(lane, 8)
    gate.open.set()
    for thread in threads:
        thread.join(10)
    assert sorted(results) == [n * 2 for n in range(9)]
    assert gate.batches == [1, 8]
    lane.close()


def test_blocking_and_awaiting_callers_share_one_lane() -> None:
    lane = Lane(doubling, name="t")
    results: list[int] = []

    def block(start: int) -> None:
        results.extend(lane.call(start + step) for step in range(200))

    async def await_all() -> None:
        async def one(start: int) -> None:
            results.extend([await lane.call_async(start + step) for step in range(50)])

        await asyncio.gather(*(one(10_000 + 100 * n) for n in range(16)))

    threads = [threading.Thread(target=block, args=(1000 * n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    asyncio.run(await_all())
    for thread in threads:
        thread.join(30)
    assert len(results) == 8 * 200 + 16 * 50
    assert sum(results) == 2 * (
        sum(1000 * n + s for n in range(8) for s in range(200))
        + sum(10_000 + 100 * n + s for n in range(16) for s in range(50))
    )
    lane.close()


def test_callers_who_were_answered_together_come_back_into_one_batch() -> None:
    gate = Gate()
    lane: Lane[int, int] = Lane(gate.work, name="t")

    async def main() -> None:
        async def one(start: int) -> None:
            for step in range(20):
                assert await lane.call_async(start + step) == 2 * (start + step)

        asyncio.get_running_loop().call_soon(gate.open.set)
        await asyncio.gather(*(one(100 * n) for n in range(16)))

    asyncio.run(main())
    assert sum(gate.batches) == 16 * 20
    assert len(gate.batches) < 16 * 20 / 4, f"the herd was split: {gate.batches}"
    lane.close()


def test_a_leader_does_not_wait_again_for_callers_who_did_not_come_back() -> None:
    gate = Gate()
    lane: Lane[int, int] = Lane(gate.work, name="t")
    threads = [threading.Thread(target=lane.call, args=(n,)) for n in range(9)]
    threads[0].start()
    gate.entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    waiting(lane, 8)
    gate.open.set()
    for thread in threads:
        thread.join(10)
    for number in range(50):
        assert lane.call(number) == number * 2
    assert lane._herd.expected <= 1
    lane.close()


def test_a_cancelled_awaiter_abandons_the_answer_and_not_the_work() -> None:
    gate = Gate()
    lane: Lane[int, int] = Lane(gate.work, name="t")
    done: list[int] = []

    async def main() -> None:
        task = asyncio.create_task(lane.call_async(5))
        await asyncio.to_thread(gate.entered.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.open.set()
        done.append(await lane.call_async(6))

    asyncio.run(main())
    assert done == [12]
    assert gate.batches == [1, 1]
    lane.close()


def test_an_error_reaches_every_caller_of_its_batch_and_no_other() -> None:
    def work(batch: Batch) -> None:
        for ticket in batch:
            if ticket.job < 0:
                raise ValueError(ticket.job)
            ticket.succeed(ticket.job)

    lane = Lane(work, name="t")
    with pytest.raises(ValueError, match="-1"):
        lane.call(-1)
    assert lane.call(3) == 3
    lane.close()


def test_an_interrupt_leaves_the_lane_to_the_others() -> None:
    gate = Gate()

    def work(batch: Batch) -> None:
        if batch[0].job == 0:
            gate.entered.set()
            gate.open.wait(10)
            raise KeyboardInterrupt
        doubling(batch)

    lane: Lane[int, int] = Lane(work, name="t")
    caught: list[BaseException] = []
    results: list[int] = []

    def interrupted() -> None:
        try:
            lane.call(0)
        except KeyboardInterrupt as wrong:
            caught.append(wrong)

    first = threading.Thread(target=interrupted)
    others = [threading.Thread(target=lambda n=n: results.append(lane.call(n))) for n in (1, 2, 3)]
    first.start()
    gate.entered.wait(10)
    for thread in others:
        thread.start()
    waiting(lane, 3)
    gate.open.set()
    for thread in (first, *others):
        thread.join(10)
        assert not thread.is_alive()
    assert len(caught) == 1
    assert sorted(results) == [2, 4, 6]
    lane.close()


def test_an_interrupted_caller_does_not_keep_the_answer_from_those_behind() -> None:
    gate = Gate()
    lane: Lane[int, int] = Lane(gate.work, name="t")
    results: list[int] = []
    threads = [threading.Thread(target=lambda n=n: results.append(lane.call(n))) for n in range(9)]
    threads[0].start()
    gate.entered.wait(10)
    for thread in threads[1:5]:
        thread.start()
    waiting(lane, 4)

    def interrupt() -> None:
        waiting(lane, 5)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            lane.call(100)
    finally:
        signal.signal(signal.SIGINT, before)
    for thread in threads[5:]:
        thread.start()
    waiting(lane, 9)
    gate.open.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert sorted(results) == [n * 2 for n in range(9)]
    assert gate.batches == [1, 9], "what the interrupted caller gave is done nevertheless"
    lane.close()


def test_whoever_shares_a_batch_with_an_interrupted_leader_learns_that_nobody_knows() -> None:
    gate = Gate()

    def work(batch: Batch) -> None:
        if batch[0].job == 0:
            gate.entered.set()
            gate.open.wait(10)
            doubling(batch)
        else:
            raise KeyboardInterrupt

    lane: Lane[int, int] = Lane(work, name="t")
    caught: list[type[BaseException]] = []

    def call(job: int) -> None:
        try:
            lane.call(job)
        except (KeyboardInterrupt, OutcomeUnknown) as wrong:
            caught.append(type(wrong))

    threads = [threading.Thread(target=call, args=(n,)) for n in range(4)]
    threads[0].start()
    gate.entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    waiting(lane, 3)
    gate.open.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert sorted(kind.__name__ for kind in caught) == ["KeyboardInterrupt", "OutcomeUnknown", "OutcomeUnknown"]
    lane.close()


def test_closing_finishes_what_was_taken_and_takes_no_more() -> None:
    gate = Gate()
    lane: Lane[int, int] = Lane(gate.work, name="the bank")
    results: list[int] = []
    caller = threading.Thread(target=lambda: results.append(lane.call(1)))
    caller.start()
    gate.entered.wait(10)
    closer = threading.Thread(target=lane.close)
    closer.start()
    gate.open.set()
    closer.join(10)
    caller.join(10)
    assert results == [2]
    with pytest.raises(Unavailable, match="the bank is closed"):
        lane.call(2)


def choosy(batch: Batch) -> None:
    for ticket in batch:
        if ticket.job % 3 == 0:
            ticket.fail(ValueError(f"{ticket.job}"))
        else:
            ticket.succeed(ticket.job * 2)


def test_many_jobs_of_one_caller_are_answered_in_order_and_an_error_stands_for_itself() -> None:
    batches: list[int] = []

    def work(batch: Batch) -> None:
        batches.append(len(batch))
        choosy(batch)

    lane: Lane[int, int] = Lane(work, name="t")
    answers = lane.call_all(range(1, 601))
    assert [answer if isinstance(answer, int) else str(answer) for answer in answers] == [
        str(job) if job % 3 == 0 else job * 2 for job in range(1, 601)
    ]
    assert batches == [256, 256, 88]
    assert lane.call(4) == 8
    lane.close()


def test_callers_with_many_jobs_and_with_one_share_the_lane_and_all_are_answered() -> None:
    lane: Lane[int, int] = Lane(doubling, name="t")
    found: list[bool] = []

    def many(start: int) -> None:
        for _ in range(20):
            jobs = range(start, start + 300)
            found.append(lane.call_all(jobs) == [job * 2 for job in jobs])

    def one(start: int) -> None:
        found.extend(lane.call(start + n) == (start + n) * 2 for n in range(300))

    threads = [threading.Thread(target=work, args=(n * 1000,)) for n in range(4) for work in (many, one)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert len(found) == 4 * 20 + 4 * 300
    assert all(found)
    lane.close()


@pytest.mark.parametrize("ask", ["call", "call_all"])
def test_work_that_calls_its_own_lane_is_told_so_instead_of_waiting_for_itself(ask: str) -> None:
    def work(batch: Batch) -> None:
        for ticket in batch:
            if ticket.job:
                lane.call(0) if ask == "call" else lane.call_all([0])
        doubling(batch)

    lane: Lane[int, int] = Lane(work, name="t")
    with pytest.raises(Misdeclared, match="gives a command itself and would wait for itself"):
        lane.call(1)
    assert lane.call(0) == 0
    lane.close()

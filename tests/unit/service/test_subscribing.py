"""A query subscribed to: the answer now, then each other one, however many changes lie between."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal

import pytest

from actum import Invalid
from tests.unit.projection.bank import Deposited, Opened, Richest, bank, opened


def test_the_answer_comes_anew_when_its_rows_have_changed():
    with opened(follow=True) as running:
        answers = running.subscribe(Richest(at_least=Decimal(10)), pause=0)
        assert [row.account for row in next(answers)] == []
        for amount, shown in ((5, None), (7, ["A"]), (20, ["A"])):
            done = running.append(Deposited(account="A", amount=Decimal(amount)))
            running.wait_for(done.position)
            if shown is not None:
                assert [row.account for row in next(answers)] == shown
        answers.close()  # type: ignore[attr-defined]


def test_many_changes_at_once_are_one_answer():
    with opened(follow=True) as running:
        answers = running.subscribe(Richest(at_least=Decimal(0)), pause=0.2)
        next(answers)
        for _ in range(200):
            running.append(Deposited(account="A", amount=Decimal(1)))
        heard: list[Decimal] = []
        while not heard or heard[-1] < 200:
            heard += [row.balance for row in next(answers)]
        assert len(heard) < 50
        assert heard == sorted(heard)


def test_what_changes_nothing_of_the_answer_is_not_heard_of():
    with opened(follow=True) as running:
        answers = running.subscribe(Richest(at_least=Decimal(1000)), pause=0)
        next(answers)
        heard: list[object] = []
        listening = threading.Thread(target=lambda: heard.append(next(answers)))
        listening.start()
        running.wait_for(running.append(Opened(account="A", owner="x")).position)
        assert heard == []
        running.append(Deposited(account="A", amount=Decimal(5000)))
        listening.join(timeout=30)
        assert len(heard) == 1


def test_awaiting_it_costs_no_thread_and_ends_when_it_is_left():
    async def listen() -> list[int]:
        seen: list[int] = []
        async with bank.open_async("memory:", actor="tester") as running:
            async for page in running.subscribe(Richest(at_least=Decimal(1)), pause=0):
                seen.append(len(page))
                if len(seen) == 3:
                    break
                done = await running.append(Deposited(account=f"A-{len(seen)}", amount=Decimal(9)))
                await running.wait_for(done.position)
        return seen

    assert asyncio.run(listen()) == [0, 1, 2]


def test_a_pause_that_makes_no_sense_is_refused():
    with opened(follow=True) as running, pytest.raises(Invalid, match="pause: expected seconds from 0, found -1"):
        running.subscribe(Richest(at_least=Decimal(1)), pause=-1)

"""The asynchronous twin says the same, and a cancelled awaiter breaks nothing."""

from __future__ import annotations

import asyncio
import inspect
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from actum import App, Busy, Command, Invalid, Running
from actum.journal.query import Query
from actum.service.running_async import AsyncRunning
from tests.unit.projection.bank import AccountId, Balance, Deposited, Opened, Richest, bank, fill, folded, some_events


class Deposit(Command):
    account: AccountId
    amount: Decimal


shop = App("shop")
shop.view(Balance)


@shop.decides
def deposit(command: Deposit, balance: Balance) -> Deposited:
    return Deposited(account=command.account, amount=command.amount)


@pytest.fixture(params=["memory:", "file"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    return "memory:" if request.param == "memory:" else tmp_path / "bank.actum"


def test_the_twins_have_the_same_verbs_with_the_same_arguments():
    for name, verb in inspect.getmembers(Running, inspect.isfunction):
        if name.startswith("_") or name == "view":
            continue
        twin = getattr(AsyncRunning, name)
        assert inspect.signature(verb).parameters.keys() == inspect.signature(twin).parameters.keys(), name


def test_commands_reads_and_waits_are_awaited(journal: str | Path):
    async def act() -> None:
        async with shop.open_async(journal, actor="tester") as running:
            decided = await asyncio.gather(
                *[running.execute(Deposit(account=f"A-{n % 3}", amount=Decimal(1))) for n in range(60)]
            )
            await running.wait_for(max(each.position for each in decided))
            assert running.view(Balance).get("A-1") == await running.state(Balance, "A-1")
            assert await running.head() == 60
            assert [each.position async for each in running.events(after=50)] == list(range(51, 61))
            digest = await running.digest(Balance)
            rebuild = await running.rebuild(Balance)
            assert (await rebuild.diff()).equal
            assert await rebuild.switch() == await running.catch_up() == 61
            assert await running.digest(Balance) == digest

    asyncio.run(act())


def test_a_query_is_awaited(journal: str | Path):
    async def act() -> None:
        running = await bank.open_async(journal, actor="tester")
        decided = await running.append(Deposited(account="A-1", amount=Decimal(5)))
        page = await running.ask(Richest(at_least=Decimal(1)), wait_for=decided.position)
        assert [row.account for row in page] == ["A-1"]
        await running.close()

    asyncio.run(act())


def test_a_thousand_tasks_wait_for_a_position_without_a_thread_each(journal: str | Path):
    async def act() -> None:
        async with bank.open_async(journal, actor="tester") as running:
            await running.append(Opened(account="A-1", owner="Ada"))
            await running.wait_for(1)
            progress = running.running.views.progress
            waiting = [asyncio.create_task(progress.wait_async(2, timeout=30)) for _ in range(1000)]
            await asyncio.sleep(0)
            assert threading.active_count() < 60
            await running.append(Opened(account="A-2", owner="Ida"))
            await asyncio.gather(*waiting)

    asyncio.run(act())


def test_a_wait_that_takes_too_long_ends():
    async def act() -> None:
        async with bank.open_async("memory:", actor="tester", follow=False) as running:
            fill(running.running.store, some_events(3000, seed=1))
            with pytest.raises(Busy, match="expected 3000"):
                await running.wait_for(3000, timeout=0)
            with pytest.raises(Invalid, match="from the future"):
                await running.wait_for(3001)

    asyncio.run(act())


def test_whoever_reads_on_from_the_future_is_told_so(journal: str | Path):
    async def act() -> None:
        async with bank.open_async(journal, actor="tester") as running:
            fill(running.running.store, some_events(5, seed=1))
            assert [each async for each in running.events(after=5)] == []
            for ask in (running.events, running.follow):
                with pytest.raises(Invalid, match="after: position 6 is from the future"):
                    await anext(ask(after=6))

    asyncio.run(act())


def test_following_awaits_what_comes_and_ends_with_its_task(journal: str | Path):
    async def act() -> None:
        async with bank.open_async(journal, actor="tester") as running:
            fill(running.running.store, some_events(1200, seed=2))
            seen: list[int] = []
            enough = asyncio.Event()

            async def follow() -> None:
                async for recorded in running.follow(Query.all(), after=5):
                    seen.append(recorded.position)
                    if recorded.position == 1201:
                        enough.set()

            following = asyncio.create_task(follow())
            await running.append(Opened(account="A-1", owner="Ada"))
            await enough.wait()
            following.cancel()
            with pytest.raises(asyncio.CancelledError):
                await following
            assert seen == list(range(6, 1202))

    asyncio.run(act())


def test_a_cancelled_awaiter_never_leaves_half_a_command(journal: str | Path):
    async def act() -> None:
        async with shop.open_async(journal, actor="tester") as running:
            for round_ in range(20):
                tasks = [
                    asyncio.create_task(running.execute(Deposit(account="A-1", amount=Decimal(1)), id=f"{round_}-{n}"))
                    for n in range(10)
                ]
                for _ in range(round_ % 4):
                    await asyncio.sleep(0)
                for task in tasks[::2]:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            decided = [
                await running.execute(Deposit(account="A-1", amount=Decimal(1)), id=f"{round_}-{n}")
                for round_ in range(20)
                for n in range(10)
            ]
            assert len({each.position for each in decided}) == 200
            await running.wait_for(await running.head())
            events = [recorded.event async for recorded in running.events()]
            assert len(events) == 200
            assert {row.account: row for row in running.view(Balance)} == folded(events)

    asyncio.run(act())

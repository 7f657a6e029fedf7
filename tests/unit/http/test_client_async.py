"""The client for those who await has the same verbs, and they do the same."""

from __future__ import annotations

import asyncio
import inspect
from decimal import Decimal

import pytest

from actum import Refused
from actum.http.client import Client
from actum.http.client_async import AsyncClient
from actum.http.serving import Serving
from actum.service.running import Running
from tests.unit.http.bank import Account, Balance, Deposit, Open, OwnerOf, Richest, bank


def test_the_verbs_are_the_same():
    def verbs(cls: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(verb).parameters)
            for name, verb in vars(cls).items()
            if inspect.isfunction(verb) and not name.startswith("__")
        }

    assert verbs(Client) == verbs(AsyncClient)


def test_they_do_the_same(serving: Serving, running: Running):
    async def main() -> None:
        async with AsyncClient(serving.url, bank, actor="web") as web:
            await web.execute(Open(account="A", owner="ada"), id="one")
            with pytest.raises(Refused, match="the account is open already"):
                await web.execute(Open(account="A", owner="ada"))
            done = await web.execute(Deposit(account="A", amount=Decimal("2.50")))
            page = await web.ask(Richest(), wait_for=done.position)
            assert page.rows == (await web.row(Balance, "A"),)
            assert await web.row(Balance, "B") is None
            assert (await web.state(Account, "A", at=1)).balance == 0
            assert await web.head() == done.position
            assert [event.position async for event in web.events()] == [1, 2, 3]
            found = web.follow(after=2)
            assert (await anext(found)).event == Deposited(account="A", amount=Decimal("2.50"))
            live = web.watch(OwnerOf(account="B"))
            assert await anext(live) is None
            await web.execute(Open(account="B", owner="bob"))
            assert await anext(live) == "bob"
            assert (await anext(found)).position == 4

    from tests.unit.http.bank import Deposited

    asyncio.run(main())

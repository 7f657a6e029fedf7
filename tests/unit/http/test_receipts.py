"""Receipts for many at once: each gets its own, whether it was decided now or long ago."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from actum.http.answers import receipt_of
from actum.http.receipts import APART, Receipts, Written, stretches
from actum.service.running import Running
from tests.unit.http.bank import Deposit, Open


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ([], []),
        ([(5, 5)], [(5, 5)]),
        ([(3, 4), (1, 1), (2, 2)], [(1, 4)]),
        ([(1, 1), (1, 1)], [(1, 1)]),
        ([(1, 9), (2, 3), (9 + APART, 9 + APART)], [(1, 9 + APART)]),
        ([(1, 9), (10 + APART, 11 + APART)], [(1, 9), (10 + APART, 11 + APART)]),
    ],
)
def test_what_is_near_one_another_is_read_together(written: list[tuple[int, int]], read: list[tuple[int, int]]):
    assert list(stretches([Written("handler@1", first, last) for first, last in written])) == read


def test_all_who_ask_at_once_get_their_own(running: Running):
    opened = running.execute(Open(account="A-1", owner="Zoé"), id="first")
    done = [running.execute(Deposit(account="A-1", amount=Decimal(1))) for _ in range(APART + 10)]
    again = running.execute(Open(account="A-1", owner="Zoé"), id="first")
    stored = {each.position: each for each in running.store.read()}
    receipts = Receipts(running.store)

    async def ask() -> list[object]:
        asked = [(again, "another@9"), *((each, "deposit@1") for each in done), (opened, "open_account@1")]
        return list(await asyncio.gather(*(receipts.of(decided, handler=name) for decided, name in asked)))

    found = asyncio.run(ask())
    receipts.close()
    first = receipt_of(running.store.origin, "open_account@1", [stored[1]])
    assert again.repeated
    assert found == [
        first,
        *(receipt_of(running.store.origin, "deposit@1", [stored[each.position]]) for each in done),
        first,
    ]

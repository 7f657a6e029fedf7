"""What is opened with its first use is opened once; what fails leaves nothing open, and is not tried all the time."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from actum.http import opening
from actum.http.asgi import asgi
from actum.http.opening import Opening
from actum.http.policy import Policy
from actum.http.security import Security
from actum.journal.errors import Unavailable
from tests.unit.http.bank import bank


class Shop:
    """Two doors, of which the second one may be stuck."""

    def __init__(self) -> None:
        self.stuck = False
        self.attempts = 0
        self.open: list[str] = []

    async def make(self, stack: AsyncExitStack) -> list[str]:
        self.attempts += 1
        for name in ("front", "back"):
            await asyncio.sleep(0)
            if self.stuck and name == "back":
                raise Unavailable("it is stuck")
            self.open.append(name)
            stack.callback(self.open.remove, name)
        return self.open


def test_what_many_need_at_once_is_opened_once_and_closed_as_a_whole():
    async def main() -> None:
        shop = Shop()
        thing = Opening(shop.make)
        for attempts in (1, 2):
            found = await asyncio.gather(*[thing.opened() for _ in range(9)])
            assert (shop.attempts, shop.open) == (attempts, ["front", "back"])
            assert all(one is shop.open for one in found)
            await thing.close()
            assert (thing.thing, shop.open) == (None, [])

    asyncio.run(main())


def test_an_attempt_that_fails_leaves_nothing_open_and_the_next_one_waits_a_while():
    async def main() -> None:
        shop = Shop()
        shop.stuck = True
        thing = Opening(shop.make)
        for one in await asyncio.gather(*[thing.opened() for _ in range(9)], return_exceptions=True):
            assert isinstance(one, Unavailable)
        assert (shop.attempts, shop.open) == (1, [])
        shop.stuck = False
        with pytest.raises(Unavailable, match="it is stuck"):
            await thing.opened()
        thing.again -= opening.HELD_OFF
        assert await thing.opened() == ["front", "back"]
        await thing.close()

    asyncio.run(main())


@pytest.mark.parametrize("missing", ["bank.db", "known.db", "came.db"])
def test_a_door_that_cannot_be_opened_keeps_nothing_open(tmp_path: Path, missing: str):
    journal, known, came = (
        str(tmp_path / ("nowhere" if name == missing else ".") / name) for name in ("bank.db", "known.db", "came.db")
    )
    door = asgi(bank, journal, security=Security(Policy(), known, came))
    with pytest.raises(Unavailable, match=missing):
        asyncio.run(door.open())
    kept = [str(one.resolve()) for one in Path("/proc/self/fd").iterdir()]
    assert [name for name in kept if name.startswith(str(tmp_path))] == []

"""A feed misses nothing, however many write and however slowly one listens; and costs no memory for those who are slow."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actum.http.answers import Recording
from actum.http.choice import Choice
from actum.http.feed import CLOSING, KEPT, Feed, block_of, heartbeat
from actum.http.wire import Blocks
from actum.journal.errors import Unavailable
from actum.journal.query import Query
from actum.service.running import Running
from tests.unit.http.bank import Deposit, Open, bank

ALL = Choice(Query.all(), frozenset(), frozenset())


def positions(pieces: list[bytes]) -> list[int]:
    blocks = Blocks(0)
    return [
        msgspec.json.decode(block.data, type=Recording).position for piece in pieces for block in blocks.take(piece)
    ]


def test_listeners_of_every_speed_get_every_event_once_and_in_order_while_others_write(tmp_path: Path):
    events, writers = 600, 3

    async def listen(feed: Feed, patience: float, after: int) -> list[int]:
        pieces: list[bytes] = []
        async for piece in feed.follow(ALL, after=after, heartbeats=5):
            pieces.append(piece)
            if b"id: %d\n" % (writers * events + 1) in piece:
                break
            if patience:
                await asyncio.sleep(0)
                await asyncio.to_thread(threading.Event().wait, patience)
        return positions(pieces)

    async def main(running: Running) -> list[list[int]]:
        feed = Feed(running.store, bank.codec)
        listeners = [listen(feed, 0.001 * (number % 4), 0) for number in range(20)]
        tasks = [asyncio.create_task(listener) for listener in listeners]
        threads = [threading.Thread(target=write, args=(running, events)) for _ in range(writers)]
        for thread in threads:
            thread.start()
        found = await asyncio.gather(*tasks)
        late = await listen(feed, 0, 700)
        await feed.end()
        return [*found, late]

    with bank.open(tmp_path / "bank.db", actor="x") as running:
        running.execute(Open(account="A", owner="o"))
        *found, late = asyncio.run(main(running))
    everything = list(range(1, writers * events + 2))
    assert all(one == everything for one in found)
    assert late == everything[700:]


def write(running: Running, count: int) -> None:
    for _ in range(count):
        running.execute(Deposit(account="A", amount=Decimal(1)))


def test_the_newest_events_are_kept_once_and_no_more_than_so_many(running: Running):
    async def main() -> int:
        feed = Feed(running.store, bank.codec)
        running.execute(Open(account="A", owner="o"))
        follower = feed.follow(ALL, after=0, heartbeats=5)
        await anext(follower)
        await asyncio.to_thread(write, running, KEPT + 500)
        async for _ in follower:
            if feed._head == KEPT + 501:
                break
        kept = len(feed._window)
        await follower.aclose()
        await feed.end()
        return kept

    assert asyncio.run(main()) <= KEPT


def test_a_silent_feed_says_that_it_is_alive_and_where_it_is(running: Running):
    running.execute(Open(account="A", owner="o"))

    async def main() -> list[bytes]:
        feed = Feed(running.store, bank.codec)
        found = feed.follow(Choice(Query.of(types=["Nothing"]), frozenset(), frozenset()), after=0, heartbeats=0.05)
        pieces = [await anext(found), await anext(found)]
        await feed.end()
        return [*pieces, *[piece async for piece in found]]

    first, alive, *_, last = asyncio.run(main())
    assert first == b"retry: 2000\n\n"
    assert alive == heartbeat(1)
    assert last == CLOSING


class Journal:
    """A journal that cannot be read while it is away."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.away = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def read(self, *arguments: Any, **how: Any) -> Any:
        if self.away:
            raise Unavailable("the server is gone")
        return self._store.read(*arguments, **how)


def test_a_feed_whose_journal_was_away_goes_on_with_all_that_was_written_meanwhile(running: Running):
    journal: Any = Journal(running.store)
    running.execute(Open(account="A", owner="o"))

    async def main() -> tuple[list[bytes], str]:
        feed = Feed(journal, bank.codec)
        pieces, *others = (feed.follow(ALL, after=1, heartbeats=0.02) for _ in range(3))
        await asyncio.gather(*[anext(follower) for follower in (pieces, *others)])
        found: list[bytes] = []
        journal.away = True
        write(running, 3)
        while feed.trouble is None:
            found.append(await anext(pieces))
        said, journal.away = str(feed.trouble), False
        write(running, 3)
        while 7 not in positions(found):
            found.append(await anext(pieces))
        assert feed.trouble is None
        await feed.end()
        return found, said

    found, said = asyncio.run(main())
    assert (positions(found), said) == ([2, 3, 4, 5, 6, 7], "the server is gone")


@pytest.mark.parametrize("data", [b'{"a":1}', b'{"a":\n1,\r\n"b":2}', "{'x': '\u2028'}".encode()])
def test_what_is_written_as_a_block_is_read_out_of_it_however_it_is_cut(data: bytes):
    text = block_of(data, id=7) + heartbeat(9) + CLOSING + block_of(b"[]", id=10)
    for cut in range(1, len(text)):
        blocks = Blocks(0)
        found = [block for piece in (text[:cut], text[cut:]) for block in blocks.take(piece)]
        assert [(block.data, block.position) for block in found] == [(data.replace(b"\r\n", b"\n"), 7), (b"[]", 10)]
        assert (blocks.position, blocks.retry) == (10, 0.5)

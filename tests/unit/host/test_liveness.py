"""A piece hangs that answers nothing, several times in a row; not one that is slow, says that it is ill, or is not to answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

from actum.host.liveness import ASKS, until_it_hangs

LONG = 60
BRIEF = 0.03


class Piece:
    """Is asked, and answers as often as it is told."""

    def __init__(self, answers: float) -> None:
        self.asked = 0
        self.often = asyncio.Event()
        self._answers = answers
        self.url = ""

    def answers(self) -> bool:
        """It is asked once more; whether it answers."""
        self.asked += 1
        if self.asked == 10:
            self.often.set()
        return self.asked <= self._answers

    @asynccontextmanager
    async def there(self) -> AsyncIterator[Piece]:
        loop = asyncio.get_running_loop()
        async with await loop.create_server(lambda: Line(self), "127.0.0.1", 0) as server:
            self.url = "http://{}:{}".format(*server.sockets[0].getsockname())
            yield self


class Line(asyncio.Protocol):
    """One ask."""

    def __init__(self, piece: Piece) -> None:
        self._piece = piece

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        assert data.startswith(b"GET /health ")
        if self._piece.answers():
            self._transport.write(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")


def asked(answers: float, story: Callable[[Piece], Awaitable[None]]) -> int:
    """How often the piece was asked, at the end of a story."""

    async def tell() -> int:
        async with asyncio.timeout(LONG), Piece(answers).there() as piece:
            await story(piece)
            return piece.asked

    return asyncio.run(tell())


def test_whoever_answers_nothing_several_times_in_a_row_hangs():
    async def story(piece: Piece) -> None:
        await until_it_hangs(piece.url, silence=BRIEF, is_to_answer=lambda: True)

    assert asked(0, story) == ASKS


def test_whoever_answers_anything_is_alive():
    async def story(piece: Piece) -> None:
        hanging = asyncio.create_task(until_it_hangs(piece.url, silence=LONG, breath=0, is_to_answer=lambda: True))
        await piece.often.wait()
        assert not hanging.done()
        hanging.cancel()

    asked(float("inf"), story)


def test_what_somebody_has_stand_still_is_not_asked_and_its_silence_forgotten():
    async def story(piece: Piece) -> None:
        told = iter([True, True] * (ASKS - 1) + [False] * 20)
        await until_it_hangs(piece.url, silence=BRIEF, is_to_answer=lambda: next(told, True))
        assert next(told, None) is None

    assert asked(0, story) == ASKS - 1 + ASKS


def test_whoever_takes_no_connection_has_as_long_as_everybody():
    async def story(piece: Piece) -> None:
        begun = asyncio.get_running_loop().time()
        await until_it_hangs("http://127.0.0.1:1", silence=BRIEF, is_to_answer=lambda: True)
        assert asyncio.get_running_loop().time() - begun >= BRIEF

    asked(0, story)

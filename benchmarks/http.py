"""Through the door: commands and queries over HTTP, beside the same in process and beside a bare Starlette route."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

import msgspec

from actum.service.running_async import AsyncRunning
from benchmarks.ground import Ground
from benchmarks.http_server import BalanceOf, Deposit, bank
from benchmarks.measure import percentile, race
from benchmarks.table import Line, Section, at_most, fact, rate

CALLERS = 64
LISTENERS = 500
HEARD = 100
"""How many events each of them is to hear."""

PATIENCE = 120.0
"""Seconds after which what a listener has not heard counts as missed."""

ACCOUNTS = 50

Request = Callable[[int], bytes]


def measure(ground: Ground) -> Section:
    """The section."""
    each = ground.size(60, 2)
    waited: dict[str, list[float]] = {}
    with (
        server(ground.new("http-served.db")) as (port, process),
        bank.open(ground.new("http.db"), actor="b") as running,
    ):
        awaiting = AsyncRunning(running)
        loads = {"command": _command, "bare_post": bare_post, "query": _query, "bare_get": bare_get}
        contestants: dict[str, Callable[[], int]] = {
            "here_command": lambda: asyncio.run(here(each, lambda one: awaiting.execute(deposit(one)))),
            "here_query": lambda: asyncio.run(here(each, lambda one: awaiting.ask(BalanceOf(account=account(one))))),
        }
        for name, request in loads.items():
            times = waited.setdefault(name, [])
            contestants[name] = lambda request=request, times=times: asyncio.run(load(port, each, request, times))  # type: ignore[misc]
        results = race(ground.rounds, **contestants)
        idle = asyncio.run(_idle(port, process.pid, ground.size(LISTENERS, 5), ground.size(HEARD, 3)))
    lines: list[Line] = []
    for what, name, plain in (("commands", "command", "bare_post"), ("queries", "query", "bare_get")):
        mine, within, bare = results[name], results[f"here_{name}"], results[plain]
        lines += [
            fact(f"{what}, {CALLERS} callers", rate(mine.rate), f"in process {rate(within.rate)}", mine.beside(within)),
            fact("  beside a bare route", rate(mine.rate), f"Starlette {rate(bare.rate)}", mine.beside(bare)),
            fact("  p50 / p99", spread(waited[name]), spread(waited[plain])),
        ]
    lines += [
        fact(f"{idle.listeners} idle feeds", f"{idle.grown / 1e6:,.1f} MB"),
        at_most(
            f"  feeds that missed one of the {idle.events} events that came then",
            idle.missed,
            0,
            unit="",
            figure=f"{idle.missed} in {idle.seconds:.2f} s",
        ),
    ]
    return Section("Over HTTP", lines, ["the server is a process of its own, the callers share the other core"])


def account(number: int) -> str:
    return f"A-{number % ACCOUNTS}"


def deposit(number: int) -> Deposit:
    return Deposit(account=account(number), amount=1)


def spread(waited: list[float]) -> str:
    return f"{1e3 * percentile(waited, 0.5):.2f} / {1e3 * percentile(waited, 0.99):.2f} ms"


def posted(path: str, number: int) -> bytes:
    body = msgspec.json.encode(deposit(number))
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _command(number: int) -> bytes:
    return posted("/commands/Deposit", number)


def bare_post(number: int) -> bytes:
    return posted("/bare", number)


def _query(number: int) -> bytes:
    return f"GET /queries/BalanceOf?account={account(number)} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()


def bare_get(number: int) -> bytes:
    return f"GET /bare?account={account(number)} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()


async def here(each: int, call: Callable[[int], object]) -> int:
    numbers = count()

    async def caller() -> None:
        for _ in range(each):
            await call(next(numbers))  # type: ignore[misc]

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return CALLERS * each


async def load(port: int, each: int, request: Request, waited: list[float]) -> int:
    numbers = count()

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(each):
            start = time.perf_counter()
            writer.write(request(next(numbers)))
            await _answer(reader)
            waited.append(time.perf_counter() - start)
        writer.close()

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return CALLERS * each


async def _answer(reader: asyncio.StreamReader) -> list[bytes]:
    """The answer's headers."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    lines = head.lower().split(b"\r\n")
    length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
    await reader.readexactly(length)
    return lines


class Idle(NamedTuple):
    """So many who listen: how many bytes more the server holds for them, and what they missed of the events that came then."""

    listeners: int
    grown: int
    events: int
    missed: int
    seconds: float


async def _idle(port: int, pid: int, listeners: int, events: int) -> Idle:
    before = _resident(pid)
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(listeners)]
    for reader, writer in lines:
        writer.write(b"GET /feed HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await reader.readuntil(b"retry: 2000\n")
    grown = _resident(pid) - before
    begun = time.perf_counter()
    heard: list[list[int]] = [[] for _ in lines]
    hearing = [
        asyncio.create_task(_hear(reader, found, events)) for (reader, _), found in zip(lines, heard, strict=True)
    ]
    written = await _write(port, events)
    _, late = await asyncio.wait(hearing, timeout=PATIENCE)
    seconds = time.perf_counter() - begun
    for one in late:
        one.cancel()
    for _, writer in lines:
        writer.close()
    return Idle(listeners, grown, events, sum(found != written for found in heard), seconds)


async def _write(port: int, events: int) -> list[int]:
    """Have so many events happen, one after another; their positions."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    positions: list[int] = []
    for number in range(events):
        writer.write(_command(number))
        head = await _answer(reader)
        positions.append(next(int(line[16:]) for line in head if line.startswith(b"actum-position:")))
    writer.close()
    return positions


async def _hear(reader: asyncio.StreamReader, heard: list[int], events: int) -> None:
    """Read so many server-sent events: the position of each."""
    position = 0
    while len(heard) < events and (line := await reader.readline()):
        if line.startswith(b"id: "):
            position = int(line[4:])
        elif line.startswith(b"data: "):
            heard.append(position)


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * 4096
    except OSError:
        return 0


@contextmanager
def server(journal: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "benchmarks.http_server", str(journal)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline()), process
        finally:
            process.terminate()

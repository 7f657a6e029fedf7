"""Through the gateway: commands and queries to services in processes of their own, beside the same in process and a bare route."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from actum.service.running_async import AsyncRunning
from benchmarks.ground import Ground
from benchmarks.http import CALLERS, account, bare_get, bare_post, deposit, here, load, posted, server, spread
from benchmarks.http_server import BalanceOf, bank
from benchmarks.measure import race
from benchmarks.table import Line, Section, fact, rate


def measure(ground: Ground) -> Section:
    """The section."""
    each = ground.size(40, 2)
    waited: dict[str, list[float]] = {}
    with (
        server(ground.new("gateway-bare.db")) as (bare, _),
        _system(ground.new("gateway-system")) as gateway,
        bank.open(ground.new("gateway-here.db"), actor="b") as running,
    ):
        awaiting = AsyncRunning(running)
        loads = {
            "command": (gateway, _command),
            "query": (gateway, _query),
            "bare_post": (bare, bare_post),
            "bare_get": (bare, bare_get),
        }
        contestants: dict[str, Callable[[], int]] = {
            "here_command": lambda: asyncio.run(here(each, lambda one: awaiting.execute(deposit(one)))),
            "here_query": lambda: asyncio.run(here(each, lambda one: awaiting.ask(BalanceOf(account=account(one))))),
        }
        for name, (port, request) in loads.items():
            times = waited.setdefault(name, [])
            contestants[name] = lambda port=port, request=request, times=times: asyncio.run(  # type: ignore[misc]
                load(port, each, request, times)
            )
        results = race(ground.rounds, **contestants)
    lines: list[Line] = []
    for what, name, plain in (("commands", "command", "bare_post"), ("queries", "query", "bare_get")):
        mine, within, bare_one = results[name], results[f"here_{name}"], results[plain]
        lines += [
            fact(f"{what}, {CALLERS} callers", rate(mine.rate), f"in process {rate(within.rate)}", mine.beside(within)),
            fact("  beside a bare route", rate(mine.rate), f"Starlette {rate(bare_one.rate)}", mine.beside(bare_one)),
            fact("  p50 / p99", spread(waited[name]), spread(waited[plain])),
        ]
    notes = ["a request goes through two processes, the gateway and the service, and the callers have a third"]
    return Section("Through the gateway", lines, notes)


def _command(number: int) -> bytes:
    return posted("/bank/commands/Deposit", number)


def _query(number: int) -> bytes:
    return f"GET /bank/queries/BalanceOf?account={account(number)} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()


@contextmanager
def _system(folder: Path) -> Iterator[int]:
    """The bank by `actum up`; the gateway's port."""
    command = [sys.executable, "-m", "actum.cli", "up", "benchmarks.http_server:bank", "--data", str(folder)]
    command += ["--port", "0", "--json", "--actor", "bench"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = (json.loads(line) for line in process.stdout)
            yield int(next(one["ready"] for one in said if "ready" in one).rpartition(":")[2])
        finally:
            process.terminate()

"""Commands on PostgreSQL: the same deposits by 1, 16 and 128 callers, beside `pgbench` and beside eventsourcing.

The yardstick writes one plain row a transaction and reads nothing. eventsourcing is measured with its recorder for dynamic
consistency boundaries, which reads, decides and appends under a condition as actum does, without any layer above it.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from actum.service.running_async import AsyncRunning
from benchmarks.bank import NOTE, Deposit, account, bank, teller
from benchmarks.ground import Ground
from benchmarks.measure import Lap, Result, in_threads, percentile, race
from benchmarks.server import Field, field, strangers
from benchmarks.table import Line, Section, at_least, at_most, fact, rate

if TYPE_CHECKING:
    from actum.service.running import Running

PEER = find_spec("eventsourcing") is not None
CALLERS = (1, 16, 128)
THREADS = 64
STATES_KEPT = 2_000
KNOWN = 1_000
"""How many accounts are used again and again where the states are to be found in memory."""

BARS_LOADED = {16: 0.35, 128: 0.5}
BARS_KEPT = {16: 0.9, 128: 1.2}
BARS_PEER = {1: 3, 16: 10, 128: 25}


class Bench:
    """The contestants, and how long each caller waited."""

    def __init__(self, field: Field, running: Running) -> None:
        self._field = field
        self._running = running
        self._strangers = strangers(field.accounts - KNOWN)
        self._known = itertools.cycle(range(KNOWN))
        self.waited: dict[str, list[float]] = {}

    def each(self, callers: int, many: int) -> int:
        """How many commands each of the callers gives in a lap."""
        return self._field.ground.size(max(10, many // callers), 2)

    def stranger(self) -> int:
        return KNOWN + next(self._strangers)

    def known(self) -> int:
        return next(self._known)

    def awaiting(self, name: str, callers: int, which: Callable[[], int]) -> int:
        return asyncio.run(self._awaiting(self.waited.setdefault(name, []), callers, which))

    async def _awaiting(self, waited: list[float], callers: int, which: Callable[[], int]) -> int:
        execute, each = AsyncRunning(self._running).execute, self.each(callers, 4_000)

        async def caller() -> None:
            for _ in range(each):
                start = time.perf_counter()
                await execute(_deposit(which()))
                waited.append(time.perf_counter() - start)

        await asyncio.gather(*(caller() for _ in range(callers)))
        return callers * each

    def threads(self, callers: int, which: Callable[[], int]) -> int:
        each = self.each(callers, 4_000)
        return _in_threads(callers, each, lambda: self._running.execute(_deposit(which())))

    def peer(self, peer: Callable[[str, str, int, str], object], callers: int) -> int:
        each = self.each(callers, 400)
        return _in_threads(callers, each, lambda: peer(*_words(next(self._strangers))))


def _in_threads(callers: int, each: int, call: Callable[[], object]) -> int:
    in_threads([lambda: [call() for _ in range(each)]] * callers)
    return callers * each


def _deposit(number: int) -> Deposit:
    return Deposit(account=account(number), teller=teller(number), amount=1000, note=NOTE)


def _words(number: int) -> tuple[str, str, int, str]:
    return account(number), teller(number), 1000, NOTE


def measure(ground: Ground) -> Section:
    """The section."""
    with field(ground, events=ground.size(200_000, 20_000)) as server:
        with bank.open(server.journal, actor="bench", states_kept=STATES_KEPT) as running:
            bench = Bench(server, running)
            results = race(ground.rounds, **_contestants(server, bench))
        version = str(server.server.installation).partition(" (")[0]
    notes = [
        f"{version} on this machine with fsync, over its socket; two processors for server, callers and pgbench together",
        "pgbench: one row a transaction into a table with a primary key, prepared, read by nobody",
        "eventsourcing: its PostgreSQL recorder with conditions (9.5.6), ten events by their tag, json.loads, append",
        "processor time a command in this process: "
        + ", ".join(f"{name} {one.processor:,.0f} µs" for name, one in results.items() if one.processor),
    ]
    return Section("Commands on PostgreSQL", _lines(results, bench), notes)


def _contestants(server: Field, bench: Bench) -> dict[str, Callable[[], int | Lap]]:
    made: dict[str, Callable[[], int | Lap]] = {}
    for callers in CALLERS:
        made[f"pgbench {callers}"] = lambda callers=callers: server.pgbench(callers)
        made[f"loaded {callers}"] = lambda callers=callers: bench.awaiting(f"loaded {callers}", callers, bench.stranger)
        made[f"kept {callers}"] = lambda callers=callers: bench.awaiting(f"kept {callers}", callers, bench.known)
    made["threads"] = lambda: bench.threads(THREADS, bench.known)
    made["tasks"] = lambda: bench.awaiting("tasks", THREADS, bench.known)
    if PEER:
        from benchmarks.postgres_peer import PeerBank  # noqa: PLC0415 - is there only in a developer's environment

        peer = PeerBank(server)
        for callers in CALLERS:
            made[f"eventsourcing {callers}"] = lambda callers=callers: bench.peer(peer.deposit, callers)
    return made


def _lines(results: dict[str, Result], bench: Bench) -> list[Line]:
    lines = [line for callers in CALLERS for line in _beside_pgbench(results, callers)]
    waited = bench.waited["kept 128"]
    slow, usual = percentile(waited, 0.99), statistics.median(waited)
    figure = f"{1e3 * usual:.2f} / {1e3 * slow:.2f} ms"
    lines.append(at_most("  128 callers: p99 in p50", slow / usual, 5, unit="times", figure=figure))
    threads, tasks = results["threads"], results["tasks"]
    lines.append(
        at_least(f"{THREADS} threads beside {THREADS} awaiting", threads.beside(tasks), 0.5, figure=rate(threads.rate),
                 yardstick=f"awaiting {rate(tasks.rate)}")
    )  # fmt: skip
    return lines + [line for callers in CALLERS for line in _beside_peer(results, callers)]


def _beside_pgbench(results: dict[str, Result], callers: int) -> list[Line]:
    plain = results[f"pgbench {callers}"]
    yardstick = f"pgbench {rate(plain.rate)}"
    lines: list[Line] = []
    for name, words, bars in (("loaded", "states loaded", BARS_LOADED), ("kept", "states in memory", BARS_KEPT)):
        mine = results[f"{name} {callers}"]
        what = f"{callers} caller{'s' if callers > 1 else ''}, {words}"
        if callers in bars:
            lines.append(at_least(what, mine.beside(plain), bars[callers], figure=rate(mine.rate), yardstick=yardstick))
        else:
            lines.append(fact(what, rate(mine.rate), yardstick, mine.beside(plain)))
    return lines


def _beside_peer(results: dict[str, Result], callers: int) -> list[Line]:
    theirs = results.get(f"eventsourcing {callers}")
    if theirs is None:
        return []
    loaded, kept = results[f"loaded {callers}"], results[f"kept {callers}"]
    yardstick = f"eventsourcing {rate(theirs.rate)}"
    what = f"{callers} beside eventsourcing, both loading"
    return [
        at_least(what, loaded.beside(theirs), BARS_PEER[callers], figure=rate(loaded.rate), yardstick=yardstick),
        fact("  the same with states in memory", rate(kept.rate), yardstick, kept.beside(theirs)),
    ]

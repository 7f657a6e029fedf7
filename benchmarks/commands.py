"""One command after another, and many callers at once: an account of ten events, a deposit, durable before it is answered."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import count, cycle
from typing import TYPE_CHECKING

from actum.service.running_async import AsyncRunning
from benchmarks.bank import EVENTS_EACH, NOTE, Deposit, account, bank, teller
from benchmarks.ground import Ground, chunks, fill, fill_raw
from benchmarks.measure import Result, fdatasyncs, in_threads, percentile, race
from benchmarks.raw import RawBank
from benchmarks.table import Line, Section, at_least, at_most, fact, rate

if TYPE_CHECKING:
    from benchmarks.peer import Account, PeerBank

PEER = find_spec("eventsourcing") is not None
"""Without it, the lines about it are missing."""

CALLERS = 64
KNOWN = 50
"""How many accounts are used again and again where the states are to be found in memory."""

STATES_KEPT = 5_000
"""Enough for these, and too few for an account to be still there when its turn comes again among strangers."""


class Field:
    """The same bank three times: by hand, in actum, in eventsourcing; and which accounts come next."""

    def __init__(self, ground: Ground) -> None:
        self.each = ground.size(400, 5)
        self.per_caller = ground.size(60, 2)
        self.waited: dict[str, list[float]] = {}
        once = KNOWN + CALLERS + ground.rounds * self.each
        accounts = once + ground.size(2 * STATES_KEPT, 100)
        raw_path, path = ground.new("commands-raw.db"), ground.new("commands.actum")
        fill_raw(raw_path, accounts)
        fill(path, accounts)
        self.raw = RawBank(raw_path)
        self.actum = bank.open(path, actor="bench", states_kept=STATES_KEPT)
        self.peers = {kept: _peer(ground, once, kept=kept) for kept in (False, True)} if PEER else {}
        self._next = {name: iter(range(KNOWN + CALLERS, once)) for name in ("raw", "cold", "peer")}
        self._next["strangers"] = cycle(range(once, accounts))

    def fresh(self, who: str) -> int:
        """An account whose state is not in memory: never used before, or long ago."""
        return next(self._next[who])

    def close(self) -> None:
        self.raw.close()
        self.actum.close()
        for peer in self.peers.values():
            peer.close()


def _peer(ground: Ground, accounts: int, *, kept: bool) -> PeerBank:
    from benchmarks.peer import PeerBank  # noqa: PLC0415 - is there only in a developer's environment

    peer = PeerBank(ground.new(f"commands-peer-{kept:d}.db"), kept=kept)
    for chunk in chunks(range(KNOWN if kept else accounts), 100):
        peer.save(*(_peer_account(number) for number in chunk))
    return peer


def _peer_account(number: int) -> Account:
    from benchmarks.peer import Account  # noqa: PLC0415 - the same

    made = Account(account(number), teller(number))
    for turn in range(1, EVENTS_EACH):
        made.deposit(teller(number + turn), 1000 + turn, NOTE)
    return made


def measure(ground: Ground) -> Section:
    """The section."""
    field = Field(ground)
    try:
        results = _race(field, ground)
    finally:
        field.close()
    disk = results.pop("disk")
    sync = 1e6 / disk.rate
    bar = 8 if sync >= 1000 else 5
    notes = [
        f"writing and fdatasync took {sync:,.0f} µs (between the rounds of the others; median), so the bar for {CALLERS} callers is {bar} times",
        "raw: BEGIN IMMEDIATE, ten events by their tag, json.loads, decide, look for newer ones, insert, COMMIT",
        "processor time a command: " + ", ".join(f"{name} {one.processor:,.0f} µs" for name, one in results.items()),
    ]
    lines = _sequential(results) + _concurrent(results, field, bar)
    return Section("Commands", lines, notes)


def _race(field: Field, ground: Ground) -> dict[str, Result]:
    deposit = field.actum.execute
    for number in range(KNOWN + CALLERS):
        deposit(_deposit(number))
    contestants: dict[str, Callable[[], int]] = {
        "disk": lambda: fdatasyncs(ground.folder, field.each // 4 + 1),
        "raw": lambda: _loop(field, "raw", lambda: field.raw.deposit(*_words(field.fresh("raw")))),
        "cold": lambda: _loop(field, "cold", lambda: deposit(_deposit(field.fresh("cold")))),
        "peer": lambda: _loop(field, "peer", lambda: field.peers[False].deposit(*_words(field.fresh("peer")))),
        "kept": lambda: _loop(field, "kept", _in_turn(lambda one: deposit(_deposit(one)))),
        "peer_kept": lambda: _loop(field, "peer_kept", _in_turn(lambda one: field.peers[True].deposit(*_words(one)))),
        "threads": lambda: _threads(field, "threads", lambda caller: KNOWN + caller),
        "awaiting": lambda: asyncio.run(_awaiting(field, "awaiting", lambda caller: KNOWN + caller)),
        "strangers": lambda: _threads(field, "strangers", lambda _: field.fresh("strangers")),
    }
    return race(ground.rounds, **{name: work for name, work in contestants.items() if PEER or "peer" not in name})


def _words(number: int) -> tuple[str, str, int, str]:
    return account(number), teller(number), 1000, NOTE


def _deposit(number: int) -> Deposit:
    return Deposit(account=account(number), teller=teller(number), amount=1000, note=NOTE)


def _in_turn(call: Callable[[int], object]) -> Callable[[], object]:
    numbers: Iterator[int] = count()
    return lambda: call(next(numbers) % KNOWN)


def _loop(field: Field, name: str, call: Callable[[], object]) -> int:
    waited = field.waited.setdefault(name, [])
    for _ in range(field.each):
        start = time.perf_counter()
        call()
        waited.append(time.perf_counter() - start)
    return field.each


def _threads(field: Field, name: str, which: Callable[[int], int]) -> int:
    waited = field.waited.setdefault(name, [])

    def caller(number: int) -> None:
        for _ in range(field.per_caller):
            start = time.perf_counter()
            field.actum.execute(_deposit(which(number)))
            waited.append(time.perf_counter() - start)

    in_threads([lambda number=number: caller(number) for number in range(CALLERS)])
    return CALLERS * field.per_caller


async def _awaiting(field: Field, name: str, which: Callable[[int], int]) -> int:
    waited = field.waited.setdefault(name, [])
    execute = AsyncRunning(field.actum).execute

    async def caller(number: int) -> None:
        for _ in range(field.per_caller):
            start = time.perf_counter()
            await execute(_deposit(which(number)))
            waited.append(time.perf_counter() - start)

    await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    return CALLERS * field.per_caller


def _sequential(results: dict[str, Result]) -> list[Line]:
    raw = results["raw"]
    words = {"cold": "one after another, states loaded", "kept": "one after another, states in memory"}
    lines = [
        at_least(
            words[name],
            results[name].beside(raw),
            0.6,
            figure=rate(results[name].rate),
            yardstick=f"raw {rate(raw.rate)}",
        )
        for name in words
    ]
    return lines + _beside_peer(results) if PEER else lines


def _beside_peer(results: dict[str, Result]) -> list[Line]:
    cold, kept, peer, peer_kept = (results[name] for name in ("cold", "kept", "peer", "peer_kept"))
    return [
        at_least("  the first beside eventsourcing, which loads, too", cold.beside(peer), 2, figure=rate(cold.rate),
                 yardstick=f"eventsourcing {rate(peer.rate)}"),
        fact("  the second beside eventsourcing, which keeps and does not look", rate(kept.rate),
             f"eventsourcing {rate(peer_kept.rate)}", kept.beside(peer_kept)),
    ]  # fmt: skip


def _concurrent(results: dict[str, Result], field: Field, bar: float) -> list[Line]:
    raw = results["raw"]
    lines = []
    for name, words in (("threads", f"{CALLERS} threads"), ("awaiting", f"{CALLERS} awaiting")):
        mine = results[name]
        lines += [
            at_least(words, mine.beside(raw), bar, figure=rate(mine.rate), yardstick=f"raw {rate(raw.rate)}"),
            _tail(words, field.waited[name]),
        ]
    strangers = results["strangers"]
    lines += [
        fact(f"{CALLERS} threads, each time another account (loaded)", rate(strangers.rate), f"raw {rate(raw.rate)}",
             strangers.beside(raw)),
        fact("one after another: p50 and p99", _times(field.waited["kept"]), f"raw {_times(field.waited['raw'])}"),
    ]  # fmt: skip
    return lines


def _tail(words: str, waited: list[float]) -> Line:
    slow, usual = percentile(waited, 0.99), statistics.median(waited)
    return at_most(f"  {words}: p99 in p50", slow / usual, 10, unit="times", figure=_times(waited))


def _times(waited: list[float]) -> str:
    return f"{1e3 * statistics.median(waited):.2f} / {1e3 * percentile(waited, 0.99):.2f} ms"

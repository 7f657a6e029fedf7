"""One command after another, and many callers at once: an account of ten events, a deposit, durable before it is answered."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import count

from actum.service.running_async import AsyncRunning
from benchmarks.bank import EVENTS_EACH, NOTE, Deposit, account, bank, teller
from benchmarks.ground import Ground, chunks, fill, fill_raw
from benchmarks.measure import Result, fdatasyncs, in_threads, percentile, race
from benchmarks.peer import Account, PeerBank
from benchmarks.raw import RawBank
from benchmarks.table import Line, Section, at_least, at_most, fact, rate

CALLERS = 64
KNOWN = 50
"""How many accounts are used again and again where the states are to be found in memory."""


class Field:
    """The same bank three times: by hand, in actum, in eventsourcing; and which accounts come next."""

    def __init__(self, ground: Ground) -> None:
        self.each = ground.size(400, 5)
        self.per_caller = ground.size(60, 2)
        accounts = self.accounts = ground.size(10_000, 400)
        raw_path, path = ground.new("commands-raw.db"), ground.new("commands.actum")
        fill_raw(raw_path, accounts)
        fill(path, accounts)
        self.raw = RawBank(raw_path)
        self.actum = bank.open(path, actor="bench")
        self.peers = {kept: _peer(ground, accounts, kept=kept) for kept in (False, True)}
        self.waited: dict[str, list[float]] = {}
        self._numbers = {name: count(KNOWN + CALLERS) for name in ("raw", "cold", "strangers", "peer")}

    def fresh(self, who: str) -> int:
        """An account that `who` has not used before, as long as there are any."""
        return next(self._numbers[who]) % self.accounts

    def close(self) -> None:
        self.raw.close()
        self.actum.close()
        for peer in self.peers.values():
            peer.close()


def _peer(ground: Ground, accounts: int, *, kept: bool) -> PeerBank:
    peer = PeerBank(ground.new(f"commands-peer-{kept:d}.db"), kept=kept)
    for chunk in chunks(range(KNOWN if kept else accounts), 100):
        peer.save(*(_peer_account(number) for number in chunk))
    return peer


def _peer_account(number: int) -> Account:
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
    return race(
        ground.rounds,
        disk=lambda: fdatasyncs(ground.folder, field.each // 4 + 1),
        raw=lambda: _loop(field, "raw", lambda: field.raw.deposit(*_words(field.fresh("raw")))),
        cold=lambda: _loop(field, "cold", lambda: deposit(_deposit(field.fresh("cold")))),
        kept=lambda: _loop(field, "kept", _in_turn(lambda number: deposit(_deposit(number)))),
        peer=lambda: _loop(field, "peer", lambda: field.peers[False].deposit(*_words(field.fresh("peer")))),
        peer_kept=lambda: _loop(
            field, "peer_kept", _in_turn(lambda number: field.peers[True].deposit(*_words(number)))
        ),
        threads=lambda: _threads(field, "threads", lambda caller: KNOWN + caller),
        awaiting=lambda: asyncio.run(_awaiting(field, "awaiting", lambda caller: KNOWN + caller)),
        strangers=lambda: _threads(field, "strangers", lambda _: field.fresh("strangers")),
    )


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
    raw, peer, peer_kept = results["raw"], results["peer"], results["peer_kept"]
    lines = []
    for name, words in (("cold", "one after another, states loaded"), ("kept", "one after another, states in memory")):
        mine = results[name]
        lines += [
            at_least(words, mine.beside(raw), 0.6, figure=rate(mine.rate), yardstick=f"raw {rate(raw.rate)}"),
        ]
    lines += [
        at_least("  the first beside eventsourcing, loading", results["cold"].beside(peer), 2,
                 figure=rate(results["cold"].rate), yardstick=f"eventsourcing {rate(peer.rate)}"),
        fact("  the second beside eventsourcing, aggregates kept and not fast-forwarded", rate(results["kept"].rate),
             f"eventsourcing {rate(peer_kept.rate)}", results["kept"].beside(peer_kept)),
    ]  # fmt: skip
    return lines


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

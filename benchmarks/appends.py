"""A big journal: batches of facts, a thread that computes at the same time, and what an event takes of the disk."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import apsw

from actum.journal.clock import SYSTEM_IDS
from actum.journal.store import Append
from actum.service.running import Running
from actum.service.running_async import AsyncRunning
from actum.stores.sqlite.database import SqliteStore
from benchmarks import raw
from benchmarks.bank import EVENTS_EACH, NOTE, Deposit, Deposited, Opened, account, bank, teller
from benchmarks.ground import BATCH as MANY
from benchmarks.ground import Ground, chunks, fill, fill_raw, settle
from benchmarks.measure import Prepared, in_threads, race
from benchmarks.table import Line, Section, at_least, at_most, fact, rate

BATCH = 100
CALLERS = 64


def measure(ground: Ground) -> Section:
    """The section."""
    lines = _batches(ground) + _busy(ground) + _storage(ground)
    notes = [
        "raw: executemany into the same columns and COMMIT, with no index of tags at all",
        "busy: a thread of pure Python computes in the same process all the while",
    ]
    return Section("A big journal", lines, notes)


# Batches of facts.


def _batches(ground: Ground) -> list[Line]:
    stored, laps = ground.size(1_000_000, 2_000), ground.size(100, 3)
    path = ground.new("appends-raw.db")
    fill_raw(path, stored // EVENTS_EACH, indexed=False)
    connection = raw.connect(path)
    store = SqliteStore(ground.copy(ground.journal(stored), "appends.actum"))
    running = bank.open(ground.copy(ground.journal(stored), "appends-typed.actum"), actor="bench")
    facts = _facts(stored // EVENTS_EACH)
    try:
        results = race(
            ground.rounds,
            raw=Prepared(
                lambda: [_rows(facts) for _ in range(laps)],
                lambda batches: _each(batches, lambda one: _insert(connection, one)),
            ),
            actum=Prepared(lambda: [_append(facts) for _ in range(laps)], lambda batches: _each(batches, store.append)),
            typed=Prepared(
                lambda: [_some(facts) for _ in range(laps)],
                lambda batches: _each(batches, lambda one: running.append(*one)),
            ),
        )
    finally:
        connection.close()
        store.close()
        running.close()
    by_hand, mine, typed = results.values()
    return [
        at_least(f"batches of {BATCH}, two tags, behind {stored:,} events", mine.beside(by_hand), 0.35,
                 figure=rate(mine.rate), yardstick=f"raw without index {rate(by_hand.rate)}"),
        fact("  the same as typed events, encoded on the way", rate(typed.rate), f"raw {rate(by_hand.rate)}",
             typed.beside(by_hand)),
        fact("  processor time an event", f"{mine.processor:.1f} µs", f"raw {by_hand.processor:.1f} µs"),
    ]  # fmt: skip


def _facts(accounts: int) -> Iterator[Deposited]:
    """Deposits without end, on accounts in no order."""
    for number in count():
        which = number * 7919 % accounts
        yield Deposited(account=account(which), teller=teller(number), amount=1000, note=NOTE)


def _some(facts: Iterator[Deposited]) -> tuple[Deposited, ...]:
    return next(chunks(facts, BATCH))


def _append(facts: Iterator[Deposited]) -> Append:
    encode = bank.codec.encode
    return Append(tuple(encode(one, ids=SYSTEM_IDS, metadata=raw.METADATA) for one in _some(facts)))


def _rows(facts: Iterator[Deposited]) -> list[tuple[object, ...]]:
    return [
        (None, "Deposited", os.urandom(16), 1_700_000_000_000_000, None, "\n".join(one.tags), one.data, one.metadata,
         one.salt, raw.LEAF)
        for one in _append(facts).events
    ]  # fmt: skip


def _insert(connection: apsw.Connection, rows: list[tuple[object, ...]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(raw.INSERT, rows)
    connection.execute("COMMIT")


def _each(batches: list[object], write: Callable[[object], object]) -> int:
    for batch in batches:
        write(batch)
    return BATCH * len(batches)


# Beside a thread that computes.


@contextmanager
def computing() -> Iterator[None]:
    """A thread of pure Python that never rests."""
    stop = threading.Event()

    def compute() -> None:
        number = 1
        while not stop.is_set():
            for _ in range(1000):
                number = (number * 31 + 7) % 1_000_003

    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _busy(ground: Ground) -> list[Line]:
    accounts, alone, each = 200, ground.size(200, 5), ground.size(20, 1)
    path, by_hand = ground.new("busy.actum"), ground.new("busy-raw.db")
    fill(path, accounts)
    fill_raw(by_hand, accounts)
    program = raw.RawBank(by_hand)
    with bank.open(path, actor="bench") as running:
        deposit = partial(_by_actum, running, accounts)
        one, many = partial(_times, alone, deposit), partial(_callers, each, deposit)
        hand = partial(_times, alone, partial(_by_hand, program, accounts))
        results = race(
            ground.rounds,
            one=one, one_beside=beside(one),
            many=many, many_beside=beside(many),
            raw=hand, raw_beside=beside(hand),
        )  # fmt: skip
    program.close()
    words = (("one", "one caller beside a busy thread", 0.3), ("many", f"{CALLERS} threads beside a busy thread", 0.3))
    lines = []
    for name, what, bar in words:
        calm, mine = results[name], results[f"{name}_beside"]
        lines.append(
            at_least(what, mine.beside(calm), bar, figure=rate(mine.rate), yardstick=f"alone {rate(calm.rate)}")
        )
    calm, mine = results["raw"], results["raw_beside"]
    lines.append(
        fact("  the raw loop beside a busy thread", rate(mine.rate), f"raw alone {rate(calm.rate)}", mine.beside(calm))
    )
    return lines


def _by_actum(running: Running, accounts: int, number: int) -> None:
    running.execute(_deposit(number % accounts))


def _by_hand(program: raw.RawBank, accounts: int, number: int) -> None:
    program.deposit(account(number % accounts), teller(number), 1000, NOTE)


def beside(work: Callable[[], int]) -> Callable[[], int]:
    """The same work, while another thread computes."""

    def disturbed() -> int:
        with computing():
            return work()

    return disturbed


def _times(times: int, call: Callable[[int], object]) -> int:
    for number in range(times):
        call(number)
    return times


def _callers(each: int, call: Callable[[int], object]) -> int:
    in_threads([lambda number=number: _times(each, lambda _: call(number)) for number in range(CALLERS)])
    return CALLERS * each


def _deposit(number: int) -> Deposit:
    return Deposit(account=account(number), teller=teller(number), amount=1000, note=NOTE)


# What an event takes of the disk.


def _storage(ground: Ground) -> list[Line]:
    accounts = ground.size(5_000, 100)
    path = ground.new("storage.actum")
    with bank.open(path, actor="teller-7") as running:
        for chunk in chunks(range(accounts), MANY):
            running.append(*(Opened(account=account(number), teller=teller(number)) for number in chunk))
        before = _settled(path)
        asyncio.run(_deposits(running, accounts))
        written = _settled(path) - before
        events = running.head() - accounts
        metadata = next(running.events(backwards=True, limit=1)).stored
    big = ground.size(1_000_000, 2_000)
    whole = ground.journal(big).stat().st_size / big
    return [
        at_most(f"bytes an event, a command each ({len(metadata.data)} of data, {len(metadata.metadata_bytes)} of metadata)",
                written / events, 450, unit="B"),
        fact(f"  bytes an event, {big:,} appended in batches", f"{whole:,.0f} B"),
        *(fact(f"  of these, {table}", f"{size / (events + accounts):,.0f} B") for table, size in _parts(path)),
    ]  # fmt: skip


async def _deposits(running: Running, accounts: int) -> None:
    left = iter(range(accounts * (EVENTS_EACH - 1)))
    execute = AsyncRunning(running).execute

    async def caller() -> None:
        for number in left:
            await execute(_deposit(number * 7919 % accounts))

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


def _settled(path: Path) -> int:
    settle(path)
    return path.stat().st_size


def _parts(path: Path) -> list[tuple[str, int]]:
    """The tables of a file and how many bytes their pages take, the largest first."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    sizes: dict[str, int] = {}
    for name, size in connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"):
        table = "tag_index" if name.startswith("tag_index") else name
        sizes[table] = sizes.get(table, 0) + size
    connection.close()
    return sorted(sizes.items(), key=lambda one: -one[1])[:3]

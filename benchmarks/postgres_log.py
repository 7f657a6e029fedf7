"""The log on PostgreSQL: batches, entity loads, reading everything, a view that counts each event once, bytes on the disk.

What is done by hand runs on the same server over the same driver: COPY into a table with the very same columns and indexes,
undecoded rows in pages, and a folded page with its upsert and checkpoint in one transaction.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
from psycopg import sql

from actum.journal.query import Query
from actum.service.opening import open_store
from actum.service.running_async import AsyncRunning
from benchmarks.bank import EVENTS_EACH, NOTE, Deposit, Deposited, Opened, account, bank, teller
from benchmarks.ground import BATCH, Ground, chunks
from benchmarks.measure import Prepared, percentile, race
from benchmarks.replay import Balance, Everything, reading, viewed
from benchmarks.server import Field, field
from benchmarks.table import Line, Section, at_least, at_most, fact, rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.journal.store import JournalStore
    from actum.service.running import Running

CALLERS = 128
TOGETHER = 64
"""How many loads are asked for at once."""

PAGE_BY_HAND = "SELECT position, type, data FROM bench.events WHERE position > %s ORDER BY position LIMIT 2000"
TWIN = "CREATE TABLE twin (LIKE bench.events INCLUDING ALL); INSERT INTO twin SELECT * FROM bench.events"
FOLDED = """
DROP TABLE IF EXISTS by_hand;
CREATE TABLE by_hand (account text PRIMARY KEY, balance bigint NOT NULL);
CREATE TABLE IF NOT EXISTS by_hand_checkpoint (position bigint NOT NULL);
DELETE FROM by_hand_checkpoint;
INSERT INTO by_hand_checkpoint VALUES (0);
"""
UPSERT = """INSERT INTO by_hand SELECT * FROM unnest(%b::text[], %b::bigint[])
ON CONFLICT (account) DO UPDATE SET balance = by_hand.balance + excluded.balance"""


def measure(ground: Ground) -> Section:
    """The section."""
    events = ground.size(1_000_000, 20_000)
    with field(ground, events=events) as server:
        lines = _batches(server) + _loads(server) + _reading(server) + _storage(server)
        version = str(server.server.installation).partition(" (")[0]
    notes = [
        f"{version} on this machine with fsync, over its socket; {events:,} events of 135 bytes and two tags",
        "COPY: binary, 1,000 rows a transaction, into a table with the same columns, indexes and rows",
        "folded by hand: pages of 1,000, msgspec, one upsert by unnest and the checkpoint in one transaction",
    ]
    return Section("The log on PostgreSQL", lines, notes)


# Batches.


def _batches(server: Field) -> list[Line]:
    laps = server.ground.size(20, 2)
    facts = _facts(server.accounts)
    with server.connect() as connection, bank.open(server.journal, actor="bench") as running:
        connection.execute(TWIN)
        columns, types = _columns(connection)
        rows = _Rows(connection)
        results = race(
            server.ground.rounds,
            copy=Prepared(
                lambda: [rows.next() for _ in range(laps)], lambda made: _copied(connection, columns, types, made)
            ),
            batch=Prepared(lambda: [next(facts) for _ in range(laps)], lambda made: _appended(running, made)),
        )
        connection.execute("DROP TABLE twin")
    mine, by_hand = results["batch"], results["copy"]
    return [
        at_least(f"batches of {BATCH:,} events, typed, as `running.append` takes them", mine.beside(by_hand), 0.7,
                 figure=rate(mine.rate), yardstick=f"COPY {rate(by_hand.rate)}"),
        fact("  processor time an event", f"{mine.processor:.1f} µs", f"COPY {by_hand.processor:.1f} µs"),
    ]  # fmt: skip


def _facts(accounts: int) -> Any:
    numbers = (number * 7919 % accounts for number in itertools.count())
    made = (Deposited(account=account(one), teller=teller(one), amount=1000, note=NOTE) for one in numbers)
    return chunks(made, BATCH)


def _columns(connection: psycopg.Connection[Any]) -> tuple[list[str], list[str]]:
    asked = """SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
    WHERE attrelid = 'twin'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"""
    found = connection.execute(asked).fetchall()
    return [name for name, _ in found], [kind for _, kind in found]


class _Rows:
    """Rows of the journal once more, at positions behind its head."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        names, _ = _columns(connection)
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        asked = sql.SQL("SELECT {} FROM bench.events ORDER BY position LIMIT {}").format(columns, BATCH)
        self._rows = connection.execute(asked, binary=True).fetchall()
        self._place = names.index("position")
        (self._head,) = connection.execute("SELECT max(position) FROM bench.events").fetchone()

    def next(self) -> list[tuple[Any, ...]]:
        place = self._place
        rows = [(*row[:place], self._head + at, *row[place + 1 :]) for at, row in enumerate(self._rows, 1)]
        self._head += len(rows)
        return rows


def _copied(connection: psycopg.Connection[Any], columns: list[str], types: list[str], batches: Any) -> int:
    asked = sql.SQL("COPY twin ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    for batch in batches:
        with connection.cursor() as cursor, cursor.copy(asked) as copy:
            copy.set_types(types)
            for row in batch:
                copy.write_row(row)
    return BATCH * len(batches)


def _appended(running: Running, batches: Any) -> int:
    for batch in batches:
        running.append(*batch)
    return BATCH * len(batches)


# Loads.


def _loads(server: Field) -> list[Line]:
    store = open_store(server.journal)
    numbers = itertools.cycle(range(0, server.accounts, 7))
    try:
        _load(store, [next(numbers) for _ in range(TOGETHER)])
        singles = [_load(store, [next(numbers)]) for _ in range(server.ground.size(2_000, 20))]
        many = [
            _load(store, [next(numbers) for _ in range(TOGETHER)]) / TOGETHER for _ in range(server.ground.size(200, 5))
        ]
        with server.connect() as connection:
            trips = [_trip(connection) for _ in range(server.ground.size(2_000, 20))]
    finally:
        store.close()
    trip = f"SELECT 1 {percentile(trips, 0.5):,.0f} µs"
    return [
        at_most("the ten events of one account", percentile(singles, 0.5), 250, unit="µs", yardstick=trip),
        at_most(f"  {TOGETHER} accounts in one call, each", percentile(many, 0.5), 50, unit="µs", yardstick=trip),
    ]


def _load(store: JournalStore, numbers: Sequence[int]) -> float:
    queries = [Query.of(types=("Opened", "Deposited"), tags=(f"account:{account(one)}",)) for one in numbers]
    start = time.perf_counter()
    _, found = store.load(queries, after=[0] * len(queries))
    took = time.perf_counter() - start
    assert all(len(events) >= EVENTS_EACH for events in found)
    return 1e6 * took


def _trip(connection: psycopg.Connection[Any]) -> float:
    start = time.perf_counter()
    connection.execute("SELECT 1", prepare=True, binary=True).fetchone()
    return 1e6 * (time.perf_counter() - start)


# Reading everything.


def _reading(server: Field) -> list[Line]:
    views = server.journal.replace("journal=bench", "journal=bench_reading")
    with (
        server.connect() as connection,
        reading.open(server.journal, actor="bench", read_database=views, follow=False) as running,
    ):
        results = race(
            server.ground.rounds,
            rows=lambda: _undecoded(connection),
            decoded=lambda: running.state(Everything).events,
            folded=lambda: _folded(connection),
            view=lambda: viewed(running),
        )
        theirs = connection.execute('SELECT account, balance FROM by_hand ORDER BY account COLLATE "C"').fetchall()
        agree = theirs == [(row.account, row.balance) for row in _rows_of(running)]
    rows, decoded, folded, view = results.values()
    by_hand = f"folded by hand {rate(folded.rate)}"
    return [
        at_least("the log, decoded and folded", decoded.beside(rows), 0.55, figure=rate(decoded.rate),
                 yardstick=f"undecoded rows {rate(rows.rate)}"),
        at_least("into a view, exactly once", view.beside(folded), 0.7, figure=rate(view.rate), yardstick=by_hand),
        fact("  of these views, both the same", "yes" if agree else "NO"),
    ]  # fmt: skip


def _rows_of(running: Running) -> Any:
    cursor = None
    table = running.view(Balance)
    while True:
        page = table.page(limit=1000, after=cursor)
        yield from page
        if page.next is None:
            return
        cursor = page.next


def _undecoded(connection: psycopg.Connection[Any]) -> int:
    count = position = 0
    while page := connection.execute(PAGE_BY_HAND, (position,), prepare=True, binary=True).fetchall():
        position = page[-1][0]
        count += len(page)
    return count


def _folded(connection: psycopg.Connection[Any]) -> int:
    connection.execute(FOLDED)
    decode = msgspec.json.Decoder().decode
    asked = PAGE_BY_HAND.replace("2000", "1000")
    count = position = 0
    while page := connection.execute(asked, (position,), prepare=True, binary=True).fetchall():
        sums: dict[str, int] = {}
        for _, type, data in page:
            event = decode(data)
            who = event["account"]
            sums[who] = sums.get(who, 0) + (event["amount"] if type == "Deposited" else 0)
        with connection.transaction():
            connection.execute(UPSERT, (list(sums), list(sums.values())), prepare=True)
            moved = "UPDATE by_hand_checkpoint SET position = %s WHERE position = %s"
            assert connection.execute(moved, (page[-1][0], position)).rowcount == 1
        position = page[-1][0]
        count += len(page)
    return count


# Bytes.


def _storage(server: Field) -> list[Line]:
    accounts = server.ground.size(3_000, 100)
    with bank.open(server.fresh("storage"), actor="teller-7") as running, server.connect() as connection:
        for chunk in chunks(range(accounts), BATCH):
            running.append(*(Opened(account=account(number), teller=teller(number)) for number in chunk))
        connection.execute("CHECKPOINT")
        before = _size(connection)
        asyncio.run(_deposits(running, accounts))
        written = _size(connection) - before
        events = running.head() - accounts
        metadata = next(running.events(backwards=True, limit=1)).stored
        parts = connection.execute(
            """SELECT relname, pg_total_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
            WHERE nspname = 'storage' AND relkind = 'r' ORDER BY 2 DESC LIMIT 3"""
        ).fetchall()
    return [
        at_most(f"bytes an event, a command each ({len(metadata.data)} of data, {len(metadata.metadata_bytes)} of metadata)",
                written / events, 400, unit="B"),
        *(fact(f"  of these, {name}", f"{size / (events + accounts):,.0f} B") for name, size in parts),
    ]  # fmt: skip


def _size(connection: psycopg.Connection[Any]) -> int:
    asked = """SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
    JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'storage' AND relkind = 'r'"""
    (size,) = connection.execute(asked).fetchone() or (0,)
    return int(size)


async def _deposits(running: Running, accounts: int) -> None:
    left = iter(range(accounts * (EVENTS_EACH - 1)))
    execute = AsyncRunning(running).execute

    async def caller() -> None:
        for number in left:
            which = number * 7919 % accounts
            await execute(Deposit(account=account(which), teller=teller(which), amount=1000, note=NOTE))

    await asyncio.gather(*(caller() for _ in range(CALLERS)))

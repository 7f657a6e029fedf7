"""The server that is measured on: one PostgreSQL, durable, for all contestants of a section, and what is done to it by hand."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import psycopg

from actum.journal.clock import SYSTEM_IDS
from actum.journal.store import Append
from actum.service.opening import open_store
from actum.testing.postgres import PostgresServer, postgres_server, with_journal
from benchmarks import raw
from benchmarks.bank import EVENTS_EACH, NOTE, bank, history
from benchmarks.ground import BATCH, Ground, chunks
from benchmarks.measure import Lap, processor_of

SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB", "max_connections": "200"}

PLAIN = "CREATE TABLE IF NOT EXISTS plain (position bigserial PRIMARY KEY, type text, tags text[], data bytea)"
PLAIN_INSERT = rf"""\set account random(1, 100000)
INSERT INTO plain (type, tags, data)
VALUES ('Deposited', ARRAY['account=A' || :account::int, 'teller=T' || :account::int % 50], '\x{(NOTE + NOTE)[:135].encode().hex()}');
"""


class Field(NamedTuple):
    """A server with a journal of ten events for each of so many accounts."""

    server: PostgresServer
    ground: Ground
    accounts: int

    @property
    def journal(self) -> str:
        """The journal that all share."""
        return with_journal(self.server.url, "bench")

    def fresh(self, name: str) -> str:
        """The address of a journal that is not there yet."""
        return with_journal(self.server.url, name)

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection of one's own."""
        return psycopg.connect(self.server.url, autocommit=True)

    def processor(self) -> float:
        """Seconds of processor that the server has used so far."""
        file = self.server.folder / "data" / "postmaster.pid"
        return processor_of(int(file.read_text(encoding="utf-8").split()[0]))

    def pgbench(self, clients: int) -> Lap:
        """Single-row inserts by so many clients, as `pgbench` counts them itself, without the time to connect."""
        script = self.ground.folder / "insert.sql"
        script.write_text(PLAIN_INSERT, encoding="ascii")
        script.chmod(0o644)
        each = self.ground.size(2_000 if clients == 1 else 16_000 // clients, 2)
        said = self.server.run(
            "pgbench", "--no-vacuum", f"--client={clients}", "--jobs=2", f"--transactions={each}", "--protocol=prepared",
            f"--file={script}", "actum",
        )  # fmt: skip
        done = re.search(r"tps = ([0-9.]+)", said)
        assert done is not None, said
        return Lap(clients * each, clients * each / float(done[1]), 0.0)


@contextmanager
def field(ground: Ground, *, events: int) -> Generator[Field]:
    """The server, filled and settled."""
    with postgres_server(durable=True, settings=SETTINGS) as server:
        mine = Field(server, ground, events // EVENTS_EACH)
        with mine.connect() as connection:
            connection.execute(PLAIN)
        fill(mine.journal, mine.accounts)
        with mine.connect() as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
        yield mine


def fill(address: str, accounts: int) -> None:
    """Ten events an account, through the store's own door."""
    store = open_store(address)
    encode = partial(bank.codec.encode, ids=SYSTEM_IDS, metadata=raw.METADATA)
    for chunk in chunks(history(accounts), BATCH):
        store.append(Append(tuple(encode(event) for _, _, event in chunk)))
    store.close()


def strangers(accounts: int) -> Iterator[int]:
    """Accounts, each of them as seldom as can be."""
    while True:
        yield from range(accounts)

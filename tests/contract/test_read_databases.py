"""Every read database, held to one contract: the same rows, the same order, the same digest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import apsw
import psycopg
import pytest

from actum.projection.digest import digest_of
from actum.stores.postgres.address import address_of
from actum.stores.postgres.tables import PostgresTables
from actum.stores.sqlite.tables import MEMORY, SqliteTables
from actum.testing.contract.tables import (
    EVERY_KIND,
    DurableTablesContract,
    ReadDatabaseContract,
    TablesOpener,
    change,
    random_row,
)
from actum.testing.postgres import with_journal
from tests.contract.rooms import Reader, RoomCases


class TestSqliteInMemory(ReadDatabaseContract):
    """Gone with the process, and open once."""

    def opener(self, folder: Path) -> TablesOpener:
        return partial(SqliteTables, MEMORY)


class TestSqliteFile(DurableTablesContract, RoomCases):
    """The default, beside the journal."""

    def opener(self, folder: Path) -> TablesOpener:
        return partial(SqliteTables, folder / "views.db")

    @pytest.fixture
    def reader(self, tmp_path: Path) -> Reader:
        """Somebody's own connection, by which a statement is asked again and again."""

        @contextmanager
        def asking(statement: str) -> Iterator[Callable[[], list[Any]]]:
            connection = apsw.Connection(str(tmp_path / "views.db"), flags=apsw.SQLITE_OPEN_READONLY)
            connection.set_busy_timeout(10_000)
            yield lambda: list(connection.execute(statement))
            connection.close()

        return asking


def in_postgres(database: str, folder: Path) -> partial[PostgresTables]:
    name = "t" + hashlib.sha256(str(folder).encode()).hexdigest()[:20]
    return partial(PostgresTables, address_of(with_journal(database, name)).views)


class TestPostgres(DurableTablesContract, RoomCases):
    """In a schema of its own."""

    @pytest.fixture(autouse=True)
    def _database(self, each_postgres: str) -> None:
        self.database = each_postgres

    def opener(self, folder: Path) -> TablesOpener:
        return in_postgres(self.database, folder)

    @pytest.fixture
    def reader(self, tmp_path: Path) -> Reader:
        """Somebody's own connection, by which a statement is asked again and again."""
        address = in_postgres(self.database, tmp_path).args[0]

        @contextmanager
        def asking(statement: str) -> Iterator[Callable[[], list[Any]]]:
            with psycopg.connect(address.conninfo, autocommit=True) as server:
                server.execute(f"SET search_path = {address.schema}".encode())
                yield lambda: server.execute(statement.encode()).fetchall()

        return asking


def test_the_same_rows_have_the_same_digest_in_every_read_database(each_postgres: str, tmp_path: Path, seed: int):
    rows = {row[:2]: row for row in (random_row(Random(seed + at)) for at in range(300))}
    digests: set[str] = set()
    for opener in (
        partial(SqliteTables, MEMORY),
        partial(SqliteTables, tmp_path / "views.db"),
        in_postgres(each_postgres, tmp_path),
    ):
        tables = opener(origin="o")
        tables.prepare(EVERY_KIND)
        tables.commit([change(*rows.values(), shape=EVERY_KIND)])
        digests.add(digest_of(tables, EVERY_KIND))
        tables.close()
    assert len(digests) == 1

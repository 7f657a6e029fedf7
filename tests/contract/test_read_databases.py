"""Every read database, held to one contract: the same rows, the same order, the same digest."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from random import Random

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


class TestSqliteInMemory(ReadDatabaseContract):
    """Gone with the process, and open once."""

    def opener(self, folder: Path) -> TablesOpener:
        return partial(SqliteTables, MEMORY)


class TestSqliteFile(DurableTablesContract):
    """The default, beside the journal."""

    def opener(self, folder: Path) -> TablesOpener:
        return partial(SqliteTables, folder / "views.db")


def in_postgres(database: str, folder: Path) -> TablesOpener:
    name = "t" + hashlib.sha256(str(folder).encode()).hexdigest()[:20]
    return partial(PostgresTables, address_of(with_journal(database, name)).views)


class TestPostgres(DurableTablesContract):
    """In a schema of its own."""

    @pytest.fixture(autouse=True)
    def _database(self, each_postgres: str) -> None:
        self.database = each_postgres

    def opener(self, folder: Path) -> TablesOpener:
        return in_postgres(self.database, folder)


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

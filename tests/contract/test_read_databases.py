"""Every read database, held to one contract: the same rows, the same order, the same digest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import apsw
import msgspec
import psycopg
import psycopg.conninfo
import pytest

from actum.journal.errors import Misdeclared, NotAJournal
from actum.journal.event import LAST_POSITION
from actum.journal.readmodel import ReadDatabase, Role, Shape
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
from tests.contract.rooms import AFTER, BEFORE, Reader, RoomCases, make, statements, wrote


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

    @pytest.mark.parametrize("table", [AFTER.table, BEFORE.table])
    def test_a_file_of_somebody_else_is_no_room_and_stays(
        self, tables: ReadDatabase, tmp_path: Path, table: str
    ) -> None:
        path = tmp_path / f"views.{table}.db"
        with closing(apsw.Connection(str(path))) as theirs:
            theirs.execute("CREATE TABLE dear (n); INSERT INTO dear VALUES (1)")
        with pytest.raises(
            NotAJournal, match=rf"views\.{table}\.db, in which {table} would be built beside, is something else"
        ):
            switched(tables)
        with closing(apsw.Connection(str(path))) as theirs:
            assert theirs.execute("SELECT n FROM dear").get == 1

    def test_a_text_index_without_contents_comes_along(self, tables: ReadDatabase, tmp_path: Path) -> None:
        both = [f"CREATE VIRTUAL TABLE {name} USING fts5(note, content='')" for name in ("found", "found_more")]
        fill = "INSERT INTO found (note) VALUES ('{}')"
        tables.prepare(BEFORE, statements(*both))
        wrote(tables, BEFORE, fill.format("older"))
        tables.rooms.open(AFTER).prepare(AFTER, statements(*both))
        wrote(tables.rooms.open(AFTER), AFTER, fill.format("newer"))
        tables.rooms.claim(BEFORE, AFTER)
        for pair, word in (((AFTER, BEFORE), "newer"), ((BEFORE, AFTER), "older")):
            assert tables.rooms.swap(pair[0], instead_of=pair[1], until=LAST_POSITION, aside=Role.KEPT)
            with closing(apsw.Connection(str(tmp_path / "views.db"), flags=apsw.SQLITE_OPEN_READONLY)) as file:
                assert file.execute("SELECT count(*) FROM found WHERE found MATCH ?", (word,)).get == 1


def switched(tables: ReadDatabase) -> None:
    """What is made by one definition takes the place of what was made by another."""
    tables.prepare(BEFORE, make())
    tables.rooms.open(AFTER).prepare(AFTER, make())
    tables.rooms.claim(BEFORE, AFTER)
    tables.rooms.swap(AFTER, instead_of=BEFORE, until=LAST_POSITION, aside=Role.KEPT)


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

    @pytest.mark.parametrize("table", [AFTER.table, BEFORE.table])
    def test_a_schema_of_somebody_else_is_no_room_and_stays(
        self, tables: ReadDatabase, tmp_path: Path, table: str
    ) -> None:
        address = in_postgres(self.database, tmp_path).args[0]
        schema = f"{address.schema}_{table.removeprefix('actum_')}"
        with psycopg.connect(address.conninfo, autocommit=True) as server:
            server.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.dear (n INTEGER)".encode())
            with pytest.raises(
                NotAJournal, match=f"the schema {schema}, in which {table} would be built .* holds something else"
            ):
                switched(tables)
            assert server.execute(f"SELECT n FROM {schema}.dear".encode()).fetchall() == []

    def test_who_may_make_no_schema_is_told_that_nothing_is_built_beside(
        self, tables: ReadDatabase, tmp_path: Path
    ) -> None:
        address = in_postgres(self.database, tmp_path).args[0]
        role = f"r{address.schema}"
        with psycopg.connect(address.conninfo, autocommit=True) as server:
            server.execute(f"CREATE ROLE {role} LOGIN".encode())
            server.execute(f"CREATE SCHEMA {role} AUTHORIZATION {role}".encode())
            theirs = msgspec.structs.replace(
                address, schema=role, conninfo=psycopg.conninfo.make_conninfo(address.conninfo, user=role)
            )
            poor = PostgresTables(theirs, origin="o")
            try:
                poor.prepare(BEFORE, make())
                with pytest.raises(
                    Misdeclared, match=r"nothing is built beside: permission denied .*; GRANT CREATE ON DATABASE"
                ):
                    poor.rooms.open(AFTER)
            finally:
                poor.close()
                server.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}".encode())

    def test_functions_types_and_sequences_come_along(self, tables: ReadDatabase, reader: Reader) -> None:
        """What depends on them is as it was made, also once the rooms are gone."""
        begin = statements(
            "CREATE TYPE size AS ENUM ('s', 'l')",
            "CREATE TYPE pair AS (one size, other INTEGER)",
            "CREATE DOMAIN few AS INTEGER CHECK (VALUE < 100)",
            "CREATE SEQUENCE numbers",
            "CREATE FUNCTION twice(it few) RETURNS INTEGER LANGUAGE sql IMMUTABLE AS 'SELECT it * 2'",
            "CREATE FUNCTION at_most(it pair) RETURNS INTEGER LANGUAGE sql IMMUTABLE AS 'SELECT ($1).other'",
            "CREATE TABLE flows (n few, id BIGINT DEFAULT nextval('numbers'), twin INTEGER GENERATED ALWAYS AS (twice(n)) STORED, "
            "both_of pair DEFAULT ROW('l', 7))",
            "CREATE VIEW seen AS SELECT n, id, twin, at_most(both_of) FROM flows",
        )
        fill = "INSERT INTO flows (n) VALUES ({}), ({})"
        tables.prepare(BEFORE, begin)
        wrote(tables, BEFORE, fill.format(1, 2))
        tables.rooms.open(AFTER).prepare(AFTER, begin)
        wrote(tables.rooms.open(AFTER), AFTER, fill.format(3, 4))
        tables.rooms.claim(BEFORE, AFTER)
        older, newer = [(1, 1, 2, 7), (2, 2, 4, 7)], [(3, 1, 6, 7), (4, 2, 8, 7)]
        with reader("SELECT * FROM seen ORDER BY id") as look:
            for pair, found in (((AFTER, BEFORE), newer), ((BEFORE, AFTER), older), ((AFTER, BEFORE), newer)):
                assert tables.rooms.swap(pair[0], instead_of=pair[1], until=LAST_POSITION, aside=Role.KEPT)
                assert look() == found
            tables.rooms.drop(BEFORE.table)
            assert look() == newer

    def test_what_somebody_has_made_on_top_is_not_taken_along(self, tables: ReadDatabase, reader: Reader) -> None:
        tables.prepare(BEFORE, make())
        tables.rooms.open(AFTER).prepare(AFTER, make())
        tables.rooms.claim(BEFORE, AFTER)
        tables.prepare(Shape("fees", (), (), b"f"), statements("CREATE VIEW report AS SELECT times FROM flows"))
        for refused in (
            partial(tables.rooms.claim, BEFORE, AFTER),
            partial(tables.rooms.swap, AFTER, instead_of=BEFORE, until=LAST_POSITION, aside=Role.KEPT),
        ):
            with pytest.raises(
                Misdeclared, match=r"flows: what it made before .* view .*report depends on it: drop that"
            ):
                refused()
        with reader("SELECT count(*) FROM report") as look:
            assert look() == [(0,)]


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

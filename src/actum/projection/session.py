"""A session of SQLAlchemy on the very connection, and in the very transaction, in which a checkpoint moves.

SQLAlchemy then writes what it is told to, and leaves it to others when the transaction ends. Imported only by whoever asks for a
session: SQLAlchemy need not be there.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Engine

_LENT = threading.local()


class _Joined:
    """Begins and ends no transaction, and closes nothing: somebody else does."""

    def on_connect(self) -> Any:
        """Nothing is set on somebody's connection."""
        return None

    def do_begin(self, dbapi_connection: Any) -> None:
        """It has begun."""

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Whoever began it rolls it back where something is raised."""

    def do_commit(self, dbapi_connection: Any) -> None:
        """Whoever began it commits."""

    def do_close(self, dbapi_connection: Any) -> None:
        """It is theirs."""

    do_terminate = do_close


class JoinedPostgres(_Joined, PGDialect_psycopg):
    """PostgreSQL by psycopg's connection."""

    supports_statement_cache = True


class JoinedSqlite(_Joined, SQLiteDialect_pysqlite):
    """SQLite by apsw's connection."""

    supports_statement_cache = True


for _name in ("JoinedPostgres", "JoinedSqlite"):
    registry.register(f"actum.{_name.lower()}", __name__, _name)


@contextmanager
def session_on(db: Any) -> Iterator[Session]:
    """A session on the connection that a projection is given, for as long as the `with` block lasts.

    What it was told to write is written at the end of the block, and what happens in it is undone where something is raised there.
    `session.commit()` and `session.rollback()` are about that alone: the transaction is committed with the checkpoint.
    """
    before, _LENT.connection = getattr(_LENT, "connection", None), db
    try:
        with _engine(_schema(db)).connect() as connection:
            connection.begin()
            with Session(connection, join_transaction_mode="create_savepoint") as session:
                yield session
                session.commit()
    finally:
        _LENT.connection = before


def _schema(db: Any) -> str | None:
    """Where tables are whose schema is not said; None where there are no schemas."""
    return None if _is_apsw(db) else str(db.execute("SELECT current_schema()").fetchone()[0])


def _is_apsw(db: Any) -> bool:
    return type(db).__module__.partition(".")[0] == "apsw"


@lru_cache(maxsize=64)
def _engine(schema: str | None) -> Engine:
    """An engine for one schema: it remembers for good which one it met first."""
    kind = "joinedsqlite" if schema is None else "joinedpostgres"
    return create_engine(f"actum+{kind}://", creator=lambda: _dbapi(_LENT.connection), poolclass=NullPool)


def _dbapi(db: Any) -> Any:
    return _Connection(db) if _is_apsw(db) else db


class _Connection:
    """What PEP 249 asks of a connection, by one of apsw."""

    isolation_level = ""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def cursor(self) -> _Cursor:
        """See PEP 249."""
        return _Cursor(self.connection)


class _Cursor:
    """What PEP 249 asks of a cursor, by one of apsw; all rows are fetched at once, so a statement is over when it was executed."""

    arraysize = 1

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1

    @property
    def lastrowid(self) -> int:
        """See PEP 249."""
        return int(self._connection.last_insert_rowid())

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """See PEP 249."""
        self.description = None
        cursor = self._connection.cursor()
        cursor.exec_trace = self._described
        self._rows = list(cursor.execute(statement, tuple(parameters)))[::-1]
        self.rowcount = self._connection.changes()

    def _described(self, cursor: Any, statement: str, bindings: object) -> bool:
        columns = cursor.get_description()
        self.description = [(name, *[None] * 6) for name, _ in columns] or None
        return True

    def executemany(self, statement: str, many: Sequence[Sequence[Any]]) -> None:
        """See PEP 249."""
        total = 0
        for parameters in many:
            self.execute(statement, parameters)
            total += self.rowcount
        self.rowcount = total

    def fetchone(self) -> Any:
        """See PEP 249."""
        return self._rows.pop() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """See PEP 249."""
        return [self._rows.pop() for _ in range(min(len(self._rows), size or self.arraysize))]

    def fetchall(self) -> list[Any]:
        """See PEP 249."""
        rows, self._rows = self._rows[::-1], []
        return rows

    def close(self) -> None:
        """See PEP 249."""
        self._rows = []

"""The schema of a read database: recognised or made, and worked in, whatever becomes of connections meanwhile.

Where somebody drops the schema under our feet, a new one is made: the journal has everything.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import errors

from actum.journal.errors import ActumError, Busy, Invalid, NewerSchema, NotAJournal
from actum.stores.postgres import arrays
from actum.stores.postgres.connecting import Connections, connect
from actum.stores.postgres.table_sql import Names, quoted
from actum.stores.postgres.trouble import is_lost, translated, translation
from actum.stores.statements import statements, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from actum.journal.readmodel import Work
    from actum.stores.postgres.address import Address
    from actum.stores.postgres.connecting import Connection

MIGRATIONS = tuple(f"postgres/tables_{number:04}.sql" for number in range(1, 5))
"""The layouts of a read database, oldest first."""

ResultT = TypeVar("ResultT")


class ViewsSchema:
    """The schema at an address, for the read database of the journal `origin`. `timeout` is in seconds."""

    def __init__(self, address: Address, *, origin: str, timeout: float) -> None:
        self.bare = address.schema
        """Its name, not quoted."""
        self.names = Names(quoted(address.schema))
        self.sql = {
            name: text.format(schema=self.names.schema).encode()
            for name, text in statements("postgres/tables.sql").items()
        }
        self._where = address
        self._origin = origin
        self._timeout = timeout
        opening = partial(_connect, address, timeout)
        self.connections = Connections(address, timeout=timeout, opening=opening)
        try:
            with translated(self.address), self.connections.lend() as connection:
                self._set_up(connection)
        except BaseException:
            self.connections.close()
            raise

    @property
    def address(self) -> str:
        """Where it is, for people."""
        return f"{self._where.server} (schema {self._where.schema})"

    @property
    def terms(self) -> tuple[Address, str, float]:
        """What it was made with."""
        return self._where, self._origin, self._timeout

    live: str | None = None
    """Where names are looked for, too, which are not found here: of a room."""

    def walled(self, work: Work, name: str) -> Work:
        """Somebody's own work, done within the walls that there are: only a room has any."""
        return work

    # Recognised, or made.

    def _set_up(self, connection: Connection) -> None:
        """Have a read database of this journal there. Where there is one, nothing is written: a standby will do."""
        if not self.is_there(connection) or self._layout(connection) < len(MIGRATIONS):
            with connection.transaction():
                connection.execute(self.sql["one_at_a_time"], (self._where.schema,))
                self._bring_up_to_date(connection)
        found = self._about(connection, "origin")
        if found != self._origin:
            raise NotAJournal(
                f"{self.address} was derived from another journal (expected {self._origin}, found {found}); "
                "drop the schema, or name another read database"
            )

    def _bring_up_to_date(self, connection: Connection) -> None:
        there = self.is_there(connection)
        if not there:
            self._make_room(connection)
        for number in range(self._layout(connection) if there else 0, len(MIGRATIONS)):
            connection.execute(text_of(MIGRATIONS[number]).format(schema=self.names.schema).encode())
            connection.execute(self.sql["say_layout"], (str(number + 1),))
        connection.execute(self.sql["say_about"], ("origin", self._origin))

    def _make_room(self, connection: Connection) -> None:
        """An empty schema: one that somebody made for us, or else a new one."""
        if value_of(connection.execute("SHOW server_encoding")) != "UTF8":
            raise NotAJournal(f"{self.address}: expected a database in UTF8; create it with ENCODING 'UTF8'")
        if value_of(connection.execute(self.sql["holds"], (self._where.schema,))):
            raise NotAJournal(f"{self.address} holds something else; name another schema by ?journal=")
        if value_of(connection.execute(self.sql["has_schema"], (self._where.schema,))) is False:
            connection.execute(f"CREATE SCHEMA {self.names.schema}".encode())

    def is_there(self, connection: Connection) -> bool:
        """Whether the schema holds a read database."""
        return bool(value_of(connection.execute(self.sql["exists"], (self._where.schema,))))

    def _layout(self, connection: Connection) -> int:
        layout = int(self._about(connection, "layout") or 0)
        if layout > len(MIGRATIONS):
            raise NewerSchema(
                f"{self.address} has layout {layout}, this actum knows layouts up to {len(MIGRATIONS)}; upgrade actum"
            )
        return layout

    def _about(self, connection: Connection, name: str) -> str | None:
        value: str | None = value_of(connection.execute(self.sql["about"], (name,)))
        return value

    # Worked in.

    def read(self, work: Callable[[Connection], ResultT], table: str = "") -> ResultT:
        """What `work` reads. A connection that has gone stale is no reason to fail; a `table` that is not there is `Busy`."""
        try:
            with self.connections.lend() as connection:
                return work(connection)
        except psycopg.Error as wrong:
            if not (is_lost(wrong) or _is_stale(wrong) or self.is_made_anew(wrong)):
                raise self._said(wrong, table) from wrong
        with self.door(table), self.connections.lend() as connection:
            return work(connection)

    def write(self, work: Callable[[Connection], ResultT], *, pipelined: bool = True, durable: bool = True) -> ResultT:
        """What `work` writes, in one transaction. In a pipeline the server is waited for only where its answer matters.

        What need not be `durable` may be gone after a crash of the server, with all that came after it.
        """
        try:
            return self._written(work, pipelined=pipelined, durable=durable)
        except psycopg.Error as wrong:
            if not self.is_made_anew(wrong):
                raise self._said(wrong, "") from wrong
        with self.door(""):
            return self._written(work, pipelined=pipelined, durable=durable)

    def _written(self, work: Callable[[Connection], ResultT], *, pipelined: bool, durable: bool) -> ResultT:
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(self.connections.lend())
            stack.enter_context(_pipelined(connection) if pipelined else connection.transaction())
            connection.execute(f"SET LOCAL lock_timeout = {max(1, int(self._timeout * 1000))}".encode())
            if not durable:
                connection.execute(b"SET LOCAL synchronous_commit = off")
            return work(connection)

    @contextlib.contextmanager
    def moment(self) -> Iterator[Connection]:
        """A connection that sees the database as it is now, and keeps tables from going away."""
        with self.door(""), self.connections.lend() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            connection.execute(self.sql["looking"])
            connection.execute(self.sql["marks"])  # the moment is that of the first statement that reads
            yield connection

    def is_made_anew(self, wrong: psycopg.Error) -> bool:
        """Where the whole read database was dropped: whether there is a new one now."""
        if not isinstance(wrong, errors.UndefinedTable | errors.InvalidSchemaName):
            return False
        with translated(self.address), self.connections.lend() as connection:
            if self.is_there(connection):
                return False
            self._set_up(connection)
        return True

    @contextlib.contextmanager
    def door(self, table: str) -> Iterator[None]:
        """The driver's errors, said in our words."""
        try:
            yield
        except psycopg.Error as wrong:
            raise self._said(wrong, table) from wrong

    def _said(self, wrong: psycopg.Error, table: str) -> ActumError:
        gone = (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName)
        if table and isinstance(wrong, gone):
            return Busy(f"the table {table} is being built anew from the journal; wait_for(position), then ask again")
        refused = isinstance(wrong, psycopg.DataError | psycopg.IntegrityError | errors.ProgramLimitExceeded)
        if refused or (isinstance(wrong, psycopg.ProgrammingError) and not wrong.sqlstate):
            return unfit(wrong)
        return translation(wrong, self.address)


@contextlib.contextmanager
def _pipelined(connection: Connection) -> Iterator[None]:
    """A transaction that is sent without waiting for answers. Where a statement fails, those behind it are not done.

    So none of them is prepared: psycopg could not tell whether that was done. Answers are waited for by leaving the pipeline, and
    not by its `sync()`, which may wait for ever where much was to be sent: it does not see to it that all of it is.
    """
    prepared_after, connection.prepare_threshold = connection.prepare_threshold, None
    raised: BaseException | None = None
    try:
        with connection.pipeline():
            try:
                connection.execute(b"BEGIN")
                yield
                connection.execute(b"COMMIT")
            except BaseException as wrong:  # noqa: BLE001 - raised below: psycopg would log it, and a lost race is no matter for a log
                raised = wrong
    except psycopg.Error as wrong:
        raised = raised or wrong
    finally:
        connection.prepare_threshold = prepared_after
    if raised is not None:
        with contextlib.suppress(psycopg.Error):
            connection.execute(b"ROLLBACK")
        raise raised


def _connect(address: Address, timeout: float) -> Connection:
    connection = connect(address, name="actum views", timeout=timeout)
    arrays.register(connection.adapters)
    return connection


def unfit(wrong: Exception) -> Invalid:
    """What a table does not take is the mistake of whoever brought it."""
    said = " ".join(str(wrong).split())
    return Invalid(f"a row cannot be kept in its table: {said}; declare the field with a type that can")


def value_of(found: psycopg.Cursor[tuple[Any, ...]]) -> Any:
    """The first column of the first row, None where there is none."""
    row = found.fetchone()
    return None if row is None else row[0]


def _is_stale(wrong: psycopg.Error) -> bool:
    """Whether a statement was prepared for a table that has other columns now."""
    return isinstance(wrong, errors.FeatureNotSupported) and "cached plan" in str(wrong)

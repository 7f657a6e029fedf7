"""The read database through somebody's own transaction: rows and checkpoints move when they commit, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

import psycopg

from actum.journal.errors import Invalid
from actum.stores.postgres import arrays
from actum.stores.postgres.tables import PostgresTables
from actum.stores.postgres.views_schema import ViewsSchema, value_of
from actum.stores.postgres.within import Lent, in_transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from actum.journal.readmodel import Work
    from actum.stores.postgres.connecting import Connection

ResultT = TypeVar("ResultT")


class TablesWithin(PostgresTables):
    """The tables of a read database, within the transaction that is open on `connection`. For one thread; forget it afterwards.

    `Invalid` where they are not in that connection's database.
    """

    def __init__(self, tables: PostgresTables, connection: object) -> None:
        theirs = in_transaction(connection)
        arrays.register(theirs.adapters)
        self._theirs_is = theirs
        self._schema = _Within(tables.schema, theirs)
        self._names = self._schema.names
        self._sql = self._schema.sql
        self._schema.check_same_database()

    def _theirs(self, work: Work, connection: Connection, *, begins: bool = False) -> None:
        """By their own connection, on which names are looked for as before when the work is done."""
        before = value_of(connection.execute(self._sql["where_names_are"]))
        super()._theirs(work, self._theirs_is, begins=begins)
        connection.execute(self._sql["names_as_before"], (before,))

    def close(self) -> None:
        """Nothing of ours is open."""


class _Within(ViewsSchema):
    """The schema of a read database as it is in somebody's transaction."""

    def __init__(self, schema: ViewsSchema, connection: Connection) -> None:
        self.names, self.sql, self.connections = schema.names, schema.sql, schema.connections
        self.bare = schema.bare
        self._where, self._origin, self._timeout = schema.terms
        self._theirs = connection
        self._lent = cast("Connection", Lent(connection, psycopg.Cursor))

    def check_same_database(self) -> None:
        """That the read database is where the connection leads. `Invalid` where it is elsewhere."""
        with self.door(""):
            found = self._about(self._lent, "origin") if self.is_there(self._lent) else None
        if found != self._origin:
            raise Invalid(
                f"the views are in {self.address}, and the connection leads to another database: they are projected in a "
                "transaction only where both are one"
            )

    def read(self, work: Callable[[Connection], ResultT], table: str = "") -> ResultT:
        """See `ViewsSchema.read`; in a savepoint, so that what fails takes nothing else with it."""
        with self.door(table), self._theirs.transaction():
            return work(self._lent)

    def write(self, work: Callable[[Connection], ResultT], *, pipelined: bool = True, durable: bool = True) -> ResultT:
        """See `ViewsSchema.write`; a part of their transaction."""
        with self.door(""), self._theirs.transaction():
            return work(self._lent)

"""The journal seen and written through somebody's own transaction: events and their tables, all of it or nothing.

Whoever looks here has the journal's turn to append until their transaction ends: nobody comes between what they read and
what they write, and everybody else waits. That is the price: a commit for each transaction, and no others meanwhile.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar, cast

import psycopg
from psycopg.pq import Format, TransactionStatus
from psycopg.rows import tuple_row

from actum.journal.bell import Bell
from actum.journal.errors import Invalid, OutcomeUnknown, Unavailable
from actum.journal.store import Appended
from actum.stores.postgres import arrays
from actum.stores.postgres.connecting import Connections
from actum.stores.postgres.database import PostgresStore
from actum.stores.postgres.reading import Reader
from actum.stores.postgres.schema import queries
from actum.stores.postgres.trouble import translated
from actum.stores.postgres.writing import Writer
from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from actum.journal.event import Position
    from actum.journal.store import Append, Outcome
    from actum.stores.postgres.address import Address
    from actum.stores.postgres.connecting import Connection, Patience

ResultT = TypeVar("ResultT")

_SQL = statements("postgres/within.sql")


class JournalWithin(PostgresStore):
    """The journal of a store, within the transaction that is open on `connection`. For one thread; forget it afterwards.

    Takes the journal's turn, for up to the store's `timeout`: then it is `Busy`.
    """

    def __init__(self, store: PostgresStore, connection: object) -> None:
        terms = store.terms
        borrowed = _Borrowed(in_transaction(connection), terms.address, timeout=terms.timeout)
        self.address = terms.address
        self._payload_limit = terms.payload_limit
        self._durability = terms.durability
        self._clock = terms.clock
        self._open = True
        self._process = os.getpid()
        self._connections = self._borrowed = borrowed
        self._bell = Bell()
        self._reader = Reader(borrowed)
        with translated(self.address):
            borrowed.take_turn()
        origin = dict(self._reader.rows("described"))["origin"]
        self._writer = self._inside = _Writer(
            borrowed, self._reader, origin=origin, durability=terms.durability, clock=terms.clock, writes=True
        )
        self._appended = False
        self._writer.names = terms.reader
        self._writer.catch_up()

    def append(self, *batch: Append) -> list[Outcome]:
        """See `EventStore.append`; nothing is acknowledged before the transaction is committed.

        `Invalid` where a part of the transaction in which something was appended was rolled back meanwhile.
        """
        if self._appended:
            self._inside.check_not_taken_back()
        try:
            outcomes = self._writer.append(batch) if batch else []
        except OutcomeUnknown as broken:
            raise Unavailable(
                f"{self.address}: the connection broke, and the transaction with it: nothing of it was written"
            ) from broken
        if any(isinstance(outcome, Appended) for outcome in outcomes):
            self._appended = True
            self._borrowed.tell(self._writer.window.head)
        return outcomes

    def alone(self) -> AbstractContextManager[None]:
        """See `JournalStore.alone`: the turn is ours as it is."""
        return nullcontext()

    def close(self) -> None:
        """Nothing of ours is open."""


class _Writer(Writer):
    """Writes through somebody's transaction. Names of rules get their numbers outside of it, by `names`, and keep them.

    Whoever needs the same name at the same time would otherwise have to wait for the end of a transaction of others.
    """

    names: Reader

    def check_not_taken_back(self) -> None:
        """What was appended last is still part of the transaction."""
        position, leaf = self._newest
        if self._reader.rows("leaf_at", (position,)) != [(leaf,)]:
            raise Invalid(
                f"what was appended at position {position} within this transaction was rolled back, with a savepoint: say "
                "running.within(connection) once more, which sees what is there now"
            )

    def _number(self, known: dict[str, int], verb: str, name: str) -> int:
        if name not in known:
            known[name] = int(self.names.rows(verb, (name,))[0][0])
        return known[name]


class _Borrowed(Connections):
    """Somebody's connection in the place of our own: used by nobody else meanwhile, and never closed."""

    def __init__(self, connection: Connection, address: Address, *, timeout: float) -> None:
        super().__init__(address, timeout=timeout)
        self._theirs = connection
        arrays.register(connection.adapters)

    def take_turn(self) -> None:
        """Nobody else appends until the transaction ends."""
        sql = queries(self.address.schema)["take_turn"]
        _cursor(self._theirs, _Careful).execute(sql, (max(1, int(self.timeout * 1000)),))

    def tell(self, head: Position) -> None:
        """Once they commit, other processes hear of it."""
        sql = _SQL["tell"].replace("{schema}", self.address.schema)
        _cursor(self._theirs, psycopg.RawCursor).execute(sql.encode(), (str(head),))

    def reopen(self, patience: Patience) -> Connection:
        """Theirs is the only one; there is no other one to go on with."""
        if self._theirs.closed:
            raise Unavailable(
                f"{self.address}: the connection broke, and the transaction with it: nothing of it was written"
            )
        return cast("Connection", Lent(self._theirs, _Careful))

    def ask(self, work: Callable[[Connection], ResultT], *, patient: bool = True) -> ResultT:
        """What `work` finds out, once."""
        with translated(self.address):
            return work(cast("Connection", Lent(self._theirs, psycopg.RawCursor)))


class _Careful(psycopg.RawCursor[tuple[Any, ...]]):
    """A statement that fails takes nothing else of the transaction with it."""

    def execute(
        self, query: Any, params: Any = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Any:
        """See `psycopg.Cursor.execute`; with a savepoint around it."""
        with self.connection.transaction():
            return super().execute(query, params, prepare=prepare, binary=binary)


class Lent:
    """Somebody's connection as the statements of this room need it, whatever its own cursors and rows are like."""

    def __init__(self, connection: Connection, kind: type[psycopg.Cursor[Any]]) -> None:
        self._connection = connection
        self._kind = kind

    @property
    def closed(self) -> bool:
        """Whether it is gone."""
        return self._connection.closed

    def cursor(self, *, binary: bool = False) -> psycopg.Cursor[tuple[Any, ...]]:
        """A cursor of that kind, whose rows are tuples."""
        cursor = _cursor(self._connection, self._kind)
        cursor.format = Format.BINARY if binary else Format.TEXT
        return cursor

    def execute(self, query: Any, params: Any = None, *, prepare: bool | None = None, binary: bool = False) -> Any:
        """See `psycopg.Connection.execute`."""
        return self.cursor(binary=binary).execute(query, params, prepare=prepare)

    def transaction(self) -> AbstractContextManager[object]:
        """A part of their transaction."""
        return self._connection.transaction()

    def close(self) -> None:
        """It is theirs to close."""


def _cursor(connection: Connection, kind: type[psycopg.Cursor[Any]]) -> psycopg.Cursor[tuple[Any, ...]]:
    return kind(connection, row_factory=tuple_row)


def in_transaction(connection: object) -> Connection:
    """The connection itself, with a transaction open on it. `Invalid` where it is none, or reads an older moment."""
    if not isinstance(connection, psycopg.Connection):
        raise Invalid(
            f"expected a connection of psycopg 3, found {type(connection).__name__}; with SQLAlchemy it is "
            "session.connection().connection.driver_connection"
        )
    theirs = cast("Connection", connection)
    if theirs.autocommit and theirs.info.transaction_status is TransactionStatus.IDLE:
        raise Invalid("the connection commits by itself; begin a transaction: `with connection.transaction():`")
    level = _cursor(theirs, psycopg.RawCursor).execute("SHOW transaction_isolation").fetchall()[0][0]
    if level != "read committed":
        raise Invalid(f"expected a transaction in the isolation read committed, found {level}: it would read the past")
    return theirs

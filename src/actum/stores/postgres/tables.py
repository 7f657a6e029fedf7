"""The read database in PostgreSQL: a schema of tables of rows, and how far each has come.

It lies in the journal's database or in another one. Rows and the checkpoint move in one transaction, which goes on only
where the checkpoint still stands as it was seen. Whoever locks more than one thing locks shares first, in order, then
tables: so nobody waits for somebody who waits.
"""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
from psycopg import errors

from actum.journal.errors import ActumError, Invalid
from actum.journal.event import EventData
from actum.journal.readmodel import ALL_SLICES, ENDED, Mark, Parked, Role, Shape, Share, Slices, Standing, check_cuts
from actum.stores.postgres import cells, made, table_sql
from actum.stores.postgres.connecting import SESSION
from actum.stores.postgres.made import row_of, rows_of
from actum.stores.postgres.trouble import is_lost
from actum.stores.postgres.views_schema import ViewsSchema, unfit, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from actum.journal.event import Position
    from actum.journal.readmodel import Change, Cut, Filter, Row, Selection, Work
    from actum.stores.postgres.address import Address
    from actum.stores.postgres.connecting import Connection
    from actum.stores.postgres.rooms import PostgresRooms
    from actum.stores.postgres.table_sql import Names

_SHAPES = msgspec.json.Decoder(Shape)


class _MovedError(Exception):
    """Somebody else moved the table on."""


class _TheirsError(Exception):
    """What went wrong in somebody's own work in the transaction."""

    def __init__(self, wrong: psycopg.Error) -> None:
        super().__init__(str(wrong))
        self.wrong = wrong


class PostgresTables:
    """The read database of the journal `origin` in the schema of an address, made where there is none.

    `timeout` is how many seconds to wait for another process before `Busy`. Share one object between threads.
    """

    _rooms: PostgresRooms | None = None

    def __init__(self, address: Address, *, origin: str, timeout: float = 10.0) -> None:
        self._schema = ViewsSchema(address, origin=origin, timeout=timeout)
        self._names = self._schema.names
        self._sql = self._schema.sql

    @property
    def address(self) -> str:
        """See `ReadDatabase.address`."""
        return self._schema.address

    @property
    def schema(self) -> ViewsSchema:
        """Where it lies."""
        return self._schema

    @property
    def rooms(self) -> PostgresRooms:
        """See `ReadDatabase.rooms`."""
        from actum.stores.postgres.rooms import PostgresRooms  # noqa: PLC0415 - asked for by few

        if self._rooms is None:
            self._rooms = PostgresRooms(self._schema, room=PostgresRoom)
        return self._rooms

    # Tables and marks.

    def writable(self) -> bool:
        """See `ReadDatabase.writable`."""
        return not self._schema.read(lambda connection: value_of(connection.execute(SESSION["standby"])))

    def prepare(self, shape: Shape, begin: Work | None = None) -> bool:
        """See `ReadDatabase.prepare`."""
        described, which = msgspec.json.encode(shape).decode(), (shape.table, shape.fingerprint)
        found = self._schema.read(lambda connection: value_of(connection.execute(self._sql["described"], which)))
        if found is not None:
            if found != described:
                self._schema.write(lambda connection: connection.execute(self._sql["describe"], (described, *which)))
            return False

        def work(connection: Connection) -> bool:
            connection.execute(self._sql["alone"])
            missing = not self._is_kept(connection, shape)
            if missing:
                self._begin_anew(connection, shape, begin)
            return missing

        with _their_own():
            return self._schema.write(work, pipelined=begin is None)

    def _is_kept(self, connection: Connection, shape: Shape) -> bool:
        return bool(value_of(connection.execute(self._sql["kept"], (shape.table, shape.fingerprint))))

    def renew(self, shape: Shape, begin: Work | None = None) -> None:
        """See `ReadDatabase.renew`."""

        def work(connection: Connection) -> None:
            connection.execute(self._sql["alone"])
            self._begin_anew(connection, shape, begin)

        with _their_own():
            self._schema.write(work, pipelined=begin is None)

    def _begin_anew(self, connection: Connection, shape: Shape, begin: Work | None) -> None:
        connection.execute(self._sql["free_all"], (shape.table,))
        epochs = [epoch for (epoch,) in connection.execute(self._sql["forget_shares"], (shape.table,)).fetchall()]
        self._add_share(connection, shape.table, ALL_SLICES, Mark(), epoch=max(epochs, default=-1) + 1)
        if shape.columns:
            self._take_away(connection, shape.table)
        described = msgspec.json.encode(shape).decode()
        bound = {"name": shape.table, "fingerprint": shape.fingerprint, "shape": described}
        role = value_of(connection.execute(self._sql["begin_anew"], bound | {"called": shape.name or shape.table}))
        if shape.columns:
            connection.execute(table_sql.create(self._names, shape))
            for index in table_sql.indexes(self._names, shape):
                connection.execute(index)
            if Role(role) is Role.LIVE and shape.name:
                connection.execute(table_sql.name(self._names, shape))
        if begin is not None:
            self._theirs(self._schema.walled(begin, shape.name or shape.table), connection, begins=True)
            made.own(connection, self._schema, shape.table)

    def _take_away(self, connection: Connection, table: str) -> None:
        """The table, and first the view by its name that looks at it."""
        for role, called in connection.execute(self._sql["role"], (table,)).fetchall():
            if called != table and Role(role) is Role.LIVE:
                connection.execute(table_sql.unname(self._names, called))
        connection.execute(table_sql.drop(self._names, table))

    def mark(self, shape: Shape) -> Mark | None:
        """See `ReadDatabase.mark`."""
        which = (shape.table, shape.fingerprint)
        row = self._schema.read(lambda connection: connection.execute(self._sql["mark"], which).fetchone())
        return None if row is None else Mark(*row)

    def marks(self) -> dict[str, Mark]:
        """See `ReadDatabase.marks`."""
        rows = self._schema.read(lambda connection: connection.execute(self._sql["marks"]).fetchall())
        return {name: Mark(position, event) for name, position, event in rows}

    def shares(self, shape: Shape) -> list[Share]:
        """See `ReadDatabase.shares`."""
        which = (shape.table, shape.fingerprint)
        return self._schema.read(lambda connection: _shares(connection.execute(self._sql["shares"], which)))

    def tables(self) -> list[Standing]:
        """See `ReadDatabase.tables`."""
        return self._schema.read(lambda connection: _tables(connection.execute(self._sql["tables"])))

    def point(self, shape: Shape, *, instead_of: Shape, until: Position, aside: Role) -> bool:
        """See `ReadDatabase.point`."""
        before = {"name": instead_of.table, "fingerprint": instead_of.fingerprint, "role": aside.value, "until": until}

        def work(connection: Connection) -> None:
            connection.execute(self._sql["among_makers"])
            _one(connection, self._sql["set_aside"], before)
            _one(connection, self._sql["put_forward"], (shape.table, shape.fingerprint))
            connection.execute(table_sql.unname(self._names, shape.name))
            connection.execute(table_sql.name(self._names, shape))

        try:
            self._schema.write(work)
        except _MovedError:
            return False
        return True

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        """See `ReadDatabase.snapshot`."""
        with self._schema.moment() as connection:
            yield PostgresSnapshot(connection, self._schema)

    def drop(self, table: str) -> None:
        """See `ReadDatabase.drop`."""

        def work(connection: Connection) -> None:
            connection.execute(self._sql["alone"])
            connection.execute(self._sql["forget_shares"], (table,))
            connection.execute(self._sql["free_all"], (table,))
            self._take_away(connection, table)
            connection.execute(self._sql["forget"], (table,))

        self._schema.write(work)

    # Leases.

    def keep(self, worker: str, *, followers: Sequence[str], seconds: float) -> dict[str, tuple[str, ...]]:
        """See `Leases.keep`."""

        def work(connection: Connection) -> dict[str, tuple[str, ...]]:
            connection.execute(self._sql["bury"])
            for follower in sorted(followers):
                connection.execute(self._sql["at_work"], (follower, worker, seconds))
                connection.execute(self._sql["prolong"], (follower, worker, seconds))
            found = {name: connection.execute(self._sql["workers"], (name,)) for name in followers}
            return {name: tuple(each for (each,) in cursor.fetchall()) for name, cursor in found.items()}

        return self._schema.write(work)

    def recut(self, follower: str, seen: Sequence[Share], cuts: Sequence[Cut], *, worker: str, seconds: float) -> bool:
        """See `Leases.recut`."""
        check_cuts(seen, cuts)

        def work(connection: Connection) -> None:
            given_up = [(follower, share.slices.low, share.slices.high, share.epoch, worker) for share in seen]
            marks = {Mark(*_one(connection, self._sql["give_up_share"], which)) for which in given_up}
            if len(marks) > 1:
                raise _MovedError
            mark, epoch = marks.pop(), 1 + max(share.epoch for share in seen)
            for cut in cuts:
                left = seconds if cut.owner else 0.0
                self._add_share(connection, follower, cut.slices, mark, epoch=epoch, owner=cut.owner, left=left)

        try:
            self._schema.write(work)
        except _MovedError:
            return False
        return True

    def _add_share(
        self,
        connection: Connection,
        follower: str,
        slices: Slices,
        mark: Mark,
        *,
        epoch: int,
        owner: str = "",
        left: float = 0.0,
    ) -> None:
        bound = (follower, slices.low, slices.high, mark.position, mark.event, epoch, owner, left, left)
        connection.execute(self._sql["add_share"], bound)

    def leave(self, worker: str) -> None:
        """See `Leases.leave`."""

        def work(connection: Connection) -> None:
            connection.execute(self._sql["let_go"], (worker,))
            connection.execute(self._sql["resign"], (worker,))

        self._schema.write(work)

    # What is put aside.

    def parked(self, shape: Shape) -> list[Parked]:
        """See `ReadDatabase.parked`."""
        which = (shape.table, shape.fingerprint)
        rows = self._schema.read(lambda connection: connection.execute(self._sql["parked"], which).fetchall())
        return [
            Parked(key=key, position=position, event=event, error=error, trace=trace, attempts=attempts)
            for key, position, event, error, trace, attempts in rows
        ]

    def notes(self) -> list[EventData]:
        """See `ReadDatabase.notes`."""
        rows = self._schema.read(lambda connection: connection.execute(self._sql["notes"]).fetchall())
        return [
            EventData(id, type, data, salt, version, tuple(tags.split("\n")), metadata)
            for id, type, version, tags, data, metadata, salt in rows
        ]

    def noted(self, ids: Sequence[bytes]) -> None:
        """See `ReadDatabase.noted`."""

        def work(connection: Connection) -> None:
            connection.execute(self._sql["noted"], (list(ids),))

        self._schema.write(work)

    def _put_aside(self, connection: Connection, change: Change) -> None:
        table = change.shape.table
        for one in change.parked:
            bound = (one.key, one.position, one.event, one.error, one.trace, one.attempts)
            connection.execute(self._sql["park"], (table, *bound))
        for key in change.freed:
            connection.execute(self._sql["free"], (table, key))
        for note in change.notes:
            tags = "\n".join(note.tags)
            connection.execute(
                self._sql["note"], (note.id, note.type, note.version, tags, note.data, note.metadata, note.salt)
            )

    # Rows.

    def load(self, shape: Shape, keys: Sequence[Row]) -> list[Row]:
        """See `ReadDatabase.load`."""
        if not keys:
            return []
        statement, bound = table_sql.load(self._names, shape), cells.keys(shape, keys)
        found = self._schema.read(
            lambda connection: connection.execute(statement, bound, binary=True).fetchall(), shape.table
        )
        return cells.rows(shape, found)

    def commit(self, changes: Sequence[Change]) -> bool:
        """See `ReadDatabase.commit`."""
        in_turn = sorted(changes, key=lambda change: (change.shape.table, change.slices))
        with _accepted():
            arrays = [cells.arrays(each.shape, _by_key(each)) if each.rows else None for each in in_turn]
            removed = [cells.keys(each.shape, each.removed) for each in in_turn]

        def work(connection: Connection) -> None:
            for change in in_turn:
                connection.execute(self._sql["advance"], _step(change))
            theirs.extend(change for change in in_turn if change.work is not None)
            for change, bound, gone in zip(in_turn, arrays, removed, strict=True):
                if bound is not None:
                    with _accepted():
                        connection.execute(table_sql.upsert(self._names, change.shape), bound)
                if change.removed:
                    connection.execute(table_sql.delete(self._names, change.shape), gone)
                if change.work is not None:
                    name = change.shape.name or change.shape.table
                    self._theirs(self._schema.walled(change.work, name), connection)
                self._put_aside(connection, change)

        alone = all(change.work is None for change in changes)
        theirs: list[Change] = []
        durable = any(change.notes or change.parked or change.fence for change in changes)
        try:
            with _their_own():
                self._schema.write(work, pipelined=alone, durable=durable)
        except ActumError as wrong:
            if isinstance(wrong.__cause__, errors.DivisionByZero) and not theirs:
                return False
            raise
        return True

    def _theirs(self, work: Work, connection: Connection, *, begins: bool = False) -> None:
        """Somebody's own work in the transaction, whose tables are looked for in this schema first.

        What goes wrong in it is theirs, but for a connection that breaks. `Invalid` where it ends the transaction.
        """
        self._lead(connection, begins=begins)
        connection.execute(self._sql["lend"])
        try:
            work(connection)
            connection.execute(self._sql["have_back"])
        except (errors.NoActiveSqlTransaction, errors.InvalidSavepointSpecification) as ended:
            raise Invalid(ENDED) from ended
        except psycopg.Error as wrong:
            if is_lost(wrong):
                raise
            raise _TheirsError(wrong) from wrong

    def _lead(self, connection: Connection, *, begins: bool) -> None:
        """Have names without a schema lead here. What a follower begins with in a room does not find the live tables there: it may
        drop tables by their names.
        """
        if self._schema.live is not None and not begins:
            connection.execute(self._sql["our_names_first"], (self._schema.live,))
        connection.execute(self._sql["our_names_first"], (self._names.schema,))

    def select(self, shape: Shape, selection: Selection) -> list[Row]:
        """See `ReadDatabase.select`."""
        return self._schema.read(lambda connection: _select(connection, self._names, shape, selection), shape.table)

    def count(self, shape: Shape, filters: Sequence[Filter], *, most: int | None = None) -> int:
        """See `ReadDatabase.count`."""
        statement, bound = table_sql.count(self._names, shape, filters, most)
        return int(self._schema.read(lambda connection: value_of(connection.execute(statement, bound)), shape.table))

    def close(self) -> None:
        """See `ReadDatabase.close`."""
        if self._rooms is not None:
            self._rooms.close()
        self._schema.connections.close()


class PostgresRoom(PostgresTables):
    """What is in a room: the read database that lies in its schema."""

    def __init__(self, schema: ViewsSchema) -> None:
        self._schema, self._names, self._sql = schema, schema.names, schema.sql


class PostgresSnapshot:
    """A read database at one moment: a transaction that reads, on a connection of its own. Made by `snapshot`."""

    def __init__(self, connection: Connection, schema: ViewsSchema) -> None:
        self._connection = connection
        self._schema = schema
        self._names = schema.names
        self._sql = schema.sql

    def tables(self) -> list[Standing]:
        """See `Snapshot.tables`."""
        return _tables(self._connection.execute(self._sql["tables"]))

    def shares(self, shape: Shape) -> list[Share]:
        """See `Snapshot.shares`."""
        return _shares(self._connection.execute(self._sql["shares"], (shape.table, shape.fingerprint)))

    def select(self, shape: Shape, selection: Selection) -> list[Row]:
        """See `Snapshot.select`."""
        return _select(self._connection, self._names, shape, selection)

    def made(self, shape: Shape) -> list[Shape]:
        """See `Making.made`."""
        return made.tables_of(self._connection, self._schema, shape)

    def rows_of(self, made: Shape) -> Iterator[Row]:
        """See `Making.rows_of`."""
        return rows_of(self._connection, self._schema, made)

    def row_of(self, made: Shape, key: Row) -> Row | None:
        """See `Making.row_of`."""
        return row_of(self._connection, self._schema, made, key)


def _select(connection: Connection, names: Names, shape: Shape, selection: Selection) -> list[Row]:
    statement, bound = table_sql.select(names, shape, selection)
    return cells.rows(shape, connection.execute(statement, bound, binary=True).fetchall())


def _tables(found: psycopg.Cursor[tuple[Any, ...]]) -> list[Standing]:
    rows = found.fetchall()
    return [Standing(_SHAPES.decode(shape), Mark(position, event), Role(role)) for shape, position, event, role in rows]


def _shares(found: psycopg.Cursor[tuple[Any, ...]]) -> list[Share]:
    return [
        Share(Slices(low, high), Mark(position, event), epoch, owner, left)
        for low, high, position, event, epoch, owner, left in found.fetchall()
    ]


def _one(connection: Connection, statement: bytes, bound: Sequence[object] | Mapping[str, object]) -> tuple[Any, ...]:
    """The one row that the statement changes."""
    row = connection.execute(statement, bound).fetchone()
    if row is None:
        raise _MovedError
    return row


def _step(change: Change) -> tuple[object, ...]:
    shape, slices, seen, reached = change.shape, change.slices, change.seen, change.reached
    which = (shape.table, slices.low, slices.high, change.epoch, seen.position, seen.event, change.owner)
    return reached.position, reached.event, int(change.fence), *which, shape.fingerprint


def _by_key(change: Change) -> Sequence[Row]:
    """Each key once: the last row of it is the one that stays."""
    shape = change.shape
    places = [at for at, column in enumerate(shape.columns) if column.name in shape.key]
    if len(places) == 1:
        (place,) = places
        if len({row[place] for row in change.rows}) == len(change.rows):
            return change.rows
    last = {tuple([row[place] for place in places]): row for row in change.rows}
    return change.rows if len(last) == len(change.rows) else list(last.values())


@contextlib.contextmanager
def _accepted() -> Iterator[None]:
    """What does not even reach the server is as wrong as what the server does not take."""
    try:
        yield
    except (AttributeError, OverflowError, TypeError, UnicodeEncodeError, struct.error) as wrong:
        raise unfit(wrong) from wrong


@contextlib.contextmanager
def _their_own() -> Iterator[None]:
    """Whoever brought work hears of its errors as they are."""
    try:
        yield
    except _TheirsError as raised:
        raise raised.wrong from None

"""The read database in a file of its own: tables of rows, and how far each has come.

Nothing here is worth more than the journal: a commit need not reach the disk before the next one begins, because after a
power cut rows and checkpoint are old together. Should the file be deleted under our feet, a new one is made.
"""

from __future__ import annotations

import contextlib
import os
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import msgspec

from actum.journal.errors import Busy, Invalid, NotAJournal, Unavailable
from actum.journal.event import EventData
from actum.journal.readmodel import ENDED, SLICES, Mark, Parked, Role, Shape, Share, Slices, Standing, check_cuts
from actum.journal.store import Durability
from actum.stores.sqlite import made, table_sql
from actum.stores.sqlite.file import Layout, connect, translated
from actum.stores.sqlite.made import row_of, rows_of
from actum.stores.sqlite.per_thread import PerThread
from actum.stores.sqlite.walls import IN_MEMORY, LIVE, Walls, is_attached
from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actum.journal.event import Position
    from actum.journal.readmodel import Change, Cut, Filter, Row, Selection, Value, Work
    from actum.stores.sqlite.rooms import SqliteRooms

_SQL = statements("sqlite/tables.sql")

READ_DATABASE = Layout(0x61637476, "read database", tuple(f"sqlite/tables_{number:04}.sql" for number in range(1, 6)))
"""How a read database is known: its application id spells "actv"."""

MEMORY = IN_MEMORY
"""The path of a read database that is in no file."""

CACHE_KIB = 16384

_MOST_ROWS = 256

_SHAPES = msgspec.json.Decoder(Shape)


class _Line:
    """A connection and the lock under which it is used."""

    __slots__ = ("connection", "lock")

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self.lock = threading.RLock()

    def close(self) -> None:
        """Once nobody uses it."""
        with self.lock:
            self.connection.close()


class SqliteTables:
    """The read database of the journal `origin` in the file `path`, made where there is none; `:memory:` for none at all.

    `timeout` is how many seconds to wait for another process before `Busy`. Share one object between threads. It is a room beside
    the read database `live`, where that is said.
    """

    def __init__(self, path: str | Path, *, origin: str, timeout: float = 10.0, live: Path | None = None) -> None:
        self._live = live
        self._memory = str(path) == MEMORY
        self._path = Path(path) if self._memory else Path(path).absolute()
        self._origin = origin
        self._timeout = timeout
        self._closed = False
        self._rooms: SqliteRooms | None = None
        self._turns = threading.RLock()
        self._readers = PerThread(self._reader, close=_Line.close)
        self._writer, self._file = self._open()

    @property
    def address(self) -> str:
        """See `ReadDatabase.address`."""
        return str(self._path)

    @property
    def rooms(self) -> SqliteRooms:
        """See `ReadDatabase.rooms`."""
        from actum.stores.sqlite.rooms import SqliteRooms  # noqa: PLC0415 - asked for by few

        with self._turns:
            if self._rooms is None:
                room = partial(SqliteTables, origin=self._origin, timeout=self._timeout, live=self._path)
                self._rooms = SqliteRooms(self, self._path, room=room)
            return self._rooms

    # The file.

    def _open(self) -> tuple[_Line, tuple[int, int] | None]:
        connection = self.connect(writes=True)
        try:
            READ_DATABASE.bring_up_to_date(connection, self._path)
            self._check_origin(connection)
            return _Line(connection), self._identity()
        except BaseException:
            connection.close()
            raise

    def connect(self, *, writes: bool) -> apsw.Connection:
        """A connection of one's own."""
        connection = connect(
            self._path,
            layout=READ_DATABASE,
            writes=writes,
            durability=Durability.LOSES_LAST_COMMITS_WITH_POWER,
            cache_kib=CACHE_KIB,
            timeout=self._timeout,
        )
        connection.create_collation(table_sql.AMOUNT_ORDER, table_sql.compare_amounts)
        return connection

    def _check_origin(self, connection: apsw.Connection) -> None:
        with translated(self._path):
            connection.execute(_SQL["say_about"], ("origin", self._origin))
            found = connection.execute(_SQL["about"], ("origin",)).get
        if found != self._origin:
            raise NotAJournal(
                f"{self._path} was derived from another journal (expected {self._origin}, found {found}); "
                "delete it, or name another read database"
            )

    def _identity(self) -> tuple[int, int] | None:
        """Which file is at the path."""
        if self._memory:
            return None
        try:
            found = os.stat(self._path)  # noqa: PTH116 - a third of the time of the path's own, at each read
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _check(self) -> None:
        """Open, and still the file at the path: what was deleted is made anew."""
        if self._closed:
            raise Unavailable(f"the read database {self._path} is closed; open it again")
        if self._identity() != self._file:
            self._reopen()

    def _reopen(self) -> None:
        """Let go of a file that is gone before there is a new one: both would share what lies beside it."""
        with self._turns, self._writer.lock:
            if self._closed or self._identity() == self._file:
                return
            if self._live is not None and not self._path.exists():
                raise Busy(f"the room {self._path} is not there any more: somebody has switched to it, or given it up")
            self._let_go()
            self._writer, self._file = self._open()

    def _let_go(self) -> None:
        self._readers.close()
        self._writer.close()

    @contextlib.contextmanager
    def reading(self, table: str = "") -> Iterator[apsw.Connection]:
        """This thread's connection for reading, while the `with` block lasts."""
        self._check()
        line = self._writer if self._memory else self._readers.mine()
        with line.lock, translated(self._path), _there(table):
            yield line.connection

    def _reader(self) -> _Line:
        with self._turns:
            self._check()
            return _Line(self.connect(writes=False))

    @contextlib.contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        """A transaction; undone where something is raised."""
        self._check()
        line = self._writer
        with line.lock, translated(self._path):
            connection = line.connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    # Tables and marks.

    def writable(self) -> bool:
        """See `ReadDatabase.writable`: it was opened to be written to."""
        return True

    def prepare(self, shape: Shape, begin: Work | None = None) -> bool:
        """See `ReadDatabase.prepare`."""
        with self._alone(), self.writing() as connection:
            if connection.execute(_SQL["kept"], (shape.table, shape.fingerprint)).fetchone() is not None:
                described = msgspec.json.encode(shape).decode()
                connection.execute(_SQL["describe"], (described, shape.table, shape.fingerprint))
                return False
            _begin_anew(connection, shape, self._walled(begin, shape, beside=None))
        return True

    def renew(self, shape: Shape, begin: Work | None = None) -> None:
        """See `ReadDatabase.renew`."""
        with self._alone(), self.writing() as connection:
            _begin_anew(connection, shape, self._walled(begin, shape, beside=None))

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """In a room without the live tables: what a follower begins with may drop tables by their names."""
        self._check()
        with self._writer.lock:
            if self._live is not None and is_attached(self._writer.connection):
                self._writer.connection.execute(f"DETACH {LIVE}")
            yield

    def _walled(self, work: Work | None, shape: Shape, *, beside: Path | None) -> Work | None:
        return work if work is None or self._live is None else Walls(work, shape.name or shape.table, beside=beside)

    def mark(self, shape: Shape) -> Mark | None:
        """See `ReadDatabase.mark`."""
        with self.reading() as connection:
            row = connection.execute(_SQL["mark"], (shape.table, shape.fingerprint)).fetchone()
        return None if row is None else Mark(*row)

    def marks(self) -> dict[str, Mark]:
        """See `ReadDatabase.marks`."""
        with self.reading() as connection:
            return {name: Mark(position, event) for name, position, event in connection.execute(_SQL["marks"])}

    def shares(self, shape: Shape) -> list[Share]:
        """See `ReadDatabase.shares`."""
        with self.reading() as connection:
            return _shares(connection, shape)

    def tables(self) -> list[Standing]:
        """See `ReadDatabase.tables`."""
        with self.reading() as connection:
            return _tables(connection)

    def point(self, shape: Shape, *, instead_of: Shape, until: Position, aside: Role) -> bool:
        """See `ReadDatabase.point`."""
        try:
            with self.writing() as connection:
                before = (aside.value, instead_of.table, instead_of.fingerprint, until)
                _change_one(connection, _SQL["set_aside"], before)
                _change_one(connection, _SQL["put_forward"], (shape.table, shape.fingerprint))
                _call(connection, shape)
        except _MovedError:
            return False
        return True

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[SqliteSnapshot]:
        """See `ReadDatabase.snapshot`."""
        self._check()
        if self._memory:
            with self._writer.lock:
                yield SqliteSnapshot(self._writer.connection, self._path)
            return
        connection = self.connect(writes=False)
        try:
            with translated(self._path):
                connection.execute("BEGIN")
                connection.execute(_SQL["marks"]).fetchone()  # A transaction begins with what it first reads.
            yield SqliteSnapshot(connection, self._path)
        finally:
            connection.close()

    def drop(self, table: str) -> None:
        """See `ReadDatabase.drop`."""
        with self.writing() as connection:
            for role, name in list(connection.execute(_SQL["role"], (table,))):
                if name != table and Role(role) is Role.LIVE:
                    connection.execute(table_sql.unname(name))
            connection.execute(table_sql.drop(table))
            _forget(connection, table)

    # Leases.

    def keep(self, worker: str, *, followers: Sequence[str], seconds: float) -> dict[str, tuple[str, ...]]:
        """See `Leases.keep`."""
        with self.writing() as connection:
            connection.execute(_SQL["bury"])
            for follower in followers:
                connection.execute(_SQL["at_work"], (follower, worker, seconds))
                connection.execute(_SQL["prolong"], (seconds, follower, worker))
            return {
                follower: tuple(name for (name,) in connection.execute(_SQL["workers"], (follower,)))
                for follower in followers
            }

    def recut(self, follower: str, seen: Sequence[Share], cuts: Sequence[Cut], *, worker: str, seconds: float) -> bool:
        """See `Leases.recut`."""
        check_cuts(seen, cuts)
        try:
            with self.writing() as connection:
                mark = _taken_away(connection, follower, seen, worker)
                epoch = 1 + max(share.epoch for share in seen)
                for cut in cuts:
                    left = seconds if cut.owner else 0.0
                    bound = (cut.slices.low, cut.slices.high, mark.position, mark.event, epoch, cut.owner, left)
                    connection.execute(_SQL["add_share"], (follower, *bound))
        except _MovedError:
            return False
        return True

    def leave(self, worker: str) -> None:
        """See `Leases.leave`."""
        with self.writing() as connection:
            connection.execute(_SQL["let_go"], (worker,))
            connection.execute(_SQL["resign"], (worker,))

    # What is put aside.

    def parked(self, shape: Shape) -> list[Parked]:
        """See `ReadDatabase.parked`."""
        with self.reading() as connection:
            rows = connection.execute(_SQL["parked"], (shape.table, shape.fingerprint))
            return [
                Parked(key=key, position=position, event=event, error=error, trace=trace, attempts=attempts)
                for key, position, event, error, trace, attempts in rows
            ]

    def notes(self) -> list[EventData]:
        """See `ReadDatabase.notes`."""
        with self.reading() as connection:
            rows = connection.execute(_SQL["notes"])
            return [
                EventData(id, type, data, salt, version, tuple(tags.split("\n")), metadata)
                for id, type, version, tags, data, metadata, salt in rows
            ]

    def noted(self, ids: Sequence[bytes]) -> None:
        """See `ReadDatabase.noted`."""
        with self.writing() as connection:
            for id in ids:
                connection.execute(_SQL["noted"], (id,))

    # Rows.

    def load(self, shape: Shape, keys: Sequence[Row]) -> list[Row]:
        """See `ReadDatabase.load`."""
        found: list[Row] = []
        with self.reading(shape.name or shape.table) as connection:
            for part in _parts(keys, len(shape.key)):
                bound = [value for key in part for value in key]
                found += connection.execute(table_sql.load(shape, len(part)), bound).fetchall()
        return found

    def commit(self, changes: Sequence[Change]) -> bool:
        """See `ReadDatabase.commit`."""
        try:
            with self.writing() as connection:
                for change in changes:
                    with _accepted():
                        _apply(connection, change)
                    work = self._walled(change.work, change.shape, beside=self._live)
                    if work is not None:
                        _lend(connection, work)
                    _put_aside(connection, change)
        except _MovedError:
            return False
        return True

    def select(self, shape: Shape, selection: Selection) -> list[Row]:
        """See `ReadDatabase.select`."""
        statement, bound = table_sql.select(shape, selection)
        with self.reading(shape.name or shape.table) as connection:
            return list(connection.execute(statement, bound))

    def count(self, shape: Shape, filters: Sequence[Filter], *, most: int | None = None) -> int:
        """See `ReadDatabase.count`."""
        statement, bound = table_sql.count(shape, filters, most)
        with self.reading(shape.name or shape.table) as connection:
            return int(connection.execute(statement, bound).get)

    def close(self) -> None:
        """See `ReadDatabase.close`."""
        with self._turns:
            if not self._closed:
                self._closed = True
                if self._rooms is not None:
                    self._rooms.close()
                self._let_go()


class SqliteSnapshot:
    """A read database at one moment: a transaction that reads, on a connection of its own. Made by `snapshot`."""

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def tables(self) -> list[Standing]:
        """See `Snapshot.tables`."""
        with translated(self._path):
            return _tables(self._connection)

    def shares(self, shape: Shape) -> list[Share]:
        """See `Snapshot.shares`."""
        with translated(self._path):
            return _shares(self._connection, shape)

    def select(self, shape: Shape, selection: Selection) -> list[Row]:
        """See `Snapshot.select`."""
        statement, bound = table_sql.select(shape, selection)
        with translated(self._path), _there(shape.name or shape.table):
            return list(self._connection.execute(statement, bound))

    def made(self, shape: Shape) -> list[Shape]:
        """See `Making.made`."""
        with translated(self._path):
            return [
                made.shape_of(self._connection, table, of=shape) for table in made.tables_of(self._connection, shape)
            ]

    def rows_of(self, made: Shape) -> Iterator[Row]:
        """See `Making.rows_of`."""
        with translated(self._path):
            yield from rows_of(self._connection, made)

    def row_of(self, made: Shape, key: Row) -> Row | None:
        """See `Making.row_of`."""
        with translated(self._path):
            return row_of(self._connection, made, key)


class _MovedError(Exception):
    """Somebody else moved the table on."""


def _tables(connection: apsw.Connection) -> list[Standing]:
    return [
        Standing(_SHAPES.decode(shape), Mark(position, event), Role(role))
        for shape, position, event, role in connection.execute(_SQL["tables"])
    ]


def _shares(connection: apsw.Connection, shape: Shape) -> list[Share]:
    return [
        Share(Slices(low, high), Mark(position, event), epoch, owner, left)
        for low, high, position, event, epoch, owner, left in connection.execute(
            _SQL["shares"], (shape.table, shape.fingerprint)
        )
    ]


def _begin_anew(connection: apsw.Connection, shape: Shape, begin: Work | None) -> None:
    if shape.columns:
        connection.execute(table_sql.drop(shape.table))
        connection.execute(table_sql.create(shape))
        for index in table_sql.indexes(shape):
            connection.execute(index)
    epoch = connection.execute(_SQL["next_epoch"], (shape.table,)).get
    connection.execute(_SQL["forget_shares"], (shape.table,))
    connection.execute(_SQL["free_all"], (shape.table,))
    connection.execute(_SQL["add_share"], (shape.table, 0, SLICES - 1, 0, b"", epoch, "", 0.0))
    described = msgspec.json.encode(shape).decode()
    connection.execute(_SQL["begin_anew"], (shape.table, shape.fingerprint, described, shape.name or shape.table))
    role, _ = connection.execute(_SQL["role"], (shape.table,)).get
    if Role(role) is Role.LIVE and shape.columns:
        _call(connection, shape)
    if begin is not None:
        made.begin(connection, partial(_lend, work=begin), maker=shape.table)


def _lend(connection: apsw.Connection, work: Work) -> None:
    """Somebody's own work in the transaction. `Invalid` where it ends that."""
    connection.execute(_SQL["lend"])
    try:
        work(connection)
        connection.execute(_SQL["have_back"])
    except apsw.SQLError as wrong:
        if "no such savepoint" not in str(wrong):
            raise
        raise Invalid(ENDED) from wrong


def _forget(connection: apsw.Connection, table: str) -> None:
    connection.execute(_SQL["forget_shares"], (table,))
    connection.execute(_SQL["free_all"], (table,))
    connection.execute(_SQL["forget"], (table,))


def _call(connection: apsw.Connection, shape: Shape) -> None:
    """Have the name stand for the table, where it is not the table's own."""
    if not shape.name:
        return
    for (nameless,) in list(connection.execute(_SQL["nameless"], (shape.name,))):
        connection.execute(table_sql.drop(nameless))
        _forget(connection, nameless)
    connection.execute(table_sql.unname(shape.name))
    connection.execute(table_sql.name(shape))


def _change_one(connection: apsw.Connection, statement: str, bound: tuple[Value | bytes, ...]) -> None:
    connection.execute(statement, bound)
    if connection.changes() == 0:
        raise _MovedError


def _taken_away(connection: apsw.Connection, follower: str, seen: Sequence[Share], worker: str) -> Mark:
    """The shares are no more; where they all stood."""
    marks: set[Mark] = set()
    for share in seen:
        which = (follower, share.slices.low, share.slices.high, share.epoch, worker)
        row = connection.execute(_SQL["give_up_share"], which).fetchone()
        if row is None:
            raise _MovedError
        marks.add(Mark(*row))
    if len(marks) > 1:
        raise _MovedError
    return marks.pop()


def _apply(connection: apsw.Connection, change: Change) -> None:
    shape, slices, seen, reached = change.shape, change.slices, change.seen, change.reached
    which = (shape.table, slices.low, slices.high, change.epoch, seen.position, seen.event, change.owner)
    bound = (reached.position, reached.event, change.fence, *which, shape.fingerprint)
    _change_one(connection, _SQL["advance"], bound)
    for part in _parts(change.rows, len(shape.columns)):
        values: list[Value] = [value for row in part for value in row]
        connection.execute(table_sql.upsert(shape, len(part)), values)
    for part in _parts(change.removed, len(shape.key)):
        connection.execute(table_sql.delete(shape, len(part)), [value for key in part for value in key])


def _put_aside(connection: apsw.Connection, change: Change) -> None:
    table = change.shape.table
    for one in change.parked:
        bound = (one.key, one.position, one.event, one.error, one.trace, one.attempts)
        connection.execute(_SQL["park"], (table, *bound))
    for key in change.freed:
        connection.execute(_SQL["free"], (table, key))
    for note in change.notes:
        tags = "\n".join(note.tags)
        connection.execute(_SQL["note"], (note.id, note.type, note.version, tags, note.data, note.metadata, note.salt))


def _parts(rows: Sequence[Row], width: int) -> Iterator[Sequence[Row]]:
    """The rows in parts whose sizes are powers of two: so few statements, prepared once, and few steps write them all."""
    most = min(_MOST_ROWS, table_sql.MOST_VALUES // max(width, 1))
    start = 0
    while start < len(rows):
        size = 1 << (min(most, len(rows) - start).bit_length() - 1)
        yield rows[start : start + size]
        start += size


@contextlib.contextmanager
def _accepted() -> Iterator[None]:
    """What a table does not take is the mistake of whoever brought it."""
    try:
        yield
    except (OverflowError, UnicodeEncodeError, TypeError, apsw.ConstraintError, apsw.TooBigError) as wrong:
        raise Invalid(f"a row cannot be kept in its table: {wrong}; declare the field with a type that can") from wrong


@contextlib.contextmanager
def _there(table: str) -> Iterator[None]:
    try:
        yield
    except apsw.SQLError as wrong:
        if not table or "no such" not in str(wrong):
            raise
        raise Busy(
            f"the table {table} is being built anew from the journal; wait_for(position), then ask again"
        ) from wrong

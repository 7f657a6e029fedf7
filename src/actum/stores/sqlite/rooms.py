"""Rooms in SQLite: each is a file beside the read database, which is found under the same names by whoever works in it.

The live tables are in the read database. A switch copies what was live into a file of its own, then has the tables of the
candidate's file take its place, in one transaction of the read database: readers see the one or the other.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import apsw
import msgspec

from actum.journal.errors import Invalid, Misdeclared, NotAJournal
from actum.journal.readmodel import Mark, ReadDatabase, Role, Shape, Standing
from actum.stores.sqlite import made
from actum.stores.sqlite.file import translated
from actum.stores.sqlite.walls import IN_MEMORY, LIVE, only_read
from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from actum.journal.event import Position

_SQL = statements("sqlite/rooms.sql")
_TABLES = statements("sqlite/tables.sql")

_SHAPES = msgspec.json.Decoder(Shape)


class Tables(ReadDatabase, Protocol):
    """A read database in a file."""

    def reading(self) -> AbstractContextManager[apsw.Connection]:
        """This thread's connection for reading."""
        ...

    def writing(self) -> AbstractContextManager[apsw.Connection]:
        """A transaction."""
        ...

    def connect(self, *, writes: bool) -> apsw.Connection:
        """A connection of one's own."""
        ...


class SqliteRooms:
    """The files beside the read database at `path`; `room` opens one. Made by `SqliteTables.rooms`."""

    def __init__(self, tables: Tables, path: Path, *, room: Callable[[Path], Tables]) -> None:
        self._tables = tables
        self._path = path
        self._room = room
        self._lock = threading.RLock()
        self._opened: dict[str, Tables] = {}

    def path(self, table: str) -> Path:
        """The file of a room."""
        return self._path.with_name(f"{self._path.stem}.{table}.db")

    def standing(self, called: str) -> list[Standing]:
        """See `Rooms.standing`."""
        with self._tables.reading() as connection:
            found = [
                (_SHAPES.decode(shape), Role(role)) for shape, role in connection.execute(_SQL["rooms"], (called,))
            ]
        return [standing for shape, role in found if (standing := self._standing(shape, role)) is not None]

    def _standing(self, shape: Shape, role: Role) -> Standing | None:
        mark = self._at(shape.table).mark(shape) if self.path(shape.table).exists() else None
        if mark is None:
            return Standing(shape, Mark(), role) if role is Role.CANDIDATE else None
        return Standing(shape, mark, role)

    def open(self, shape: Shape) -> Tables:
        """See `Rooms.open`."""
        if str(self._path) == IN_MEMORY:
            raise Invalid(
                "a read database in memory is made when it is opened, and has no room beside it: keep it in a file"
            )
        with self._lock:
            if shape.table not in self._opened or not self.path(shape.table).exists():
                self._know(shape)
            return self._at(shape.table)

    def _at(self, table: str) -> Tables:
        """What is in a room; of one that was made anew, what is there now."""
        with self._lock:
            room = self._opened.get(table)
            if room is None or not self.path(table).exists():
                self._let_go(table)
                room = self._opened[table] = self._room(self.path(table))
            return room

    def _know(self, shape: Shape) -> None:
        """Have it known; what lies there of one that nobody knows is taken away."""
        with self._tables.writing() as connection:
            if connection.execute(_SQL["has_room"], (shape.table,)).fetchone() is None:
                self._clear(shape.table)
                described = msgspec.json.encode(shape).decode()
                connection.execute(_SQL["add_room"], (shape.table, shape.fingerprint, described, shape.name))

    def claim(self, live: Shape, candidate: Shape) -> None:
        """See `Rooms.claim`."""
        with self.open(candidate).reading() as connection:
            come = [each.name for each in made.there(connection)]
            called = made.belonging(connection, come)
        with self._tables.writing() as connection:
            mine = made.made_by(connection, live.table)
            taken = [each.name for each in made.there(connection) if each.name in come and each.name not in mine]
            foreign = [
                name
                for name in taken
                if mine or made.maker_of(connection, name) is not None or _is_named(connection, name)
            ] or made.staying(connection, mine or taken, called=called)
            if foreign:
                raise Misdeclared(
                    f"{candidate.name}: its begin makes {', '.join(foreign)}, which is there and was made by somebody else, or by its handler as "
                    "it went; give it another name, or let begin make it from now on"
                )
            if not mine:
                made.own(connection, live.table, taken)

    def swap(self, shape: Shape, *, instead_of: Shape, until: Position, aside: Role) -> bool:
        """See `Rooms.swap`."""
        room = self.path(shape.table)
        if not room.exists():
            return False
        with self._lock, translated(self._path):
            self._let_go(shape.table)
            connection = self._tables.connect(writes=True)
            try:
                connection.execute("ATTACH ? AS room", (only_read(room),))
                done = self._swapped(connection, shape, instead_of, (aside.value, until))
            finally:
                connection.close()
            if done:
                _remove(room)
        return done

    def _swapped(self, connection: apsw.Connection, shape: Shape, before: Shape, how: tuple[str, Position]) -> bool:
        aside, until = how
        connection.execute("BEGIN IMMEDIATE")
        try:
            if not _changed(
                connection, _TABLES["set_aside"], (aside, before.table, before.fingerprint, until)
            ) or not _changed(connection, _TABLES["put_forward"], (shape.table, shape.fingerprint)):
                connection.execute("ROLLBACK")
                return False
            gone = made.made_by(connection, before.table)
            self._keep(before, gone)
            made.take_away(connection, gone)
            made.own(connection, before.table, ())
            for forget in ("forget_shares", "free_all"):
                connection.execute(_TABLES[forget], (before.table,))
            come = [each.name for each in made.there(connection, "room")]
            made.bring(connection, come, attached="room")
            made.own(connection, shape.table, come)
            made.bring_books(connection, shape.table, attached="room", definition=False)
            made.bring_notes(connection, attached="room")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return True

    def _keep(self, shape: Shape, names: Sequence[str]) -> None:
        """Copy what is still live into a file of its own. Nobody changes it meanwhile."""
        path = self.path(shape.table)
        self._clear(shape.table)
        room = self._room(path)
        connection = room.connect(writes=True)
        try:
            with translated(path):
                connection.execute(f"ATTACH ? AS {LIVE}", (only_read(self._path),))
                connection.execute("BEGIN IMMEDIATE")
                made.bring(connection, names, attached=LIVE)
                made.own(connection, shape.table, names)
                made.bring_books(connection, shape.table, attached=LIVE, definition=True)
                connection.execute("COMMIT")
        finally:
            connection.close()
            room.close()

    def drop(self, table: str) -> None:
        """See `Rooms.drop`."""
        with self._lock:
            self._let_go(table)
            with self._tables.writing() as connection:
                connection.execute(_TABLES["forget"], (table,))
            self._clear(table)

    def _clear(self, table: str) -> None:
        """Take the file of a room away. `NotAJournal` where something else lies there: that stays."""
        path = self.path(table)
        self._let_go(table)
        if path.exists() and not self._is_room(path):
            raise NotAJournal(
                f"{path}, in which {table} would be built beside, is something else; name that one otherwise, or the projection"
            )
        _remove(path)

    def _is_room(self, path: Path) -> bool:
        """Whether a file is a read database of the same journal, or empty."""
        with self._tables.reading() as connection:
            origin = connection.execute(_TABLES["about"], ("origin",)).get
        flags = apsw.SQLITE_OPEN_READONLY
        with translated(path), contextlib.closing(apsw.Connection(str(path), flags=flags)) as there:
            tables = {name for (name,) in there.execute(_SQL["names"])}
            if "actum_about" not in tables:
                return not tables
            return bool(there.execute(_TABLES["about"], ("origin",)).get == origin)

    def _let_go(self, table: str) -> None:
        room = self._opened.pop(table, None)
        if room is not None:
            room.close()

    @contextlib.contextmanager
    def passing(self) -> Iterator[Tables]:
        """See `Rooms.passing`."""
        room = self._room(Path(IN_MEMORY))
        try:
            yield room
        finally:
            room.close()

    def close(self) -> None:
        """Close the files that are open."""
        with self._lock:
            for table in list(self._opened):
                self._let_go(table)


def _is_named(connection: apsw.Connection, name: str) -> bool:
    """Whether readers find the rows of a view under that name."""
    return any(_SHAPES.decode(shape).name == name for shape, *_ in connection.execute(_TABLES["tables"]))


def _changed(connection: apsw.Connection, statement: str, bound: tuple[Any, ...]) -> bool:
    connection.execute(statement, bound)
    return connection.changes() > 0


def _remove(path: Path) -> None:
    for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        each.unlink(missing_ok=True)

"""Rooms in PostgreSQL: each is a schema beside that of the read database, in which names without a schema are found first.

A switch has the tables change schemas, with their checkpoints, in one transaction: readers find the one or the other.
"""

from __future__ import annotations

import contextlib
import threading
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import msgspec
from psycopg import errors

from actum.journal.errors import Misdeclared, NotAJournal
from actum.journal.readmodel import Mark, ReadDatabase, Role, Shape, Standing
from actum.stores.postgres import made
from actum.stores.postgres.exchange import Exchange, alone, dropped
from actum.stores.postgres.room_schema import RoomSchema
from actum.stores.postgres.table_sql import LONGEST_NAME, quoted
from actum.stores.postgres.views_schema import value_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from actum.journal.event import Position
    from actum.stores.postgres.connecting import Connection
    from actum.stores.postgres.views_schema import ViewsSchema

_SHAPES = msgspec.json.Decoder(Shape)


class Room(ReadDatabase, Protocol):
    """A read database in a schema."""

    @property
    def schema(self) -> ViewsSchema:
        """Where it lies."""
        ...


class PostgresRooms:
    """The schemas beside that of a read database; `room` is what is in one. Made by `PostgresTables.rooms`."""

    def __init__(self, schema: ViewsSchema, *, room: Callable[[ViewsSchema], Room]) -> None:
        self._schema = schema
        self._made = room
        self._sql = made.sql(schema.names.schema)
        self._lock = threading.RLock()
        self._opened: dict[str, Room] = {}

    def schema(self, table: str) -> str:
        """The schema of a room."""
        name = f"{self._schema.bare}_{table.removeprefix('actum_')}"
        if len(name) <= LONGEST_NAME:
            return name
        return f"{self._schema.bare[:20]}_room_{sha256(name.encode()).hexdigest()[:20]}"

    def standing(self, called: str) -> list[Standing]:
        """See `Rooms.standing`."""
        found = self._schema.read(lambda connection: connection.execute(self._sql["rooms"], (called,)).fetchall())
        shapes = [(_SHAPES.decode(shape), Role(role)) for shape, role in found]
        return [standing for shape, role in shapes if (standing := self._standing(shape, role)) is not None]

    def _standing(self, shape: Shape, role: Role) -> Standing | None:
        mark = self._at(shape.table).mark(shape) if self._exists(shape.table) else None
        if mark is None:
            return Standing(shape, Mark(), role) if role is Role.CANDIDATE else None
        return Standing(shape, mark, role)

    def _exists(self, table: str) -> bool:
        which = (self.schema(table),)
        return bool(
            self._schema.read(lambda connection: value_of(connection.execute(self._schema.sql["has_schema"], which)))
        )

    def open(self, shape: Shape) -> Room:
        """See `Rooms.open`."""
        with self._lock:
            if shape.table not in self._opened or not self._exists(shape.table):
                self._let_go(shape.table)
                self._schema.write(lambda connection: self._know(connection, shape), pipelined=False)
            return self._at(shape.table)

    def _at(self, table: str) -> Room:
        """What is in a room."""
        with self._lock:
            if table not in self._opened:
                self._opened[table] = self._room(self.schema(table))
            return self._opened[table]

    def _room(self, schema: str) -> Room:
        address, *_ = self._schema.terms
        return self._made(RoomSchema(msgspec.structs.replace(address, schema=schema), live=self._schema))

    def _know(self, connection: Connection, shape: Shape) -> None:
        """Have it known; what lies there of one that nobody knows is taken away."""
        connection.execute(self._schema.sql["among_makers"])
        if value_of(connection.execute(self._sql["has_room"], (shape.table,))) is None:
            self._clear(connection, shape.table)
            described = msgspec.json.encode(shape).decode()
            connection.execute(self._sql["add_room"], (shape.table, shape.fingerprint, described, shape.name))

    def claim(self, live: Shape, candidate: Shape) -> None:
        """See `Rooms.claim`."""
        room = self.open(candidate).schema
        self._schema.write(lambda connection: self._claim(connection, room, live, candidate), pipelined=False)

    def _claim(self, connection: Connection, room: ViewsSchema, live: Shape, candidate: Shape) -> None:
        mine = made.made_by(connection, self._schema, live.table)
        come = made.there(connection, room)
        wanted = set(come) - set(mine)
        taken = [name for name in made.there(connection, self._schema) if name in wanted]
        bound = {"names": taken, "but": candidate.name}
        makers = {name for (name,) in connection.execute(self._sql["makers"], bound).fetchall()}
        foreign = [name for name in taken if mine or name in makers]
        gone = mine or taken
        foreign += made.barred(connection, come, gone=gone, source=room.bare, target=self._schema.bare)
        if foreign:
            raise Misdeclared(
                f"{candidate.name}: its begin makes {', '.join(foreign)}, which is there and was made by somebody else, or by its handler as "
                "it went; give it another name, or let begin make it from now on"
            )
        staying = made.staying(connection, room)
        if staying:
            raise Misdeclared(
                f"{candidate.name}: its begin makes {', '.join(staying)}, which cannot be moved to where readers look: let somebody make "
                "it beforehand"
            )
        alone(connection, self._schema, candidate.name, gone)
        if not mine:
            made.put_down(connection, self._schema, live.table, taken)

    def swap(self, shape: Shape, *, instead_of: Shape, until: Position, aside: Role) -> bool:
        """See `Rooms.swap`."""
        if not self._exists(shape.table):
            return False
        with self._lock:
            room, kept = self.open(shape).schema, self._fresh(instead_of).schema
            exchange = Exchange(self._schema, shape, instead_of, room=room, kept=kept)
            done = False
            try:
                done = exchange.done(until=until, aside=aside)
            finally:
                self._let_go(shape.table if done else instead_of.table)
                if not done:
                    self._schema.write(lambda connection: connection.execute(dropped(kept.bare)), pipelined=False)
        return done

    def _fresh(self, shape: Shape) -> Room:
        """An empty room for what is still live."""
        self._let_go(shape.table)
        self._schema.write(lambda connection: self._clear(connection, shape.table), pipelined=False)
        room = self._opened[shape.table] = self._room(self.schema(shape.table))
        return room

    def _clear(self, connection: Connection, table: str) -> None:
        """Take the schema of a room away. `NotAJournal` where something else lies there: that stays."""
        schema = self.schema(table)
        if value_of(connection.execute(self._schema.sql["exists"], (schema,))):
            related = made.sql(self._schema.names.schema, quoted(schema))["is_related"]
            if value_of(connection.execute(related)):
                connection.execute(dropped(schema))
                return
        try:
            connection.execute(f"DROP SCHEMA IF EXISTS {quoted(schema)}".encode())
        except errors.DependentObjectsStillExist as wrong:
            raise NotAJournal(
                f"the schema {schema}, in which {table} would be built beside, holds something else; name that one otherwise, or the "
                "projection"
            ) from wrong

    def drop(self, table: str) -> None:
        """See `Rooms.drop`."""

        def work(connection: Connection) -> None:
            connection.execute(self._schema.sql["forget"], (table,))
            self._clear(connection, table)

        with self._lock:
            self._let_go(table)
            self._schema.write(work, pipelined=False)

    def _let_go(self, table: str) -> None:
        room = self._opened.pop(table, None)
        if room is not None:
            room.close()

    @contextlib.contextmanager
    def passing(self) -> Iterator[Room]:
        """See `Rooms.passing`."""
        schema = f"{self._schema.bare[:30]}_room_{uuid4().hex[:20]}"
        room = self._room(schema)
        try:
            yield room
        finally:
            room.close()
            self._schema.write(lambda connection: connection.execute(dropped(schema)), pipelined=False)

    def close(self) -> None:
        """Close what is open."""
        with self._lock:
            for table in list(self._opened):
                self._let_go(table)

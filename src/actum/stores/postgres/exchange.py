"""An exchange: what is live and what is in a room change places, in one transaction, whatever readers are at meanwhile.

Readers lock the tables of a statement one after the other, and so must the exchange: for the moment in which each has what the other
waits for, it lets them pass, and begins with the table that it failed at.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from actum.journal.errors import Busy, Misdeclared
from actum.stores.postgres import made
from actum.stores.postgres.table_sql import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actum.journal.event import Position
    from actum.journal.readmodel import Role, Shape
    from actum.stores.postgres.connecting import Connection
    from actum.stores.postgres.views_schema import ViewsSchema

LOCK = 0.2
"""Seconds for which readers of a table are waited for, who wait behind it: then they are let through."""


class Exchange:
    """One exchange of the candidate `shape`, which is in `room`, with what is live, `before`, which goes into the empty room `kept`."""

    def __init__(
        self, schema: ViewsSchema, shape: Shape, before: Shape, *, room: ViewsSchema, kept: ViewsSchema
    ) -> None:
        self._schema = schema
        self._shape = shape
        self._before = before
        self._room = room
        self._kept = kept
        self._first: list[str] = []
        self._at = ""

    def done(self, *, until: Position, aside: Role) -> bool:
        """Do it; False, and nothing changed, where something is not as it was seen. `Busy` where readers never let it through."""
        before = {"name": self._before.table, "fingerprint": self._before.fingerprint}
        how = before | {"role": aside.value, "until": until}
        deadline = time.monotonic() + self._schema.terms[2]
        while True:
            try:
                self._schema.write(lambda connection: self._exchange(connection, how), pipelined=False)
            except Busy:
                if time.monotonic() > deadline:
                    raise
                self._first = [self._at, *(name for name in self._first if name != self._at)]
                time.sleep(LOCK / 4)
            except _NotDoneError:
                return False
            else:
                return True

    def _exchange(self, connection: Connection, how: Mapping[str, object]) -> None:
        """All of it, or `_NotDoneError`, by which the transaction is undone."""
        ours, table, old = self._schema, self._shape.table, self._before.table
        out = made.sql(ours.names.schema, self._kept.names.schema)
        into = made.sql(ours.names.schema, self._room.names.schema)
        connection.execute(f"SET LOCAL lock_timeout = {int(LOCK * 1000)}".encode())
        connection.execute(ours.sql["alone"])
        for statement, bound in (
            (ours.sql["set_aside"], how),
            (into["still"], (table,)),
            (ours.sql["put_forward"], (table, self._shape.fingerprint)),
        ):
            if connection.execute(statement, bound).fetchone() is None:
                raise _NotDoneError
        self._move(connection)
        for name in ("bring_definition", "put_shares", "put_parked"):
            connection.execute(out[name], (old,))
        for name in ("forget_shares", "free_all"):
            connection.execute(ours.sql[name], (old,))
        for name in ("bring_shares", "bring_parked"):
            connection.execute(into[name], (table,))
        connection.execute(into["bring_notes"])
        connection.execute(dropped(self._room.bare))

    def _move(self, connection: Connection) -> None:
        ours = self._schema
        gone, come = made.made_by(connection, ours, self._before.table), made.there(connection, self._room)
        self._hold(connection, [each.table for each in made.tables_of(connection, ours, self._before)])
        alone(connection, ours, self._shape.name, gone)
        made.move(connection, gone, source=ours.bare, target=self._kept.bare)
        made.move(connection, come, source=self._room.bare, target=ours.bare)
        made.put_down(connection, self._kept, self._before.table, gone)
        made.put_down(connection, ours, self._before.table, ())
        made.put_down(connection, ours, self._shape.table, come)

    def _hold(self, connection: Connection, tables: list[str]) -> None:
        """Have the live tables for oneself, the one first at which one failed before."""
        for table in sorted(tables, key=lambda name: self._first.index(name) if name in self._first else len(tables)):
            self._at = table
            connection.execute(f"LOCK TABLE {self._schema.names.of(table)} IN ACCESS EXCLUSIVE MODE".encode())


class _NotDoneError(Exception):
    """Something is not as it was seen."""


def alone(connection: Connection, schema: ViewsSchema, name: str, gone: Sequence[str]) -> None:
    """`Misdeclared` where somebody else has made something on top of what goes, which would go with it."""
    leaning = made.leaning(connection, schema, gone)
    if leaning:
        raise Misdeclared(
            f"{name}: what it made before cannot make room, since somebody else's {', '.join(leaning)} depends on it: drop that, and make "
            "it again afterwards"
        )


def dropped(schema: str) -> bytes:
    """Take a schema away, and all that is in it."""
    return f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE".encode()

"""How large a schema of ours is, what of it is waste, and what the server says that its keeper should know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actum.journal.errors import NewerSchema, Unavailable
from actum.journal.inspection import Inspection, Part
from actum.stores.postgres.connecting import connect
from actum.stores.postgres.trouble import translated
from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.stores.postgres.address import Address
    from actum.stores.postgres.connecting import Connection

_SQL = statements("postgres/inspecting.sql")

LONG = 600
"""Seconds that a transaction may take before somebody should know of it."""

CROWDED = 0.8
"""How much of a server's connections may be taken before somebody should know of it."""


def is_there(address: Address, *, about: str) -> bool:
    """Whether the schema is there and has the table in which it describes itself."""
    with translated(address), connect(address, name="actum inspect") as connection:
        return bool(_one(connection, _SQL["describes_itself"], address.schema, about))


def inspect_schema(address: Address, *, about: str, newest: int) -> Inspection:
    """What there is in the schema, which describes itself in the table `about`. `Unavailable` where there is none."""
    with translated(address), connect(address, name="actum inspect") as connection:
        if not _one(connection, _SQL["describes_itself"], address.schema, about):
            raise Unavailable(f"{address}: there is nothing of that name; check the address")
        found = _SQL["layout"].replace("{schema}", f'"{address.schema}"').replace("{about}", about)
        layout = int(_one(connection, found))
        if layout > newest:
            raise NewerSchema(f"{address} has layout {layout}, this actum knows layouts up to {newest}; upgrade actum")
        rows = connection.execute(_SQL["parts"].encode(), (address.schema,)).fetchall()
        return Inspection(
            engine=f"PostgreSQL {_one(connection, _SQL['engine'])}",
            layout=layout,
            newest=newest,
            bytes=sum(row[1] for row in rows),
            reusable=sum(heap * waste // (waste + live) for _, _, heap, waste, live in rows if waste),
            parts=tuple(Part(name, size, waste) for name, size, _, waste, _ in rows),
            notes=tuple(_notes(connection)),
        )


def _notes(connection: Connection) -> Iterator[str]:
    if _one(connection, _SQL["standby"]):
        yield f"this server is a standby; it last replayed something {_one(connection, _SQL['behind']):,} s ago"
        return
    oldest = _one(connection, _SQL["oldest"])
    if oldest > LONG:
        yield f"a transaction has been open for {oldest:,} s: meanwhile no waste is cleaned up"
    taken, most = connection.execute(_SQL["connections"].encode()).fetchall()[0]
    if taken > CROWDED * most:
        yield f"{taken} of {most} connections are taken"
    for name, behind in connection.execute(_SQL["followers"].encode()).fetchall():
        yield f"{name} follows, {behind:,} bytes behind"


def _one(connection: Connection, statement: str, *bound: str) -> Any:
    return connection.execute(statement.encode(), bound or None).fetchall()[0][0]

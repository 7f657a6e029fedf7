"""Tables that followers make themselves: which there are, what is in them, and how they go from one schema into another."""

# ruff: noqa: S608 - there is nothing in a statement but names that the server has given

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from actum.journal.readmodel import NTH, Column, Kept, Shape
from actum.stores.postgres.table_sql import quoted
from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from actum.journal.readmodel import Row
    from actum.stores.postgres.connecting import Connection
    from actum.stores.postgres.views_schema import ViewsSchema

AT_ONCE = 1000
"""How many rows are fetched at once."""


@cache
def sql(schema: str, room: str = "") -> dict[str, bytes]:
    """The statements about what followers make, with both schemas, quoted, in them."""
    named = statements("postgres/rooms.sql").items()
    signature = statements("postgres/rooms.sql")["signature"]
    given = {"{schema}": schema, "{room}": room, "{signature}": signature}
    return {name: _given(text, given).encode() for name, text in named}


def _given(text: str, given: Mapping[str, str]) -> str:
    for what, put in given.items():
        text = text.replace(what, put)
    return text


def own(connection: Connection, schema: ViewsSchema, maker: str) -> None:
    """What this transaction has made there is what the follower has made, with what is left of what it made before."""
    before = made_by(connection, schema, maker)
    names = [name for name, mine in _there(connection, schema) if mine or name in before]
    put_down(connection, schema, maker, names)


def put_down(connection: Connection, schema: ViewsSchema, maker: str, names: Sequence[str]) -> None:
    """These are what the follower has made."""
    ours = sql(schema.names.schema)
    connection.execute(ours["unmake"], (maker,))
    connection.execute(ours["make"], (maker, list(names)))


def there(connection: Connection, schema: ViewsSchema) -> list[str]:
    """All that stands in a schema, but for actum's own."""
    return [name for name, _ in _there(connection, schema)]


def _there(connection: Connection, schema: ViewsSchema) -> list[tuple[str, bool]]:
    return connection.execute(sql(schema.names.schema)["there"], {"schema": schema.bare}).fetchall()


def staying(connection: Connection, schema: ViewsSchema) -> list[str]:
    """What stands in a schema and cannot be moved."""
    return [what for (what,) in connection.execute(sql("")["stays"], (schema.bare,)).fetchall()]


def leaning(connection: Connection, schema: ViewsSchema, names: Sequence[str]) -> list[str]:
    """What somebody else has made on top of what has these names."""
    bound = {"schema": schema.bare, "names": list(names)}
    return [what for (what,) in connection.execute(sql("")["leaning"], bound).fetchall()]


def barred(connection: Connection, come: Sequence[str], *, gone: Sequence[str], source: str, target: str) -> list[str]:
    """Indexes of tables that are to come whose names are taken there, by something that does not go."""
    bound = {"from": source, "to": target, "come": list(come), "gone": list(gone)}
    return [name for (name,) in connection.execute(sql("")["names_taken"], bound).fetchall()]


def made_by(connection: Connection, schema: ViewsSchema, follower: str) -> list[str]:
    """What a follower has made."""
    return [name for (name,) in connection.execute(sql(schema.names.schema)["made"], (follower,)).fetchall()]


def move(connection: Connection, names: Sequence[str], *, source: str, target: str) -> None:
    """Have relations in another schema, and what belongs to them."""
    bound = {"from": source, "to": target, "names": list(names)}
    for (statement,) in connection.execute(sql("")["moves"], bound).fetchall():
        connection.execute(statement.replace("%", "%%").encode())


def tables_of(connection: Connection, schema: ViewsSchema, shape: Shape) -> list[Shape]:
    """The tables that a follower has made, described."""
    ours, names = sql(schema.names.schema), made_by(connection, schema, shape.table)
    found = connection.execute(ours["tables_among"], (schema.bare, names)).fetchall()
    return [_shape_of(connection, schema, table, of=shape) for (table,) in found]


def _shape_of(connection: Connection, schema: ViewsSchema, table: str, *, of: Shape) -> Shape:
    found = connection.execute(sql(schema.names.schema)["columns"], (schema.bare, table)).fetchall()
    columns = tuple(Column(name, Kept.INTEGER if whole else Kept.TEXT, optional=True) for name, whole, _ in found)
    key = tuple(name for name, _, place in sorted(found, key=lambda each: each[2]) if place >= 0)
    if not key:
        columns, key = (*columns, Column(NTH, Kept.INTEGER)), (*(column.name for column in columns), NTH)
    return Shape(table, columns, key, of.fingerprint, version=of.version)


def rows_of(connection: Connection, schema: ViewsSchema, made: Shape) -> Iterator[Row]:
    """All rows in order of the key; what is no whole number is told as text, alike to everybody."""
    connection.execute(sql("")["told_alike"])
    columns = [column for column in made.columns if column.name != NTH]
    order = [f"{_sorted(made.column(name))} NULLS FIRST" for name in made.key if name != NTH]
    ordered = f" ORDER BY {', '.join(order)}" if order else ""
    statement = f"SELECT {', '.join(map(_told, columns))} FROM {schema.names.of(made.table)}{ordered}"
    with connection.cursor(name=f"actum_{uuid4().hex}") as cursor:
        cursor.itersize = AT_ONCE
        cursor.execute(statement.encode())
        yield from _numbered(cursor) if NTH in made.key else cursor


def row_of(connection: Connection, schema: ViewsSchema, made: Shape, key: Row) -> Row | None:
    """The row with this key. What is bound is of no type, so that the server reads it as one of the column's."""
    connection.execute(sql("")["told_alike"])
    names = [name for name in made.key if name != NTH]
    same = [
        f"{quoted(name)} IS NULL" if cell is None else f"{_compared(made.column(name), keyed=NTH not in made.key)} = %s"
        for name, cell in zip(names, key, strict=False)
    ]
    columns = [_told(column) for column in made.columns if column.name != NTH]
    statement = f"SELECT {', '.join(columns)} FROM {schema.names.of(made.table)} WHERE {' AND '.join(same) or 'true'}"
    found = connection.execute(statement.encode(), [cell for cell in key[: len(names)] if cell is not None]).fetchall()
    if NTH in made.key:
        return key if len(found) >= int(key[-1] or 0) else None
    return found[0] if found else None


def _compared(column: Column, *, keyed: bool) -> str:
    """By its own order where there is an index of that; what is in no key may know no equality but that of its text."""
    return quoted(column.name) if keyed else _told(column)


def _numbered(rows: Any) -> Iterator[Row]:
    before, nth = None, 0
    for row in rows:
        nth = nth + 1 if row == before else 1
        before = row
        yield (*row, nth)


def _told(column: Column) -> str:
    return quoted(column.name) if column.kept is Kept.INTEGER else f"{quoted(column.name)}::text"


def _sorted(column: Column) -> str:
    return _told(column) + ("" if column.kept is Kept.INTEGER else ' COLLATE "C"')

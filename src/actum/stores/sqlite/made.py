"""Tables that followers make themselves: which there are, what is in them, and how they come from one file into another."""

# ruff: noqa: S608 - there is nothing in a statement but names that SQLite has given

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import apsw
import msgspec

from actum.journal.readmodel import NTH, Column, Kept, Shape
from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actum.journal.readmodel import Row, Work

_SQL = statements("sqlite/rooms.sql")

_MAKES = (apsw.SQLITE_CREATE_TABLE, apsw.SQLITE_CREATE_VTABLE, apsw.SQLITE_CREATE_VIEW)


class There(msgspec.Struct, frozen=True):
    """A table of a file: `kind` is table, virtual or view."""

    name: str
    kind: str
    without_rowid: bool


def there(connection: apsw.Connection, schema: str = "main") -> list[There]:
    """All of them, but for actum's own; views last."""
    return [There(name, kind, bool(bare)) for name, kind, bare in connection.execute(_SQL["there"], (schema,))]


def begin(connection: apsw.Connection, work: Work, *, maker: str) -> None:
    """Do what a follower begins with, and know from now on which tables it has made; what is left of before is still its own."""
    names = set(made_by(connection, maker))
    before = connection.authorizer

    def watch(action: int, one: str | None, two: str | None, schema: str | None, by: str | None) -> int:
        if action in _MAKES and one is not None:
            names.add(one)
        return apsw.SQLITE_OK if before is None else before(action, one, two, schema, by)

    connection.authorizer = watch
    try:
        work(connection)
    finally:
        connection.authorizer = before
    own(connection, maker, [each.name for each in there(connection) if each.name in names])


def own(connection: apsw.Connection, maker: str, names: Sequence[str]) -> None:
    """These are what the follower has made, and nothing else."""
    connection.execute(_SQL["unmake"], (maker,))
    for name in names:
        connection.execute(_SQL["make"], (name, maker))


def tables_of(connection: apsw.Connection, shape: Shape) -> list[str]:
    """The tables that a follower has made, in order of their names."""
    names = made_by(connection, shape.table)
    return sorted(each.name for each in there(connection) if each.kind != "view" and each.name in names)


def made_by(connection: apsw.Connection, follower: str) -> list[str]:
    """The tables and views that a follower has made."""
    return [name for (name,) in connection.execute(_SQL["made"], (follower,))]


def maker_of(connection: apsw.Connection, table: str) -> str | None:
    """Who has made a table, where that is known."""
    found: str | None = connection.execute(_SQL["maker"], (table,)).get
    return found


def shape_of(connection: apsw.Connection, table: str, *, of: Shape) -> Shape:
    """A table described: its columns, and its key, that of the follower's definition."""
    found = list(connection.execute(_SQL["columns"], (table, "main")))
    columns = tuple(Column(name, Kept.TEXT, optional=True) for name, _, _ in found)
    key = tuple(name for name, _, place in sorted(found, key=lambda each: each[2]) if place)
    if not key:
        columns, key = (*columns, Column(NTH, Kept.INTEGER)), (*(column.name for column in columns), NTH)
    return Shape(table, columns, key, of.fingerprint, version=of.version)


def rows_of(connection: apsw.Connection, made: Shape) -> Iterator[Row]:
    """All rows in order of the key, blobs as text in hexadecimal: by their cells as they are told, whatever the table's own collations."""
    names = [column.name for column in made.columns if column.name != NTH]
    order = ", ".join(f"{_told(name)} COLLATE BINARY" for name in made.key if name != NTH)
    rows = connection.execute(f"SELECT {', '.join(map(_told, names))} FROM main.{_quoted(made.table)} ORDER BY {order}")
    return _numbered(rows) if NTH in made.key else iter(rows)


def row_of(connection: apsw.Connection, made: Shape, key: Row) -> Row | None:
    """The row with this key, among those that are equal to it by the table's own collations."""
    names = [name for name in made.key if name != NTH]
    same = " AND ".join(f"({_quoted(name)} IS ? OR {_told(name)} IS ?)" for name in names)
    bound = [cell for cell in key[: len(names)] for _ in range(2)]
    columns = [column.name for column in made.columns if column.name != NTH]
    rows = connection.execute(
        f"SELECT {', '.join(map(_told, columns))} FROM main.{_quoted(made.table)} WHERE {same}", bound
    )
    places = [columns.index(name) for name in names]
    found = [row for row in rows if tuple(row[at] for at in places) == key[: len(names)]]
    if NTH in made.key:
        return key if len(found) >= int(key[-1] or 0) else None
    return found[0] if found else None


def _numbered(rows: Any) -> Iterator[Row]:
    before, nth = None, 0
    for row in rows:
        nth = nth + 1 if row == before else 1
        before = row
        yield (*row, nth)


def _told(name: str) -> str:
    column = _quoted(name)
    return f"CASE typeof({column}) WHEN 'blob' THEN 'x' || hex({column}) ELSE {column} END"


def take_away(connection: apsw.Connection, names: Sequence[str]) -> None:
    """Tables and views are no more."""
    for each in reversed(there(connection)):
        if each.name in names:
            connection.execute(f"DROP {'VIEW' if each.kind == 'view' else 'TABLE'} main.{_quoted(each.name)}")


def bring(connection: apsw.Connection, names: Sequence[str], *, attached: str) -> None:
    """Tables and views as they are in the file that is attached, their rows, numbers, indexes and triggers with them."""
    for each in there(connection, attached):
        if each.name not in names:
            continue
        first, *rest = [sql for (sql,) in connection.execute(_bringing("definitions", attached), (each.name,))]
        connection.execute(first)
        if each.kind == "virtual":
            _bring_shadows(connection, each.name, attached)
        elif each.kind == "table":
            _bring_rows(connection, each, attached)
        for statement in rest:
            connection.execute(statement)


def _bring_shadows(connection: apsw.Connection, name: str, attached: str) -> None:
    """What a virtual table holds is in tables of its own. An index without contents could not be read and written anew."""
    for (shadow,) in list(connection.execute(_SQL["shadows"], (attached, name))):
        connection.execute(f"DELETE FROM main.{_quoted(shadow)}")
        connection.execute(f"INSERT INTO main.{_quoted(shadow)} SELECT * FROM {attached}.{_quoted(shadow)}")


def belonging(connection: apsw.Connection, names: Sequence[str]) -> list[str]:
    """These names, and those of what belongs to them."""
    return [name for (name,) in connection.execute(_SQL["belonging"], (_listed(names),))]


def staying(connection: apsw.Connection, gone: Sequence[str], *, called: Sequence[str]) -> list[str]:
    """What is called like that and belongs to nothing that goes."""
    return [name for (name,) in connection.execute(_SQL["staying"], (_listed(gone), _listed(called)))]


def _listed(names: Sequence[str]) -> str:
    return msgspec.json.encode(names).decode()


def _bring_rows(connection: apsw.Connection, table: There, attached: str) -> None:
    found = list(connection.execute(_SQL["columns"], (table.name, attached)))
    names = [_quoted(name) for name, written, _ in found if written]
    keyed = table.without_rowid or any(place for _, _, place in found)
    if not keyed and _quoted("rowid") not in names:
        names.insert(0, "rowid")
    columns, quoted = ", ".join(names), _quoted(table.name)
    connection.execute(f"INSERT INTO main.{quoted} ({columns}) SELECT {columns} FROM {attached}.{quoted}")
    if connection.execute(_bringing("has_numbers", attached)).fetchone() is not None:
        numbers = _bringing("bring_numbers", attached)
        if connection.execute(_bringing("has_numbers", "main")).fetchone() is not None:
            connection.execute(_SQL["forget_numbers"], (table.name,))
            connection.execute(numbers, (table.name,))


def bring_books(connection: apsw.Connection, table: str, *, attached: str, definition: bool) -> None:
    """What is known of a follower comes along: how far it is, what is put aside, what is to be noted."""
    if definition:
        connection.execute(_bringing("bring_definition", attached), (table,))
    for what in ("bring_shares", "bring_parked"):
        connection.execute(_bringing(what, attached), (table,))


def bring_notes(connection: apsw.Connection, *, attached: str) -> None:
    """What a room has for the journal."""
    connection.execute(_bringing("bring_notes", attached))


def _bringing(name: str, attached: str) -> str:
    return _SQL[name].replace("{from}", attached)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

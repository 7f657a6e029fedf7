"""The statements of a view's table, made from its columns. Names were checked where they were declared, values are bound.

Everything is as in the other read databases, so that a table has the same rows, the same order and the same digest in
all of them: text is sorted by code points, what is missing is the least, and a cell comes back as it was written. Where
PostgreSQL's own types would not have it, `cells.py` sees to that.
"""

# ruff: noqa: S608 - there is nothing in a statement but names that were checked

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

import msgspec

from actum.journal.errors import Misdeclared
from actum.journal.readmodel import Kept
from actum.stores.postgres.cells import EXACT, bound, has_amounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.journal.readmodel import Column, Filter, Order, Row, Selection, Shape, Value

LONGEST_NAME = 63
"""The bytes of a name, at the most; PostgreSQL would cut it."""

TYPES = {Kept.TEXT: "text", Kept.INTEGER: "bigint", Kept.REAL: "double precision", Kept.AMOUNT: "numeric"}

Statement: TypeAlias = "tuple[bytes, list[Any]]"
"""A statement and what it binds."""


class Names(msgspec.Struct, frozen=True):
    """The schema, quoted, in which the tables are."""

    schema: str

    def of(self, table: str) -> str:
        """The full name of a table."""
        return f"{self.schema}.{quoted(table)}"


def create(names: Names, shape: Shape) -> bytes:
    """Make the table."""
    columns = [_declared(column) for column in shape.columns] + ([f"{EXACT} text"] if has_amounts(shape) else [])
    return f"CREATE TABLE {names.of(shape.table)} ({', '.join(columns)}, PRIMARY KEY ({_listed(shape.key)})) WITH (fillfactor = 70)".encode()


def indexes(names: Names, shape: Shape) -> list[bytes]:
    """Make its indexes, whose names PostgreSQL chooses."""
    return [f"CREATE INDEX ON {names.of(shape.table)} ({quoted(column)})".encode() for column in shape.indexed]


def _declared(column: Column) -> str:
    order = ' COLLATE "C"' if column.kept is Kept.TEXT else ""
    return f"{quoted(column.name)} {TYPES[column.kept]}{order}{'' if column.optional else ' NOT NULL'}"


def drop(names: Names, table: str) -> bytes:
    """Take the table away, if it is there."""
    return f"DROP TABLE IF EXISTS {names.of(table)}".encode()


def name(names: Names, shape: Shape) -> bytes:
    """Have the name stand for the table."""
    columns = _listed([column.name for column in shape.columns])
    return f"CREATE VIEW {names.of(shape.name)} AS SELECT {columns} FROM {names.of(shape.table)}".encode()


def unname(names: Names, called: str) -> bytes:
    """Have the name stand for nothing."""
    return f"DROP VIEW IF EXISTS {names.of(called)}".encode()


@cache
def upsert(names: Names, shape: Shape) -> bytes:
    """Write rows over those of the same keys; one array for each column."""
    columns = [*[(column.name, TYPES[column.kept]) for column in shape.columns], *_exact(shape)]
    rest = [each for each, _ in columns if each not in shape.key]
    change = ", ".join(f"{quoted(each)} = excluded.{quoted(each)}" for each in rest)
    arrays = ", ".join(f"%s::{'text[]::numeric' if kept == 'numeric' else kept}[]" for _, kept in columns)
    return (
        f"INSERT INTO {names.of(shape.table)} ({_listed([each for each, _ in columns])}) SELECT * FROM unnest({arrays}) "
        f"ON CONFLICT ({_listed(shape.key)}) DO {f'UPDATE SET {change}' if rest else 'NOTHING'}"
    ).encode()


@cache
def load(names: Names, shape: Shape) -> bytes:
    """The rows of many keys; one array for each column of the key."""
    wanted, same = _wanted(shape)
    columns = ", ".join(f"stored.{quoted(each)}" for each in _columns(shape))
    return f"SELECT {columns} FROM {wanted} JOIN {names.of(shape.table)} AS stored ON {same}".encode()


@cache
def delete(names: Names, shape: Shape) -> bytes:
    """Take away the rows of many keys; one array for each column of the key."""
    wanted, same = _wanted(shape)
    return f"DELETE FROM {names.of(shape.table)} AS stored USING {wanted} WHERE {same}".encode()


def _wanted(shape: Shape) -> tuple[str, str]:
    """The keys that are bound, and that a stored row has one of them."""
    arrays = ", ".join(f"%s::{TYPES[shape.column(each).kept]}[]" for each in shape.key)
    same = " AND ".join(f"stored.{quoted(each)} = wanted.{quoted(each)}" for each in shape.key)
    return f"unnest({arrays}) AS wanted ({_listed(shape.key)})", same


def select(names: Names, shape: Shape, selection: Selection) -> Statement:
    """The rows of a selection."""
    demands = [_demand(shape.column(each.column), each) for each in selection.filters]
    if selection.after is not None:
        demands.append(_beyond(shape, selection.orders, selection.after))
    where, values = _where(demands)
    order = ", ".join(_sorted(shape.column(order.column), order) for order in selection.orders)
    what = f"SELECT {_listed(_columns(shape))} FROM {names.of(shape.table)}"
    return f"{what}{where}{f' ORDER BY {order}' if order else ''} LIMIT %s".encode(), [*values, selection.limit]


def count(names: Names, shape: Shape, filters: Sequence[Filter], most: int | None) -> Statement:
    """How many rows fit, `most` at the most."""
    where, values = _where([_demand(shape.column(each.column), each) for each in filters])
    rows = f"FROM {names.of(shape.table)}{where}"
    if most is None:
        return f"SELECT count(*) {rows}".encode(), values
    return f"SELECT count(*) FROM (SELECT 1 {rows} LIMIT {most:d}) AS counted".encode(), values


_Demand = tuple[str, list[object]]


def _sorted(column: Column, order: Order) -> str:
    """What is missing comes first, or last when descending; where nothing can be, an index serves."""
    missing = f" NULLS {'LAST' if order.descending else 'FIRST'}" if column.optional else ""
    return f"{quoted(column.name)}{' DESC' if order.descending else ''}{missing}"


def _beyond(shape: Shape, orders: Sequence[Order], after: Row) -> _Demand:
    """What stands behind a row: in one comparison where all columns go the same way, which an index serves."""
    columns = [shape.column(order.column) for order in orders]
    ways = {order.descending for order in orders}
    if len(ways) == 1 and not any(column.optional for column in columns):
        places = ", ".join(map(_place, columns))
        text = f"({_listed([column.name for column in columns])}) {'<' if ways == {True} else '>'} ({places})"
        return text, [bound(column, value) for column, value in zip(columns, after, strict=True)]
    return _beyond_step_by_step(columns, orders, after)


def _beyond_step_by_step(columns: Sequence[Column], orders: Sequence[Order], after: Row) -> _Demand:
    """Equal in the first columns and further in the next one, for one of them."""
    ways: list[str] = []
    values: list[object] = []
    for at, (column, order, value) in enumerate(zip(columns, orders, after, strict=True)):
        further = _further(column, value, descending=order.descending)
        if further is not None:
            same = [_equal(*pair) for pair in zip(columns[:at], after[:at], strict=True)]
            ways.append(f"({' AND '.join(text for text, _ in [*same, further])})")
            values += [each for _, bound in [*same, further] for each in bound]
    return (f"({' OR '.join(ways)})" if ways else "false"), values


def _further(column: Column, value: Value, *, descending: bool) -> _Demand | None:
    """Behind that value in the order of its column; None where nothing is."""
    called = quoted(column.name)
    if value is None:
        return None if descending else (f"{called} IS NOT NULL", [])
    if not descending:
        return f"{called} > {_place(column)}", [bound(column, value)]
    missing = f" OR {called} IS NULL" if column.optional else ""
    return f"({called} < {_place(column)}{missing})", [bound(column, value)]


def _demand(column: Column, demand: Filter) -> _Demand:
    called, value = quoted(column.name), demand.value
    if isinstance(value, tuple):
        return _any_of(column, value)
    match demand.operator:
        case "=":
            return _equal(column, value)
        case "!=":
            return f"{called} IS DISTINCT FROM {_place(column)}", [bound(column, value)]
        case "<" | "<=" | ">" | ">=":
            return f"{called} {demand.operator} {_place(column)}", [bound(column, value)]
        case "starts with":
            return f"{called} ^@ {_place(column)}", [bound(column, value)]
        case "in":
            return _any_of(column, (value,))
        case _:
            assert_never(demand.operator)


def _equal(column: Column, value: Value) -> _Demand:
    if value is None:
        return f"{quoted(column.name)} IS NULL", []
    return f"{quoted(column.name)} = {_place(column)}", [bound(column, value)]


def _any_of(column: Column, values: tuple[Value, ...]) -> _Demand:
    called = quoted(column.name)
    missing = f" OR {called} IS NULL" if None in values else ""
    listed = [bound(column, value) for value in values if value is not None]
    array = "text[]::numeric[]" if column.kept is Kept.AMOUNT else f"{TYPES[column.kept]}[]"
    return f"({called} = ANY(%s::{array}){missing})", [listed]


def _place(column: Column) -> str:
    return "%s::text::numeric" if column.kept is Kept.AMOUNT else f"%s::{TYPES[column.kept]}"


def _where(demands: Sequence[_Demand]) -> _Demand:
    text = " AND ".join(text for text, _ in demands)
    return (f" WHERE {text}" if text else ""), [value for _, values in demands for value in values]


def _exact(shape: Shape) -> list[tuple[str, str]]:
    return [(EXACT, "text")] if has_amounts(shape) else []


def _columns(shape: Shape) -> list[str]:
    return [*[column.name for column in shape.columns], *[each for each, _ in _exact(shape)]]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(quoted, names))


def quoted(name: str) -> str:
    """A name as it stands in a statement."""
    if len(name.encode()) > LONGEST_NAME:
        raise Misdeclared(f"PostgreSQL's names have up to {LONGEST_NAME} bytes, found {name!r}; give it a shorter one")
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'

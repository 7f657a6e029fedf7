"""The statements of a view's table, made from its columns. Names were checked where they were declared, values are bound.

An amount is compared first by its nearest floating-point number, which SQLite does alone, then, where these are equal, by
its digits (the collation `AMOUNT_ORDER`): right to the last digit, and slow only among neighbours.
"""

# ruff: noqa: S608 - there is nothing in a statement but names that were checked

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, assert_never

import msgspec

from actum.journal.readmodel import Kept, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.journal.readmodel import Column, Filter, Order, Row, Selection, Shape

AMOUNT_ORDER = "actum_amount"
"""The collation by which amounts of equal floating-point numbers are told apart."""

MOST_VALUES = 30_000
"""How many values one statement binds at the most."""

_TYPES = {Kept.TEXT: "TEXT", Kept.INTEGER: "INTEGER", Kept.REAL: "REAL", Kept.AMOUNT: "TEXT"}


def compare_amounts(one: str, other: str) -> int:
    """-1, 0 or 1, as the first amount is less than, equal to or greater than the other."""
    left, right = Decimal(one), Decimal(other)
    return (left > right) - (left < right)


def create(shape: Shape) -> str:
    """Make the table."""
    columns = ", ".join(f"{_quoted(c.name)} {_TYPES[c.kept]}{'' if c.optional else ' NOT NULL'}" for c in shape.columns)
    return f"CREATE TABLE {_quoted(shape.table)} ({columns}, PRIMARY KEY ({_names(shape.key)})) STRICT, WITHOUT ROWID"


def indexes(shape: Shape) -> list[str]:
    """Make its indexes."""
    return [
        f"CREATE INDEX {_quoted(f'{shape.table}_by_{column}')} ON {_quoted(shape.table)} ({_quoted(column)})"
        for column in shape.indexed
    ]


def drop(table: str) -> str:
    """Take the table away, if it is there."""
    return f"DROP TABLE IF EXISTS {_quoted(table)}"


def name(shape: Shape) -> str:
    """Have the name stand for the table."""
    return f"CREATE VIEW {_quoted(shape.name)} AS SELECT {_all(shape)} FROM {_quoted(shape.table)}"


def unname(name: str) -> str:
    """Have the name stand for nothing."""
    return f"DROP VIEW IF EXISTS {_quoted(name)}"


@cache
def upsert(shape: Shape, rows: int) -> str:
    """Write that many rows, over those of the same keys."""
    names = [column.name for column in shape.columns]
    rest = [name for name in names if name not in shape.key]
    change = ", ".join(f"{_quoted(name)} = excluded.{_quoted(name)}" for name in rest)
    values = ", ".join([f"({', '.join('?' * len(names))})"] * rows)
    return (
        f"INSERT INTO {_quoted(shape.table)} ({_names(names)}) VALUES {values} "
        f"ON CONFLICT ({_names(shape.key)}) DO {f'UPDATE SET {change}' if rest else 'NOTHING'}"
    )


@cache
def load(shape: Shape, keys: int) -> str:
    """The rows of that many keys."""
    return f"SELECT {_all(shape)} FROM {_quoted(shape.table)} WHERE {_among(shape, keys)}"


@cache
def delete(shape: Shape, keys: int) -> str:
    """Take away the rows of that many keys."""
    return f"DELETE FROM {_quoted(shape.table)} WHERE {_among(shape, keys)}"


def _among(shape: Shape, keys: int) -> str:
    row = f"({', '.join('?' * len(shape.key))})"
    wanted = f"VALUES {', '.join([row] * keys)}" if len(shape.key) > 1 else ", ".join("?" * keys)
    return f"({_names(shape.key)}) IN ({wanted})"


def select(shape: Shape, selection: Selection) -> tuple[str, list[Value]]:
    """The rows of a selection: the statement and what it binds."""
    terms = [term for order in selection.orders for term in _terms(shape.column(order.column), order)]
    demands = [_demand(shape.column(each.column), each) for each in selection.filters]
    if selection.after is not None:
        demands.append(_beyond(_bound_terms(shape, selection.orders, selection.after)))
    where, values = _where(demands)
    order = ", ".join(f"{term.text}{' DESC' if term.descending else ''}" for term in terms)
    statement = f"SELECT {_all(shape)} FROM {_quoted(shape.table)}{where} ORDER BY {order} LIMIT ?"
    return statement, [*values, selection.limit]


def count(shape: Shape, filters: Sequence[Filter], most: int | None) -> tuple[str, list[Value]]:
    """How many rows fit, `most` at the most."""
    where, values = _where([_demand(shape.column(each.column), each) for each in filters])
    rows = f"FROM {_quoted(shape.table)}{where}"
    if most is None:
        return f"SELECT count(*) {rows}", values
    return f"SELECT count(*) FROM (SELECT 1 {rows} LIMIT {most:d})", values


class _Term(msgspec.Struct, frozen=True):
    """One thing to sort by: an expression, and how a bound value is compared with it."""

    text: str
    bound: str
    descending: bool
    optional: bool


_Demand = tuple[str, list[Value]]


def _terms(column: Column, order: Order) -> list[_Term]:
    name = _quoted(column.name)
    if column.kept is not Kept.AMOUNT:
        return [_Term(name, "?", order.descending, column.optional)]
    return [
        _Term(f"CAST({name} AS REAL)", "CAST(? AS REAL)", order.descending, column.optional),
        _Term(f"{name} COLLATE {AMOUNT_ORDER}", "?", order.descending, column.optional),
    ]


def _bound_terms(shape: Shape, orders: Sequence[Order], after: Row) -> list[tuple[_Term, Value]]:
    pairs = zip(orders, after, strict=True)
    return [(term, value) for order, value in pairs for term in _terms(shape.column(order.column), order)]


def _beyond(terms: list[tuple[_Term, Value]]) -> _Demand:
    """What stands behind a row: equal in the first terms and further in the next one, for one of them."""
    ways: list[str] = []
    values: list[Value] = []
    for place, (term, value) in enumerate(terms):
        further = _further(term, value)
        if further is None:
            continue
        same = [(f"{earlier.text} IS {earlier.bound}", known) for earlier, known in terms[:place]]
        ways.append(" AND ".join([text for text, _ in same] + [further[0]]))
        values += [known for _, known in same] + further[1]
    return (f"({' OR '.join(f'({way})' for way in ways)})" if ways else "0"), values


def _further(term: _Term, value: Value) -> _Demand | None:
    """Behind that value in the order of the term; None where nothing is. What is missing is the least."""
    if value is None:
        return None if term.descending else (f"{term.text} IS NOT NULL", [])
    if not term.descending:
        return f"{term.text} > {term.bound}", [value]
    missing = f" OR {term.text} IS NULL" if term.optional else ""
    return f"({term.text} < {term.bound}{missing})", [value]


def _demand(column: Column, demand: Filter) -> _Demand:
    name, value = _quoted(column.name), demand.value
    if isinstance(value, tuple):
        return _any_of(column, value)
    match demand.operator:
        case "=":
            return _equal(column, value)
        case "!=":
            text, values = _equal(column, value)
            return f"NOT {text}", values
        case "<" | "<=" | ">" | ">=":
            return _ordered(column, demand.operator, value)
        case "starts with":
            # By their bytes: for SQLite's functions a text ends at a NUL. And of nothing they have no beginning.
            beginning = f"substr(CAST({name} AS BLOB), 1, ?) = CAST(? AS BLOB)"
            return (beginning, [len(str(value).encode()), value]) if value else (f"{name} IS NOT NULL", [])
        case "in":
            return _any_of(column, (value,))
        case _:
            assert_never(demand.operator)


def _equal(column: Column, value: Value) -> _Demand:
    name = _quoted(column.name)
    if column.kept is Kept.AMOUNT and value is not None:
        near = f"CAST({name} AS REAL) IS CAST(? AS REAL)"
        return f"({near} AND {name} COLLATE {AMOUNT_ORDER} IS ?)", [value, value]
    return f"({name} IS ?)", [value]


def _ordered(column: Column, operator: str, value: Value) -> _Demand:
    name = _quoted(column.name)
    if column.kept is not Kept.AMOUNT:
        return f"{name} {operator} ?", [value]
    cast = f"CAST({name} AS REAL)"
    text = (
        f"({cast} {operator[0]} CAST(? AS REAL) "
        f"OR ({cast} = CAST(? AS REAL) AND {name} COLLATE {AMOUNT_ORDER} {operator} ?))"
    )
    return text, [value, value, value]


def _any_of(column: Column, values: tuple[Value, ...]) -> _Demand:
    if column.kept is Kept.AMOUNT or None in values:
        demands = [_equal(column, value) for value in values]
        return (
            f"({' OR '.join(text for text, _ in demands) or '0'})",
            [value for _, bound in demands for value in bound],
        )
    return f"{_quoted(column.name)} IN ({', '.join('?' * len(values))})", list(values)


def _where(demands: list[_Demand]) -> _Demand:
    text = " AND ".join(text for text, _ in demands)
    return (f" WHERE {text}" if text else ""), [value for _, values in demands for value in values]


def _all(shape: Shape) -> str:
    return _names([column.name for column in shape.columns])


def _names(names: Sequence[str]) -> str:
    return ", ".join(_quoted(name) for name in names)


def _quoted(name: str) -> str:
    """Not in double quotes: what SQLite does not find as a column it then takes for a text."""
    return f"[{name}]"

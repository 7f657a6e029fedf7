"""A view's table as code asks it: by identity, by filter and order, page by page."""

from __future__ import annotations

import typing
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic

import msgspec

from actum.journal.conforming import conform
from actum.journal.errors import Busy, Invalid
from actum.journal.fields import name_of
from actum.journal.readmodel import Filter, Operator, Order, Selection
from actum.projection.paging import Page, after, cursor_of
from actum.projection.place import Place
from actum.projection.view import Plan, ViewT, plan_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.decision.state import Identity
    from actum.journal.readmodel import ReadDatabase, Row, Value
    from actum.projection.cells import Cell

MOST_ROWS = 10_000
"""How many rows one page has at the most."""

MOST_CHOICES = 10_000
"""How many values `in` takes at the most."""

STEP = 500
"""How many rows are fetched at once where somebody iterates."""

_EQUALITY = ("=", "!=", "in")
_OPERATORS: tuple[str, ...] = typing.get_args(Operator)


class Table(Generic[ViewT]):
    """The rows of one view, or those of them that are asked for. Every method leaves it as it is and answers a new one.

    ```python
    rich = balances.where("balance", ">=", Decimal("1000")).order("balance", descending=True)
    page = rich.page(limit=20)
    more = rich.page(limit=20, after=page.next)
    ```

    Without an order, rows come by their key. Amounts are compared as numbers, to the last digit; text by code points.
    """

    def __init__(
        self,
        view: type[ViewT],
        database: ReadDatabase,
        *,
        place: Place[ViewT] | None = None,
        filters: tuple[Filter, ...] = (),
        orders: tuple[Order, ...] = (),
    ) -> None:
        self._plan: Plan[ViewT] = plan_of(view)
        self._database = database
        self._kept: Place[ViewT] = Place(self._plan, database) if place is None else place
        self._filters = filters
        self._orders = orders

    @property
    def view(self) -> type[ViewT]:
        """The class of the rows."""
        return self._plan.cls

    @property
    def current(self) -> bool:
        """Whether the rows were made by this class as it is; False while they are those of another definition of it."""
        return self._kept.current

    @property
    def readable(self) -> bool:
        """Whether there are rows that can be read: not where they are of another definition, with other columns."""
        try:
            self._kept.shape()
        except Busy:
            return False
        return True

    def get(self, *identity: Identity) -> ViewT | None:
        """The row of one thing, None where nothing is known of it. Filters do not count here."""
        key = self._plan.key(self._plan.fold.ids(identity))
        rows = self._kept.ask(lambda shape: self._database.load(shape, [key]))
        return self._plan.view(rows[0]) if rows else None

    def where(self, field: str, operator: Operator, value: object) -> Table[ViewT]:
        """Those of the rows whose field compares so with the value; all demands must hold.

        Operators: `=`, `!=`, `<`, `<=`, `>`, `>=`, `in` (a list of values), `starts with` (text). What is None is found by
        `= None` and never by an inequality. Raises `Invalid` for a field, operator or value that does not fit.
        """
        cell = self._cell(field)
        if operator not in _OPERATORS:
            raise Invalid(f"{self._plan.name}.{field}: no operator {operator!r}; there are {', '.join(_OPERATORS)}")
        demand = Filter(field, operator, self._operand(cell, operator, value, f"{self._plan.name}.{field}"))
        return self._like((*self._filters, demand), self._orders)

    def order(self, field: str, *, descending: bool = False) -> Table[ViewT]:
        """Sorted by a field, after the fields that were named before. What is None comes first, descending last."""
        cell = self._cell(field)
        if not cell.comparable:
            raise Invalid(
                f"{self._plan.name}.{field} is kept as JSON and has no order; the fields are {self._fields()}"
            )
        if any(order.column == field for order in self._orders):
            raise Invalid(f"{self._plan.name} is sorted by {field} already")
        return self._like(self._filters, (*self._orders, Order(field, descending)))

    def _like(self, filters: tuple[Filter, ...], orders: tuple[Order, ...]) -> Table[ViewT]:
        return Table(self.view, self._database, place=self._kept, filters=filters, orders=orders)

    def page(self, *, limit: int = 50, after: str | None = None) -> Page[ViewT]:
        """At most `limit` rows behind the cursor `after`, which an earlier page of the same question gave as its `next`.

        Rows that come, go or change between two pages shift nothing: none is shown twice or left out for it.
        """
        if type(limit) is not int or not 1 <= limit <= MOST_ROWS:
            raise Invalid(f"limit: expected 1 to {MOST_ROWS} rows, found {limit!r}")
        rows = self._rows(limit + 1, None if after is None else self._after(after))
        views = tuple(map(self._plan.view, rows[:limit]))
        return Page(views, cursor_of(self._place(rows[limit - 1]), self._question()) if len(rows) > limit else None)

    def first(self) -> ViewT | None:
        """The first row, None where there is none."""
        rows = self._rows(1, None)
        return self._plan.view(rows[0]) if rows else None

    def count(self, *, most: int | None = None) -> int:
        """How many rows there are. Each is gone through; with `most`, so many at the most, which is the answer where there are more."""
        if most is not None and (type(most) is not int or most < 1):
            raise Invalid(f"most: expected 1 or more rows, found {most!r}")
        return self._kept.ask(lambda shape: self._database.count(shape, self._filters, most=most))

    def __iter__(self) -> Iterator[ViewT]:
        shape = self._kept.shape()  # One table from the first row to the last, whatever is switched meanwhile.
        place: Row | None = None
        while True:
            rows = self._database.select(shape, self._selection(STEP, place))
            yield from map(self._plan.view, rows)
            if len(rows) < STEP:
                return
            place = self._place(rows[-1])

    def __repr__(self) -> str:
        filters = "".join(f".where({f.column!r}, {f.operator!r}, {f.value!r})" for f in self._filters)
        orders = "".join(f".order({o.column!r}{', descending=True' if o.descending else ''})" for o in self._orders)
        return f"Table[{self._plan.name}]{filters}{orders}"

    # Asking the database.

    def _all_orders(self) -> tuple[Order, ...]:
        named = {order.column for order in self._orders}
        return (*self._orders, *(Order(name) for name in self._plan.shape.key if name not in named))

    def _rows(self, limit: int, place: Row | None) -> list[Row]:
        selection = self._selection(limit, place)
        return self._kept.ask(lambda shape: self._database.select(shape, selection))

    def _selection(self, limit: int, place: Row | None) -> Selection:
        return Selection(self._filters, self._all_orders(), place, limit)

    def _place(self, row: Row) -> Row:
        """The row's values in the columns of the order."""
        values = {column.name: value for column, value in zip(self._plan.shape.columns, row, strict=True)}
        return tuple(values[order.column] for order in self._all_orders())

    def _question(self) -> str:
        return repr((self._plan.shape.fingerprint, self._filters, self._all_orders()))

    def _after(self, cursor: str) -> Row:
        columns = [self._plan.shape.column(order.column) for order in self._all_orders()]
        return after(cursor, self._question(), columns=columns)

    # Checking what is asked.

    def _fields(self) -> str:
        return ", ".join(self._plan.cells)

    def _cell(self, field: str) -> Cell:
        cell = self._plan.cells.get(field)
        if cell is None:
            raise Invalid(f"{self._plan.name} has no field {field!r}; it has {self._fields()}")
        return cell

    def _operand(self, cell: Cell, operator: str, value: object, where: str) -> Value | tuple[Value, ...]:
        if value is None and operator in ("=", "!="):
            return None
        if not cell.comparable:
            raise Invalid(f"{where} is kept as JSON: it compares with None only; plain SQL can look into it")
        if operator not in _EQUALITY and not cell.ordered:
            raise Invalid(f"{where}: {name_of(cell.kind)} has no order; use {', '.join(_EQUALITY)}")
        if operator == "starts with" and cell.kind is not str:
            raise Invalid(f"{where}: 'starts with' is for text, this is {name_of(cell.kind)}")
        if operator != "in":
            return _bound(cell, value, where)
        if not isinstance(value, list | tuple | set | frozenset):
            raise Invalid(f"{where}: 'in' takes a list of values, found {value!r:.80}")
        values = list(typing.cast("list[object]", value))
        if len(values) > MOST_CHOICES:
            raise Invalid(f"{where}: 'in' takes {MOST_CHOICES} values at the most, found {len(values)}")
        return tuple(None if one is None else _bound(cell, one, where) for one in values)


def _bound(cell: Cell, value: Any, where: str) -> Value:
    """The value as a cell would hold it. A whole number will do where a broader number is declared."""
    if type(value) is int and cell.kind in (Decimal, float):
        value = cell.kind(value)
    conform(value, cell.kind, where)
    bound = cell.bound(value)
    try:
        msgspec.json.encode(bound)
    except UnicodeEncodeError as wrong:
        raise Invalid(f"{where}: {value!r:.80} cannot be written as UTF-8") from wrong
    return bound

"""A view: a state that is kept, one row for each thing, in a table that plain SQL can read."""

from __future__ import annotations

import copy
import operator
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, dataclass_transform

import msgspec

from actum.decision.state import Fold, State, StateType
from actum.journal.conforming import conform
from actum.journal.errors import Invalid, Misdeclared
from actum.journal.fields import fields_of
from actum.journal.readmodel import Column, Kept, Shape
from actum.projection.cells import Cell, cell_of
from actum.subscription.policy import Policy, checked_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actum.decision.state import Identity
    from actum.journal.codec import Codec
    from actum.journal.query import Query
    from actum.journal.readmodel import Row, Value

RESERVED = "actum_"
"""Tables whose names begin so are actum's own."""

ONLY_ROW = "_row"
"""The key of a view without identities, which has one row."""

_TABLE = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")


@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class ViewType(StateType):
    """What makes a class of views: that of states, and the name of the table."""

    def __new__(
        mcls,
        class_name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        /,
        *,
        table: str | None = None,
        indexed: tuple[str, ...] = (),
        on_failure: Policy | None = None,
        **options: Any,
    ) -> Any:
        made: Any = super().__new__(mcls, class_name, bases, namespace, **options)
        named = snake(class_name) if table is None else table
        made.__table__ = named if _is_ours(made, named) else _checked_table(class_name, named)
        made.__indexed__ = indexed
        made.__policy__ = checked_policy(on_failure, class_name)
        return made


def _is_ours(cls: type, table: str) -> bool:
    """Whether it is a view that actum keeps for itself, under a name that is reserved for that."""
    return cls.__module__.startswith("actum.") and table.startswith(RESERVED)


def snake(name: str) -> str:
    """`TurnoverByDay` as `turnover_by_day`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _checked_table(class_name: str, table: str) -> str:
    if not isinstance(table, str) or not _TABLE.match(table) or table.startswith((RESERVED, "sqlite_")):
        raise Misdeclared(
            f"{class_name}: {table!r} cannot name a table; expected lower-case letters, digits and '_', beginning with "
            f"a letter, 63 at most, not beginning with {RESERVED!r} or 'sqlite_'; say table=…"
        )
    return table


class View(State, metaclass=ViewType):
    """A state that is kept: one row for each thing, always up to date, found by field.

    ```python
    @bank.view
    class Balance(View, table="balances"):
        account: AccountId
        balance: Decimal = Decimal(0)

        def evolve(self, event: Deposited | Withdrawn) -> None: ...
    ```

    The identities are the key of the table, every field is a column of it; the table is called like the class, in snake
    case, unless `table=` says otherwise. Fields named in `indexed=("owner",)` are found and sorted without a look at every
    row. An event that carries two keys changes two rows. A higher `version=`, and any change of the fold, has another table
    built beside the one that is there, and then switched to. `on_failure=park()` puts an event aside that `evolve` cannot
    take, and the later ones of its key; `skip("reason")` passes it over; otherwise the view stands still before it.
    """

    __table__: ClassVar[str]
    __indexed__: ClassVar[tuple[str, ...]]
    __policy__: ClassVar[Policy]


ViewT = TypeVar("ViewT", bound=View)


class Plan(Generic[ViewT]):
    """A view class understood: how it is folded, what its table looks like, and how a row is written and read."""

    def __init__(self, cls: type[ViewT]) -> None:
        self.cls = cls
        self.name = cls.__name__
        self.table = cls.__table__
        self.policy = cls.__policy__
        self.fold: Fold[ViewT] = Fold(cls)
        self.divisible = bool(self.fold.identity)
        """Whether its rows can be divided among workers: there is more than one."""
        self.cells: dict[str, Cell] = {
            name: cell_of(kind, f"{self.name}.{name}") for name, kind in fields_of(cls).items()
        }
        self.events = self.fold.events
        self.begin = None
        self.shape = self._shape()
        self._writers = [
            (place, cell.write) for place, cell in enumerate(self.cells.values()) if cell.write is not None
        ]
        self._readers = [(place, cell.read) for place, cell in enumerate(self.cells.values()) if cell.read is not None]
        self._names = tuple(self.cells)

    def query(self, key: str, codec: Codec) -> Query:
        """The events of a key, by its text."""
        return self.fold.query(codec, self.fold.tags(self.ids_of(key)))

    def ids_of(self, key: str) -> tuple[Identity, ...]:
        """What the text of a key says."""
        return self.fold.parse(key.split("\n") if self.divisible else ())

    def _shape(self) -> Shape:
        if len({name.lower() for name in self.cells}) < len(self.cells):
            raise Misdeclared(f"{self.name}: two fields differ in case only, which columns of a table cannot")
        columns = tuple(Column(name, cell.kept, cell.optional) for name, cell in self.cells.items())
        key = tuple(self.fold.identity)
        for name in key:
            if self.cells[name].optional:
                raise Misdeclared(f"{self.name}.{name} identifies the row, so it cannot be optional")
        if not key:
            columns, key = (*columns, Column(ONLY_ROW, Kept.INTEGER)), (ONLY_ROW,)
        indexed = self._indexed()
        parts = (
            self.table,
            [(c.name, c.kept.value, c.optional) for c in columns],
            key,
            *([indexed] if indexed else []),
        )
        fingerprint = sha256(self.fold.fingerprint + repr(parts).encode()).digest()[:16]
        return Shape(self.table, columns, key, fingerprint, version=self.cls.__fold_version__, indexed=indexed)

    def _indexed(self) -> tuple[str, ...]:
        for name in self.cls.__indexed__:
            if name not in self.cells or not self.cells[name].ordered:
                raise Misdeclared(
                    f"{self.name}: indexed names {name!r}, which is no field with an order; there are {', '.join(self.cells)}"
                )
        return self.cls.__indexed__

    def kept_in(self, table: str) -> Plan[ViewT]:
        """The same, its rows kept in that table, and called by the view's own."""
        made = copy.copy(self)
        made.table = table
        made.shape = msgspec.structs.replace(self.shape, table=table, name=self.table)
        return made

    def key(self, ids: tuple[Identity, ...]) -> Row:
        """The key of a thing's row."""
        if not ids:
            return (1,)
        return tuple(self.cells[name].bound(value) for name, value in zip(self.fold.identity, ids, strict=True))

    def rows(self, views: Sequence[ViewT]) -> list[Row]:
        """The views as rows of their table, a column at a time. `Invalid` for a value that the table cannot hold."""
        columns: list[Iterable[Value]] = []
        for name, cell in self.cells.items():
            values = map(operator.attrgetter(name), views)
            try:
                columns.append(values if cell.write is None else cell.write(list(values)))
            except (AttributeError, Invalid, TypeError, ValueError):
                self._check(name, views)
                raise
        if not self.fold.identity:
            columns.append([1] * len(views))
        return list(zip(*columns, strict=True))

    def _check(self, name: str, views: Sequence[ViewT]) -> None:
        """Say which value does not fit, and where."""
        for view in views:
            conform(getattr(view, name), fields_of(self.cls)[name], f"{view!r:.120}: {name}")

    def view(self, row: Row) -> ViewT:
        """The view that a row stands for."""
        cells: list[Any] = list(row)
        for place, read in self._readers:
            cells[place] = read(cells[place])
        return self.cls(**dict(zip(self._names, cells, strict=False)))

    def ids(self, view: ViewT) -> tuple[Identity, ...]:
        """Which thing it is."""
        return tuple(getattr(view, name) for name in self.fold.identity)


def plan_of(cls: type[ViewT]) -> Plan[ViewT]:
    """The plan of a view class, made once. `Misdeclared` where it is not whole."""
    plan = _PLANS.get(cls)
    if plan is None:
        plan = _PLANS[cls] = Plan(cls)
    return plan


_PLANS: dict[Any, Plan[Any]] = {}

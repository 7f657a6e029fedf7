"""What the address of a page asks for: the fields of a query, filters and order of a view, as of when, after what.

Knows nothing of servers.
"""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import msgspec

from actum.history.as_of import Moment
from actum.http.problem import Problem
from actum.http.said import moment_in
from actum.journal.errors import Invalid
from actum.journal.event import Position, checked_position
from actum.journal.fields import bare, fields_of, name_of
from actum.journal.message import Message, from_json
from actum.journal.readmodel import Operator
from actum.journal.text import is_nested, value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.decision.state import Fold, Identity
    from actum.projection.paging import Page
    from actum.projection.table import Table
    from actum.projection.view import View, ViewT

CONTROLS = ("at", "wait_for", "timeout")
"""Parameters of every question, unless it has a field of that name: then the field has it."""

OPERATORS: dict[str, Operator] = {
    "eq": "=",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "in": "in",
    "starts": "starts with",
}
"""What stands behind a field and a dot, as in `balance.ge=100`; without any, the field equals."""

PAGING = ("order", "limit", "after")
"""Parameters of the rows of a view."""


class Parameters:
    """The parameters of one address. What is asked for is taken out; what is left over at the end is too much."""

    def __init__(self, query: bytes, *, most: int) -> None:
        try:
            pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=most)
        except UnicodeError as wrong:
            raise Invalid("the address is no UTF-8; percent-encode what is not ASCII") from wrong
        except ValueError as wrong:
            raise Invalid(f"the address has more than {most} parameters") from wrong
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def all(self, name: str) -> list[str]:
        """Every value that was given under that name."""
        return self._values.pop(name, [])

    def one(self, name: str) -> str | None:
        """The value under that name. `Invalid` where there are several."""
        values = self.all(name)
        if len(values) > 1:
            raise Invalid(f"{name}: expected one value, found {len(values)}", where=f".{name}")
        return values[0] if values else None

    def names(self) -> list[str]:
        """The names that have not been taken."""
        return list(self._values)

    def finish(self, known: Sequence[str]) -> None:
        """`Invalid` where something is left that nobody asked for."""
        for name in self._values:
            raise Invalid(
                f"there is no parameter {name!r:.80} here; known: {', '.join(known) or 'none'}", where=f".{name}"
            )

    # Single values.

    def number(self, name: str, *, least: int, most: int) -> int | None:
        """A whole number."""
        text = self.one(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
            raise Invalid(
                f"{name}: expected a whole number from {least} to {most}, found {text!r:.80}", where=f".{name}"
            )
        return int(text)

    def position(self, name: str) -> Position | None:
        """A position."""
        text = self.one(name)
        return None if text is None else _position(text, name)

    def seconds(self, name: str, *, most: float) -> float | None:
        """A time span, cut to the longest there is."""
        text = self.one(name)
        if text is None:
            return None
        try:
            seconds = float(text)
        except ValueError:
            seconds = -1.0
        if not seconds >= 0:
            raise Invalid(f"{name}: expected seconds from 0, found {text!r:.80}", where=f".{name}")
        return min(seconds, most)

    def moment(self, name: str) -> Moment | None:
        """A position, or a time with its zone."""
        text = self.one(name)
        if text is None:
            return None
        if text.isascii() and text.isdigit():
            return _position(text, name)
        return moment_in(text.replace(" ", "+"), name)

    def yes(self, name: str) -> bool:
        """Whether it says true."""
        text = self.one(name)
        if text not in (None, "true", "false"):
            raise Invalid(f"{name}: expected true or false, found {text!r:.80}", where=f".{name}")
        return text == "true"


def _position(text: str, name: str) -> Position:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise Invalid(f"{name}: expected a position, found {text!r:.80}", where=f".{name}")
    return checked_position(int(text), name)


class Timing(msgspec.Struct, frozen=True):
    """As of when somebody asks, and what must be shown first."""

    at: Moment | None
    wait_for: Position | None
    timeout: float


def timing_in(parameters: Parameters, *, fields: Sequence[str], longest: float) -> Timing:
    """What the parameters say of that; a field of the question goes before."""
    free = [name for name in CONTROLS if name not in fields]
    timeout = parameters.seconds("timeout", most=longest) if "timeout" in free else None
    return Timing(
        at=parameters.moment("at") if "at" in free else None,
        wait_for=parameters.position("wait_for") if "wait_for" in free else None,
        timeout=min(10.0, longest) if timeout is None else timeout,
    )


def question_in(parameters: Parameters, cls: type[Message], *, controls: Sequence[str] = CONTROLS) -> Message:
    """The query, complete and typed as its class demands. A list is several values, or one that is JSON."""
    kinds = fields_of(cls)
    said: dict[str, Any] = {}
    for name, kind in kinds.items():
        values = parameters.all(name)
        if values:
            said[name] = _field(values, kind, f"{cls.__name__}.{name}")
    parameters.finish([*kinds, *(name for name in controls if name not in kinds)])
    return from_json(msgspec.json.encode(said), cls)


def _field(values: list[str], kind: Any, where: str) -> Any:
    item = _item(kind)
    if item is not None and not (len(values) == 1 and values[0][:1] == "["):
        return [value_of(value, item, where) for value in values]
    if len(values) > 1:
        raise Invalid(f"{where}: expected one value, found {len(values)}", where=where)
    return _optional(values[0], kind, where)


def _item(kind: Any) -> Any:
    """The type of a list's items; None for what is no list."""
    kind = bare(kind)
    if typing.get_origin(kind) in (list, set, frozenset) or (
        typing.get_origin(kind) is tuple and typing.get_args(kind)[-1:] == (Ellipsis,)
    ):
        return typing.get_args(kind)[0]
    return None


def _optional(text: str, kind: Any, where: str) -> msgspec.Raw:
    if is_nested(kind) and text == "null":
        return msgspec.Raw(b"null")
    return value_of(text, kind, where)


class Asked(msgspec.Struct, frozen=True):
    """Which rows of a view somebody wants: filters (field, operator, value), order, how many, behind which cursor."""

    filters: tuple[tuple[str, Operator, Any], ...]
    orders: tuple[tuple[str, bool], ...]
    limit: int
    after: str | None

    def page(self, table: Table[ViewT]) -> Page[ViewT]:
        """They, from that table. `Invalid` where a field, operator or cursor does not fit."""
        for field, operator, value in self.filters:
            table = table.where(field, operator, value)
        for field, descending in self.orders:
            table = table.order(field, descending=descending)
        return table.page(limit=self.limit, after=self.after)


def asked_of(parameters: Parameters, view: type[View], *, rows: int) -> Asked:
    """What the parameters ask for."""
    limit = parameters.number("limit", least=1, most=rows) or min(50, rows)
    after = parameters.one("after")
    words = [word for given in parameters.all("order") for word in given.split(",")]
    kinds = fields_of(view)
    filters = tuple(each for name in parameters.names() for each in _filters(parameters, name, view))
    parameters.finish([*kinds, *(f"FIELD.{operator}" for operator in OPERATORS), *PAGING, *CONTROLS])
    return Asked(filters, tuple((word.removeprefix("-"), word.startswith("-")) for word in words), limit, after)


def _filters(parameters: Parameters, name: str, view: type[View]) -> list[tuple[str, Operator, Any]]:
    """The filters that a parameter stands for; none where it is no filter, so that it is left over."""
    kinds = fields_of(view)
    field, _, suffix = (name, "", "eq") if name in kinds else name.rpartition(".")
    if suffix not in OPERATORS or field not in kinds:
        return []
    operator = OPERATORS[suffix]
    values = [_operand(value, kinds[field], f"{view.__name__}.{field}") for value in parameters.all(name)]
    return [(field, operator, values)] if operator == "in" else [(field, operator, value) for value in values]


def _operand(text: str, kind: Any, where: str) -> Any:
    """The value of a filter, as the field's type has it."""
    try:
        value = msgspec.convert(text, kind, strict=False)
    except (msgspec.ValidationError, ValueError, OverflowError, TypeError) as wrong:
        raise Invalid(f"{where}: expected {name_of(bare(kind))}, found {text!r:.80}", where=where) from wrong
    return value


def identity_in(segments: Sequence[str], fold: Fold[Any]) -> tuple[Identity, ...]:
    """The identity that an address ends with: one segment for each part, each percent-encoded by itself."""
    try:
        return fold.parse(unquote(segment, errors="strict") for segment in segments)
    except UnicodeDecodeError as wrong:
        raise Invalid("the address is no UTF-8; percent-encode what is not ASCII") from wrong
    except Invalid as wrong:
        raise Problem("not-found", str(wrong)) from wrong

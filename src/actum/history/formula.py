"""A formula: how one cell of a state is made of others of the same state, read from the code that makes it.

Nothing is declared. Where `evolve` sets a field to an expression over other fields of `self`, and to nothing else
anywhere, that expression is the field's formula; so is what a property of the class returns.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from actum.decision.state import State, source
from actum.journal.fields import fields_of

if TYPE_CHECKING:
    import ast

Sign: TypeAlias = Literal["+", "-", ""]
"""Added, subtracted, or used in some other way."""


class Term(msgspec.Struct, frozen=True):
    """One cell that a formula reads, and what it does with it."""

    sign: Sign
    column: str


class Formula(msgspec.Struct, frozen=True):
    """The expression as it is written, without `self.`; and the cells that it reads, in order.

    `sum`: it adds and subtracts cells and does nothing else, so that the parts can be added up again.
    """

    text: str
    terms: tuple[Term, ...]
    sum: bool

    def total(self, state: State) -> Any:
        """What the cells of a state add up to, None where they are no sum of numbers."""
        values = [getattr(state, term.column) for term in self.terms]
        if not self.sum or not all(is_number(value) for value in values):
            return None
        signed = (value if term.sign == "+" else -value for term, value in zip(self.terms, values, strict=True))
        first = next(signed)
        return sum(signed, start=first)


def is_number(value: object) -> bool:
    """Whether one can take the difference of two such."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


@cache
def formula_of(cls: type[State], column: str) -> Formula | None:
    """The formula of a cell of that class; None where it is made of events."""
    made = getattr(cls, column, None)
    function, field = (made.fget, "") if isinstance(made, property) else (cls.evolve, column)
    found = source().made_of(function, field)
    return None if found is None else _formula(*found)


def cells_of(cls: type[State]) -> tuple[str, ...]:
    """What can be explained: the fields, and the properties."""
    properties = [
        name
        for base in cls.__mro__
        if base is not State
        for name, made in vars(base).items()
        if _is_property(name, made)
    ]
    return (*fields_of(cls), *dict.fromkeys(properties))


def _is_property(name: str, made: object) -> bool:
    return isinstance(made, property) and not name.startswith("_")


def _formula(expression: ast.expr, me: str) -> Formula:
    import ast  # noqa: PLC0415 - dear to import, and here already

    def terms(node: ast.expr, sign: Sign) -> tuple[Term, ...] | None:
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == me:
                return (Term(sign, attribute),)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as operator, right=right):
                first = terms(left, sign)
                second = terms(right, sign if isinstance(operator, ast.Add) else _opposite(sign))
                return None if first is None or second is None else first + second
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return terms(operand, _opposite(sign))
            case _:
                return None

    text = ast.unparse(expression).replace(f"{me}.", "")
    found = terms(expression, "+")
    if found is not None:
        return Formula(text, found, sum=True)
    reads = [node for node in ast.walk(expression) if isinstance(node, ast.Attribute)]
    used = dict.fromkeys(node.attr for node in reads if isinstance(node.value, ast.Name) and node.value.id == me)
    return Formula(text, tuple(Term("", name) for name in used), sum=False)


def _opposite(sign: Sign) -> Sign:
    return "-" if sign == "+" else "+"

"""An answer: a function from a question and the tables it looks into. What it needs is read from its signature.

`def richest(query: Richest, balances: Table[Balance]) -> Page[Balance]` is asked with a `Richest` and gets the table.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from actum.decision.state import hints_of, source
from actum.journal.conforming import checker
from actum.journal.errors import Misdeclared
from actum.journal.fields import name_of
from actum.projection.query import Query
from actum.projection.table import Table
from actum.projection.view import View, plan_of

Answers: TypeAlias = Callable[..., Any]


class Answer(msgspec.Struct, frozen=True):
    """A function that answers, understood. Made by `answer_of`."""

    query: type[Query[Any]]
    function: Answers
    name: str
    tables: dict[str, type[View]]


def answer_of(function: Answers) -> Answer:
    """The answer that `function` gives. `Misdeclared` where its signature does not say what it needs."""
    what = f"{function.__module__}.{function.__qualname__}"
    hints = hints_of(function, what)
    parameters = source().parameters_of(function)
    query: Any = hints.get(parameters[0]) if parameters else None
    if not _is_query(query):
        raise Misdeclared(f"{what}: expected a query first, as in `def {function.__name__}(query: Richest, …)`")
    if not source().is_ordinary(function, generator=False):
        raise Misdeclared(f"{what}: an answer is an ordinary function that returns what it found")
    checker(query)
    return Answer(query, function, function.__name__, {name: _view(what, name, hints) for name in parameters[1:]})


def _is_query(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Query) and annotation is not Query


def _view(what: str, name: str, hints: dict[str, Any]) -> type[View]:
    annotation = hints.get(name)
    arguments = typing.get_args(annotation)
    cls = arguments[0] if arguments else None
    if typing.get_origin(annotation) is not Table or not (isinstance(cls, type) and issubclass(cls, View)):
        found = "nothing" if annotation is None else name_of(annotation)
        raise Misdeclared(f"{what}: the parameter {name!r} is declared as {found}; expected `{name}: Table[SomeView]`")
    plan_of(cls)
    return cls

"""What the text of a function says, beyond what its types say. Read when an application is declared, never before.

Apart from the rest because the tools for it are dear to import.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any


def parameters_of(function: Any) -> list[str]:
    """The names of a function's parameters, in order."""
    return list(inspect.signature(function).parameters)


def is_ordinary(function: Any, *, generator: bool) -> bool:
    """Whether calling it does the work: no coroutine, and a generator only where that is allowed."""
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return False
    return generator or not inspect.isgeneratorfunction(function)


def forgotten(function: Any, parameter: str, declared: set[str]) -> set[str]:
    """Where the function is one `match` over that parameter: the declared classes for which it has no case."""
    tree = _tree(function)
    matches = [node for node in ast.walk(tree) if isinstance(node, ast.Match)] if tree else []
    if len(matches) != 1 or not (isinstance(matches[0].subject, ast.Name) and matches[0].subject.id == parameter):
        return set()
    named, open_ended = _cases(matches[0])
    return set() if open_ended else declared - named


def code_of(function: Any) -> str:
    """A text that changes with what the function does, and not with its comments, its layout or its place."""
    tree = _tree(function)
    return ast.dump(tree) if tree else repr(function.__code__.co_code)


def _tree(function: Any) -> ast.AST | None:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None


def _cases(match: ast.Match) -> tuple[set[str], bool]:
    """The class names that the cases name, and whether one takes everything."""
    names: set[str] = set()
    open_ended = False
    for case in match.cases:
        for node in ast.walk(case.pattern):
            if isinstance(node, ast.MatchClass):
                names.add(node.cls.attr if isinstance(node.cls, ast.Attribute) else getattr(node.cls, "id", ""))
            elif isinstance(node, ast.MatchAs) and node.pattern is None and node is case.pattern:
                open_ended = open_ended or (case.guard is None and not _never(case))
    return names, open_ended


def _never(case: ast.match_case) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == "assert_never" for part in case.body for node in ast.walk(part)
    )

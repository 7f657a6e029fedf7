"""What the text of a function says, beyond what its types say. Read when an application is declared, never before.

Apart from the rest because the tools for it are dear to import.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from typing import Any, cast


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
    """A text that changes with what the function does, and not with its comments, layout, place, or the Python that reads it."""
    tree = _tree(function)
    return _dump(tree) if tree else repr(function.__code__.co_code)


def codes_of(function: Any, *, owners: tuple[type, ...]) -> list[str]:
    """The same of the function and of those that it calls, as far as they belong to the same program.

    Those are functions of its module and of the modules beside it, and methods that one of the `owners` has.
    """
    found: dict[Any, str] = {}
    waiting = [function]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found[one] = code_of(one)
            waiting += _called(one, function, owners)
    first = found.pop(function)
    return [first, *sorted(found.values())]


def _called(function: Any, by: Any, owners: tuple[type, ...]) -> list[Any]:
    tree = _tree(function)
    if tree is None:
        return []
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    known = getattr(function, "__globals__", {})
    candidates = [known.get(name) for name in names]
    candidates += [inspect.getattr_static(owner, name, None) for owner in owners for name in attributes]
    program = str(by.__module__).partition(".")[0]
    bare = [getattr(each, "fget", None) or getattr(each, "__func__", None) or each for each in candidates]
    return [each for each in bare if inspect.isfunction(each) and str(each.__module__).partition(".")[0] == program]


_WITHOUT_EFFECT = {"ctx", "kind", "type_comment", "type_params", "type_ignores"}


def _dump(node: Any) -> str:
    """`ast.dump`, but for what differs from one Python to the next, and for docstrings."""
    if isinstance(node, list):
        return f"[{', '.join(map(_dump, cast('list[object]', node)))}]"
    if isinstance(node, ast.Constant):
        return f"{type(node.value).__name__} {node.value!r}"
    if not isinstance(node, ast.AST):
        return repr(node)
    said = {name: value for name, value in ast.iter_fields(node) if name not in _WITHOUT_EFFECT}
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) and ast.get_docstring(node) is not None:
        said["body"] = node.body[1:]
    if isinstance(node, ast.JoinedStr):
        said["values"] = [part for part in node.values if not (isinstance(part, ast.Constant) and part.value == "")]
    inside = [f"{name}={_dump(value)}" for name, value in said.items() if value is not None and value != []]
    return f"{type(node).__name__}({', '.join(inside)})"


def made_of(function: Any, field: str) -> tuple[ast.expr, str] | None:
    """The expression over other fields of `self` that the function makes a field of, wherever it sets it, and its word for
    `self`; None where it is set in any other way. Without a field: the expression that the function answers.
    """
    tree = _tree(function)
    own = None if tree is None else next((node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)), None)
    if own is None or not own.args.args:
        return None
    me = own.args.args[0].arg
    found = _answered(own) if field == "" else _assigned(own, me, field)
    if not found or len({ast.dump(each) for each in found}) > 1:
        return None
    reads = {node.attr for node in _fields(found[0], me)}
    names = {node.id for node in ast.walk(found[0]) if isinstance(node, ast.Name)}
    constant = not (names - {me}) & (_locals(own) - {me})
    return (found[0], me) if reads and field not in reads and constant else None


def _answered(own: ast.FunctionDef) -> list[ast.expr]:
    returned = [node for node in ast.walk(own) if isinstance(node, ast.Return)]
    return [node.value for node in returned if node.value is not None]


def _assigned(own: ast.FunctionDef, me: str, field: str) -> list[ast.expr]:
    """Everything that the field is set to; nothing where it is also changed in place, or set together with others."""
    stores = [node for node in _fields(own, me) if node.attr == field and not isinstance(node.ctx, ast.Load)]
    single = [node for node in ast.walk(own) if isinstance(node, ast.Assign) and len(node.targets) == 1]
    plain = [node.value for node in single if any(node.targets[0] is store for store in stores)]
    return plain if len(plain) == len(stores) else []


def _fields(tree: ast.AST, me: str) -> list[ast.Attribute]:
    """Where `self.…` is mentioned."""
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return [node for node in attributes if isinstance(node.value, ast.Name) and node.value.id == me]


def _locals(own: ast.FunctionDef) -> set[str]:
    """The names that mean something else at each call."""
    arguments = {argument.arg for argument in (*own.args.args, *own.args.kwonlyargs)}
    stored = {node.id for node in ast.walk(own) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    captured = {node.name for node in ast.walk(own) if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name}
    return arguments | stored | captured


@functools.lru_cache(maxsize=1024)
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

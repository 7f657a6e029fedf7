"""Purity by reading: what a rule reaches for, found in its code without running it.

`decide` and `evolve` may use what they are given and nothing else: no clock, no chance, no input or output. Running
them twice does not find a clock that stands still between two runs, so their code is read: every global, attribute and
import, through every function of the application that they call. Nothing is patched.
"""

from __future__ import annotations

import dis
import functools
import importlib
import inspect
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

if TYPE_CHECKING:
    from actum.decision.handler import Handler
    from actum.testing.stage import Application

_CLOCK = "bring the time as a field of the command, or use effective_at"
_CHANCE = "draw it outside and bring it as a field of the command"
_WORLD = "look outside, and bring what you found as a field of the command"
_EFFECT = "do that outside, when the event has happened"
_KEY = "use attempt.key, attempt.id() or attempt.random(): they are the same in every attempt"
_OCCASION = {
    _CLOCK: "take an Occasion as the second argument, and use occasion.now",
    _CHANCE: "take an Occasion as the second argument, and use occasion.random() or occasion.id()",
}
_STORED = {
    _CLOCK: "ask for `stored: SequencedEvent`, and use stored.recorded_at",
    _CHANCE: "ask for `stored: SequencedEvent`, and make it from stored.uuid",
}
_HASH = "it is another one in every process; compare the values themselves"


@dataclass(frozen=True)
class _Reach:
    """What is out of reach in a module: these names, or all but those; and what to do instead."""

    advice: str
    only: frozenset[str] = frozenset()
    but: frozenset[str] = frozenset()

    def holds(self, name: str) -> bool:
        return name in self.only if self.only else name not in self.but


def _only(advice: str, *names: str) -> _Reach:
    return _Reach(advice, only=frozenset(names))


_OUTSIDE = frozenset(
    {"aiohttp", "apsw", "asyncio", "concurrent", "ftplib", "glob", "http", "httpx", "locale", "multiprocessing"}
    | {"psycopg", "queue", "redis", "requests", "shutil", "signal", "smtplib", "socket", "_socket", "sqlite3", "ssl"}
    | {"subprocess", "tempfile", "threading", "_thread", "urllib", "urllib3"}
)
_OUT_OF_REACH: dict[str, _Reach] = {
    "time": _Reach(_CLOCK, but=frozenset({"struct_time", "strptime", "mktime"})),
    "datetime": _only(_CLOCK, "datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
    "random": _Reach(_CHANCE),
    "_random": _Reach(_CHANCE),
    "secrets": _Reach(_CHANCE),
    "uuid": _only(_CHANCE, "uuid1", "uuid4", "uuid6", "uuid7", "getnode"),
    "builtins": _only(_WORLD, "open", "input", "eval", "exec", "__import__", "breakpoint"),
    "_io": _only(_WORLD, "open", "FileIO", "TextIOWrapper"),
    "io": _only(_WORLD, "open", "FileIO", "TextIOWrapper"),
    "os": _Reach(_WORLD, but=frozenset({"PathLike", "fspath"})),
    "posix": _Reach(_WORLD),
    "nt": _Reach(_WORLD),
    "genericpath": _Reach(_WORLD),
    "pathlib": _only(_WORLD, "Path", "PosixPath", "WindowsPath"),
    "pathlib._local": _only(_WORLD, "Path", "PosixPath", "WindowsPath"),
    "logging": _Reach(_EFFECT),
    "actum.journal.clock": _only(_CLOCK, "SystemClock", "SystemClock.now", "Uuid7Ids", "Uuid7Ids.new", "Uuid7Ids.salt"),
} | dict.fromkeys(_OUTSIDE, _Reach(_WORLD))
_UNSTEADY = {"print": _EFFECT, "hash": _HASH, "id": _HASH}
_PURE_PARTS = frozenset({"urllib.parse", "http.HTTPStatus"})
_OURS = frozenset({"actum", "msgspec", "pydantic", "pydantic_core", "typing_extensions"})


@dataclass(frozen=True)
class Impurity:
    """Something that a function must not reach for: where, what, and what to do instead."""

    where: str
    reaches: str
    advice: str

    def __str__(self) -> str:
        return f"{self.where} reaches for {self.reaches}: {self.advice}"


def check_purity(app: Application) -> None:
    """Read every rule, state, reaction, projection and schedule of the application; `AssertionError` names whatever is not pure.

    An effect is there to reach outside, and may; only a key that it draws by itself is another one in every attempt.
    """
    __tracebackhide__ = True
    _complain(found_in(app))


def found_in(app: Application) -> list[Impurity]:
    """The same as a list, empty where all is well.

    The handler of a projection writes to its database, and may; what it writes shall be the same when it begins anew.
    """
    found = [one for command in app.commands.values() for one in impurities(app.handler(command))]
    found += [_for_a_reaction(one) for state in app.states.values() for one in _in_class(state)]
    found += [one for schedule in app.schedules.values() for one in _in_function(schedule.make)]
    handled = [one for projection in app.projections.values() for one in _in_handler(projection.handle)]
    found += [replace(one, advice=_STORED[one.advice]) for one in handled if one.advice in _STORED]
    performed = [one for effect in app.effects.values() for one in _in_function(effect.perform)]
    found += [replace(one, advice=_KEY) for one in performed if one.advice == _CHANCE]
    return list(dict.fromkeys(found))


def _for_a_reaction(found: Impurity) -> Impurity:
    """A reaction gets from its occasion what a rule gets from its command."""
    advice = _OCCASION.get(found.advice) if found.where.partition(" ")[0].endswith(".react") else None
    return found if advice is None else replace(found, advice=advice)


def check_rule(handler: Handler) -> None:
    """The same for one rule and the states it reads."""
    __tracebackhide__ = True
    _complain(impurities(handler))


def _complain(found: Iterable[Impurity]) -> None:
    __tracebackhide__ = True
    lines = dict.fromkeys(map(str, found))
    if lines:
        raise AssertionError("\n  ".join(["expected rules that are pure functions, found:", *lines]))


def impurities(handler: Handler) -> tuple[Impurity, ...]:
    """What the rule, the states it reads and the methods of both reach for and should not."""
    classes: list[type] = [handler.command, *(read.fold.cls for read in handler.reads), *handler.produces]
    found = _in_function(handler.decide)
    return tuple(dict.fromkeys((*found, *(one for cls in classes for one in _in_class(cls)))))


@functools.cache
def _in_function(function: Callable[..., Any]) -> tuple[Impurity, ...]:
    return tuple(_read(inspect.unwrap(function), set(), ""))


@functools.cache
def _in_handler(handle: Callable[..., Any]) -> tuple[Impurity, ...]:
    """Of a handler and what it calls of its own package: what its drivers and models do is theirs."""
    raw = inspect.unwrap(getattr(handle, "__func__", handle))
    return tuple(_read(raw, set(), "", within=str(getattr(raw, "__module__", "")).partition(".")[0]))


@functools.cache
def _in_class(cls: type) -> tuple[Impurity, ...]:
    return tuple(one for function in _methods(cls) for one in _read(function, set(), ""))


def _methods(cls: type) -> Iterator[types.FunctionType]:
    """The functions that a class of the application has from its own authors."""
    for owner in cls.__mro__:
        if _is_foreign(owner.__module__):
            continue
        for member in vars(owner).values():
            raw = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
            if isinstance(raw, types.FunctionType):
                yield raw


def _is_foreign(module: str | None) -> bool:
    """Whether code of that module is not the application's own, and judged by its name alone."""
    top = (module or "builtins").partition(".")[0]
    return (top in sys.stdlib_module_names and top != "__main__") or top in _OURS


def _read(function: Any, seen: set[Any], path: str, within: str = "") -> Iterator[Impurity]:
    """Everything out of reach in a function and whatever it calls that is the application's own; `within` one package, if need be."""
    if not isinstance(function, types.FunctionType) or function.__code__ in seen:
        return
    seen.add(function.__code__)
    where = f"{path}{function.__qualname__.replace('<locals>.', '')}"
    for code in _codes(function.__code__):
        for thing, name in _mentions(code, function):
            if thing is _SET_GLOBAL:
                yield Impurity(where, f"the global {name}, to change it", "answer an event; evolve changes the state")
                continue
            yield from _judged(thing, name, where)
            for inner in _callees(thing):
                if not within or str(inner.__module__).partition(".")[0] == within:
                    yield from _read(inner, seen, f"{where} → ", within)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _callees(thing: Any) -> Iterator[Any]:
    if isinstance(thing, types.FunctionType) and not _is_foreign(thing.__module__):
        yield inspect.unwrap(thing)
    elif isinstance(thing, types.MethodType) and not _is_foreign(thing.__func__.__module__):
        yield thing.__func__
    elif isinstance(thing, functools.partial):
        yield from _callees(thing.func)
    elif isinstance(thing, type) and not _is_foreign(thing.__module__):
        yield from (method for method in _methods(thing) if method.__name__ in ("__init__", "__new__", "__post_init__"))


def _judged(thing: Any, name: str, where: str) -> Iterator[Impurity]:
    if isinstance(thing, types.ModuleType):
        return
    module, qualname = _origin(thing)
    if f"{module}.{qualname}" in _PURE_PARTS or module in _PURE_PARTS:
        return
    reach = _OUT_OF_REACH.get(module) or _OUT_OF_REACH.get(module.partition(".")[0])
    if module == "builtins" and qualname in _UNSTEADY:
        yield Impurity(where, name, _UNSTEADY[qualname])
    elif reach is not None and reach.holds(qualname):
        yield Impurity(where, name, reach.advice)


def _origin(thing: Any) -> tuple[str, str]:
    """Where a thing comes from: its module and its name there; for an instance, those of its class."""
    owner = getattr(thing, "__self__", None)
    if owner is not None and not isinstance(owner, types.ModuleType):
        cls = owner if isinstance(owner, type) else type(owner)
        return _home(cls), f"{cls.__qualname__}.{thing.__name__}"
    if isinstance(thing, type | types.FunctionType | types.BuiltinFunctionType):
        return _home(thing), thing.__qualname__
    return _home(type(thing)), type(thing).__qualname__


def _home(thing: Any) -> str:
    return str(getattr(thing, "__module__", None) or "builtins")


_Named: TypeAlias = tuple[Any, str]
_Scope: TypeAlias = dict[str, _Named]

_SET_GLOBAL = object()
_UNKNOWN = object()
_LOADS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT", "LOAD_FAST")
_PASSED_OVER = frozenset({"PUSH_NULL", "CACHE", "RESUME", "PRECALL", "COPY", "NOP", "EXTENDED_ARG", "NOT_TAKEN"})


def _mentions(code: types.CodeType, function: types.FunctionType) -> Iterator[tuple[Any, str]]:
    """Everything that the code names which is not its own: the thing, and how the code calls it."""
    scope = _scope(function)
    aliases: _Scope = {}
    thing, name = _UNKNOWN, ""
    for step in dis.get_instructions(code):
        operation, argument = step.opname, step.argval
        if operation in _PASSED_OVER:
            continue
        if operation in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            yield _SET_GLOBAL, str(argument)
        if operation.startswith("STORE_") and isinstance(argument, str) and thing is not _UNKNOWN:
            aliases[argument] = (thing, name)
            continue
        thing, name = _followed(operation, argument, (thing, name), scope, aliases)
        if thing is not _UNKNOWN:
            yield thing, name


def _followed(operation: str, argument: Any, so_far: _Named, scope: _Scope, aliases: _Scope) -> _Named:
    """What is at hand once this instruction has run: the thing and its name, or nothing known."""
    thing, name = so_far
    if operation == "IMPORT_NAME":
        return _imported(str(argument)), str(argument)
    if operation in ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM", "LOAD_SUPER_ATTR") and thing is not _UNKNOWN:
        found = _attribute(thing, str(argument))
        return found, f"{name}.{argument}"
    if operation.startswith(_LOADS):
        last = str(cast("tuple[object, ...]", argument)[-1] if isinstance(argument, tuple) else argument)
        return (aliases if "_FAST" in operation else scope | aliases).get(last, (_UNKNOWN, ""))
    return _UNKNOWN, ""


def _scope(function: types.FunctionType) -> _Scope:
    """The names that a function's code can mean outside itself: builtins, globals, what it closes over."""
    closed = inspect.getclosurevars(function)
    builtins = {name: (value, name) for name, value in vars(sys.modules["builtins"]).items()}
    around = {name: (value, name) for name, value in function.__globals__.items()}
    return builtins | around | {name: (value, name) for name, value in closed.nonlocals.items()}


def _imported(name: str) -> Any:
    if name in sys.modules:
        return sys.modules[name]
    if name.partition(".")[0] in sys.stdlib_module_names or name.partition(".")[0] in _OUT_OF_REACH:
        try:
            return importlib.import_module(name)
        except ImportError:
            return _UNKNOWN
    return _UNKNOWN


def _attribute(thing: Any, name: str) -> Any:
    """The attribute, without running anything of an instance."""
    if isinstance(thing, types.ModuleType | type):
        return getattr(thing, name, _UNKNOWN)
    found = inspect.getattr_static(thing, name, _UNKNOWN)
    return types.MethodType(found, thing) if isinstance(found, types.FunctionType) else _UNKNOWN


def mutable_globals(function: Callable[..., Any]) -> dict[str, Any]:
    """The lists, dictionaries and sets outside itself that a function names: to see whether it changes them."""
    raw = inspect.unwrap(function)
    if not isinstance(raw, types.FunctionType):
        return {}
    mentioned = {name: thing for code in _codes(raw.__code__) for thing, name in _mentions(code, raw)}
    return {name: thing for name, thing in mentioned.items() if isinstance(thing, list | dict | set | bytearray)}

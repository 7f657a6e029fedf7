"""The rules of the house that a program can check: each a sentence, each naming the place that breaks it."""

from __future__ import annotations

import ast
import inspect
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

from tests.house import PACKAGE, ROOT, Source, faces, length, resolve, shipped, sources

THIS = Path(__file__)
LONGEST_FILE = 600
LONGEST_FUNCTION = 60
LONG_FUNCTION = 25
MOST_NAMES = 30
NO_NAMES = {"base", "common", "core", "helper", "helpers", "manager", "misc", "util", "utils"}


def test_there_are_two_levels_of_folders_and_no_third():
    deep = [source.name for source in shipped() if len(source.path.relative_to(PACKAGE).parts) > 3]
    assert deep == []


def test_every_folder_opens_with_a_sentence():
    folders = {source.path.parent for source in shipped()}
    silent = [str(folder) for folder in folders if not (folder / "__init__.py").is_file()]
    silent += [source.name for source in sources() if source.text and not ast.get_docstring(source.tree)]
    assert silent == []


def test_no_file_is_longer_than_600_lines():
    long = {source.name: source.text.count("\n") for source in sources() if "/testing/" not in source.name}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_longer_than_60_lines():
    long = [
        f"{source.name}:{function.lineno} {function.name}: {length(function)} lines"
        for source in sources()
        for function in source.functions()
        if length(function) > LONGEST_FUNCTION
    ]
    assert long == []


def test_functions_are_short():
    lengths = [length(function) for source in shipped() for function in source.functions()]
    assert statistics.median(lengths) <= 8
    assert sum(lines <= LONG_FUNCTION for lines in lengths) >= 0.9 * len(lengths)


def test_modules_are_named_for_what_they_do():
    vague = [source.name for source in sources() if NO_NAMES & set(source.path.with_suffix("").parts[-2:])]
    assert vague == []


def test_a_face_only_re_exports():
    busy = [f"{source.name}:{node.lineno}" for source in shipped() if source.is_face for node in _busy(source.tree)]
    assert busy == []


def _busy(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        match node:
            case ast.Expr(value=ast.Constant(value=str())) | ast.Import() | ast.ImportFrom():
                continue
            case ast.Assign(targets=[ast.Name(id="__all__")]) | ast.AnnAssign(target=ast.Name(id="__all__")):
                continue
            case _:
                yield node


def test_a_face_lists_exactly_what_it_imports():
    for source in shipped():
        if source.is_face:
            imported = {
                alias.asname or alias.name
                for node in source.tree.body
                if isinstance(node, ast.ImportFrom) and node.module != "__future__"
                for alias in node.names
            }
            assert set(faces()[source.module]) == imported, source.name


def test_the_front_door_has_at_most_thirty_names():
    assert len(faces()["actum"]) <= MOST_NAMES


def test_nothing_inside_imports_from_a_face():
    wrong = [
        f"{source.name}:{node.lineno} from {node.module} import {alias.name}"
        for source in shipped()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "actum"
        for alias in node.names
        if _is_folder(node.module) and not _is_module(f"{node.module}.{alias.name}")
    ]
    assert wrong == []


def _is_folder(module: str) -> bool:
    return PACKAGE.parent.joinpath(*module.split(".")).is_dir()


def _is_module(module: str) -> bool:
    return PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py").is_file() or _is_folder(module)


def test_whatever_is_public_says_what_it_does():
    """A method of an adapter may leave that to its port, where a Protocol describes it; a test says it by its name."""
    described = {method.name for source in shipped() for method in _methods_of_ports(source) if _says(method)}
    silent = [
        f"{source.name}:{node.lineno} {node.name}"
        for source in shipped()
        for node in _public(source.tree.body)
        if not _says(node) and node.name not in described and not node.name.startswith("test_")
    ]
    assert silent == []


def _says(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    return ast.get_docstring(node) is not None


def _methods_of_ports(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases):
            yield from (member for member in node.body if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef))


def _public(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if not any("overload" in ast.unparse(mark) for mark in node.decorator_list):
                yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body)


STATEMENT = re.compile(
    r"\s*(SELECT\s(?!.*\bsqlite_schema\b).*\bFROM\b|WITH\s.*\bAS\b|(INSERT|REPLACE)\s.*\b(VALUES|SELECT)\b"
    r"|UPDATE\s.*\bSET\b|DELETE\s+FROM\b|(CREATE|DROP|ALTER)\s+(TABLE|INDEX|VIEW|VIRTUAL|TRIGGER)\b)",
    re.DOTALL,
)


def test_sql_stands_in_sql_files():
    """But for f-strings, built from the columns of somebody's class, which no file can hold; and for asking a file that
    may not be ours what it holds.
    """
    found = [
        f"{source.name}:{node.lineno}"
        for source in shipped()
        for node in _whole_texts(source.tree)
        if isinstance(node.value, str) and STATEMENT.match(node.value)
    ]
    assert found == []


def _whole_texts(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Constant):
            yield node
        elif not isinstance(node, ast.JoinedStr):
            yield from _whole_texts(node)


def test_every_sql_statement_has_a_name_and_a_comment():
    nameless = [
        f"{path.relative_to(ROOT)}: {statement.strip()[:60]}"
        for path in sorted(PACKAGE.rglob("*.sql"))
        for statement in re.split(r"^(?=-- name: )", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        if not re.match(r"-- name: [a-z][a-z0-9_]*\n-- \S", statement)
    ]
    assert nameless == []


MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError(\(\))?$|# type: ignore(?!\[)|pragma: no cover")


def test_nothing_is_left_for_later():
    marked = [f"{source.name}:{line}" for source in sources() for line in _lines_with(MARKS, source)]
    assert marked == []


UNREAL = re.compile(
    r"pytest\.skip|mark\.skip|skipif|importorskip|mark\.xfail|\bsleep\((?!0\))|mock|monkeypatch\.set|MagicMock"
)


def test_tests_neither_skip_nor_sleep_nor_mock():
    unreal = [f"{source.name}:{line}" for source in _tests() for line in _lines_with(UNREAL, source)]
    assert unreal == []


def _lines_with(pattern: re.Pattern[str], source: Source) -> list[int]:
    if source.path == THIS:
        return []
    return [number for number, line in enumerate(source.text.splitlines(), 1) if pattern.search(line)]


def _tests() -> list[Source]:
    return [source for source in sources() if not source.shipped] + [s for s in shipped() if "/testing/" in s.name]


def test_the_unit_tests_mirror_the_rooms():
    """`tests/unit/journal/test_event.py` is about `actum/journal/event.py`, or a folder `event`, and nothing else is there."""
    strays = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests" / "unit").glob("*/**/test_*.py"))
        if not _is_module(_subject(path))
    ]
    assert strays == []


def _subject(test: Path) -> str:
    room = test.parent.relative_to(ROOT / "tests" / "unit").parts
    return ".".join(("actum", *room, test.stem.removeprefix("test_")))


def test_the_name_of_a_test_is_a_sentence():
    short = [
        f"{source.name}:{function.lineno} {function.name}"
        for source in _tests()
        for function in source.functions()
        if function.name.startswith("test_") and function.name.count("_") < 3
    ]
    assert short == []


DIFFERS = {"actum.Process.react", "actum.State.evolve"}
"""Each state takes events of its own: what the method of them all takes has no name."""


def test_public_signatures_leave_no_type_open():
    open_types = [
        f"{name}: {signature}"
        for name, signature in _signatures()
        if re.search(r"\bAny\b", str(signature)) and name not in DIFFERS
    ]
    assert open_types == []


READ_AS_WRITTEN = {"actum.Table.where"}
"""Where the arguments make a sentence: `where("balance", ">=", 10)`."""


def test_arguments_after_the_subject_are_by_keyword():
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    many = [
        f"{name}{signature}"
        for name, signature in _signatures()
        if sum(each.kind in positional and each.name != "self" for each in signature.parameters.values()) > 2
        and name not in READ_AS_WRITTEN
    ]
    assert many == []


def _signatures() -> Iterator[tuple[str, inspect.Signature]]:
    """Of all functions and methods that a face shows."""
    for face, names in faces().items():
        for name in names:
            shown = resolve(f"{face}.{name}")
            if inspect.isfunction(shown):
                yield f"{face}.{name}", inspect.signature(shown)
            elif inspect.isclass(shown) and not issubclass(shown, Exception):
                for verb, method in vars(shown).items():
                    if inspect.isfunction(method) and (verb == "__init__" or not verb.startswith(("_", "test_"))):
                        yield f"{face}.{name}.{verb}", inspect.signature(method)

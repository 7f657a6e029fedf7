"""What exists is documented, and what is documented exists."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator

from actum.journal import errors
from tests.house import DOCS, PAGES, ROOT, faces, resolve, shipped

REFERENCE = DOCS / "reference"


def test_the_reference_lists_exactly_what_a_face_shows():
    """Each face has a section in `docs/reference/index.md` whose list links every name to where it is described."""
    for face, shown in faces().items():
        listed = {name.rpartition(".")[2]: name for name in _listed(face)} if shown else {}
        assert set(listed) == set(shown), face
        for short, where in listed.items():
            assert resolve(where) is resolve(f"{face}.{short}"), where


def _listed(face: str) -> list[str]:
    text = (REFERENCE / "index.md").read_text(encoding="utf-8")
    section = re.search(rf"^## `{re.escape(face)}`$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"docs/reference/index.md has no section '## `{face}`'"
    return re.findall(r"^- \{py:\w+\}`~?(actum\.[\w.]+)`", section.group(1), re.MULTILINE)


def test_every_error_is_documented_with_what_to_do():
    page = (REFERENCE / "errors.md").read_text(encoding="utf-8")
    tree = {name for name, cls in vars(errors).items() if isinstance(cls, type) and issubclass(cls, Exception)}
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == tree


def test_every_command_and_option_of_the_command_line_is_documented():
    page = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    missing = [name for name in _commands() if name not in page]
    assert missing == []


def _commands() -> Iterator[str]:
    if importlib.util.find_spec("actum.cli.main") is None:
        return
    import click

    from actum.cli.main import main

    def walk(command: click.Command, path: str) -> Iterator[str]:
        yield f"`{path}`"
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                yield max(parameter.opts, key=len)
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                if not inner.hidden:
                    yield from walk(inner, f"{path} {name}")

    yield from walk(main, "actum")


def test_every_setting_from_the_environment_is_documented():
    documented = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    settings = {name for source in shipped() for name in re.findall(r"\bACTUM_[A-Z_]+\b", source.text)}
    assert {name for name in settings if name not in documented} == set()


def test_every_guarantee_names_a_test_that_exists():
    page = (DOCS / "guarantees.md").read_text(encoding="utf-8")
    proofs = re.findall(r"`((?:tests|src)/[\w/]+\.py)::(\w+)(?:::(\w+))?`", page)
    assert proofs, "docs/guarantees.md names no test"
    absent = [
        "::".join(part for part in proof if part)
        for proof in proofs
        if not (ROOT / proof[0]).is_file()
        or any(part and f" {part}" not in (ROOT / proof[0]).read_text(encoding="utf-8") for part in proof[1:])
    ]
    assert absent == []


def test_every_row_of_the_guarantees_has_its_proof():
    page = (DOCS / "guarantees.md").read_text(encoding="utf-8")
    rows = [row for row in page.splitlines() if row.startswith("| ") and not row.startswith(("| ---", "| Guarantee"))]
    assert [row for row in rows if ".py::" not in row] == []


def test_decision_records_are_numbered_and_dated():
    records = sorted((DOCS / "adr").glob("[0-9]*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    undated = [
        record.name for record in records if not re.search(r"\b20\d\d-\d\d-\d\d\b", record.read_text(encoding="utf-8"))
    ]
    assert undated == []


def test_the_changelog_speaks_of_this_version():
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert version
    assert f"## {version.group(1)}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").replace("[", "").replace(
        "]", ""
    )

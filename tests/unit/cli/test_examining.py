"""Verifying, and out and in again, from the shell."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from tests.unit.audit.journals import alter
from tests.unit.cli.conftest import Type, lines_of


def test_a_sound_journal_is_said_to_be_sound(type_: Type):
    result = type_("verify", "--decisions")
    assert (result.exit_code, "✓ sound: 4 events, 4 decisions" in result.stdout) == (0, True)
    (report,) = lines_of(type_("verify", "--decisions", "--json"))
    assert (report["sound"], report["findings"]) == (True, 0)


def test_an_altered_journal_is_found_out(type_: Type, journal: Path):
    alter(
        journal,
        "UPDATE events SET data = CAST(replace(CAST(data AS TEXT), '12.50', '99.50') AS BLOB) WHERE position = 3",
    )
    alter(journal, "UPDATE decisions SET after = 0 WHERE first = 3")
    result = type_("verify", "--decisions")
    assert result.exit_code == 1
    assert "✗ position 3: leaf: expected" in result.stdout
    assert "found one at position 1" in result.stdout
    finding, _, report = lines_of(type_("verify", "--decisions", "--json"))
    assert (finding["position"], report["sound"]) == (3, False)


def test_decisions_by_unknown_rules_are_named(type_: Type, journal: Path):
    alter(journal, "UPDATE handlers SET name = 'older_rule@1' WHERE name = 'deposit@1'")
    result = type_("verify", "--decisions")
    assert (result.exit_code, "older_rule@1" in result.stdout) == (0, True)


def test_a_journal_goes_out_and_comes_back(type_: Type, tmp_path: Path):
    file, other = str(tmp_path / "bank.ndjson"), str(tmp_path / "other.db")
    assert "exported: 4 events, 4 decisions" in type_("export", file).stdout
    assert type_("import", file, "--journal", other, "--dry-run").exit_code == 0
    assert not Path(other).exists()
    assert "imported: 4 events, 4 decisions" in type_("import", file, "--journal", other).stdout
    assert type_("import", file, "--journal", other).exit_code == 0
    assert type_("verify", "--decisions", "--journal", other).exit_code == 0
    assert type_("export", "-", "--journal", other).stdout == Path(file).read_text(encoding="utf-8")


def test_an_export_that_fails_leaves_the_file_as_it_was(type_: Type, journal: Path, tmp_path: Path):
    file = tmp_path / "bank.ndjson"
    file.write_text("what was there")
    alter(journal, "UPDATE events SET data = x'00' WHERE position = 3")
    result = type_("export", str(file))
    assert (result.exit_code, "position 3" in result.stderr) == (4, True)
    assert file.read_text() == "what was there"
    assert list(tmp_path.glob("*.part")) == []


def test_a_file_that_cannot_be_used_is_named(type_: Type, tmp_path: Path):
    for verb in ("export", "import"):
        result = type_(verb, str(tmp_path / "no" / "where"))
        assert result.exit_code in (2, 4)
        assert "no/where" in result.stderr


def test_another_journals_archive_is_turned_down(type_: Type, journal: Path, tmp_path: Path):
    file, other = str(tmp_path / "bank.ndjson"), str(tmp_path / "other.db")
    type_("send", "Open", "account=B", "owner=B", "--journal", other)
    type_("export", file)
    result = type_("import", file, "--journal", other)
    assert (result.exit_code, "journal of its own" in result.stderr) == (2, True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_the_file_holds_nothing_is_half_written(type_: Type, tmp_path: Path, data: st.DataObject):
    good = tmp_path / "good.ndjson"
    if not good.exists():
        type_("export", str(good))
    content = good.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    bad, target = tmp_path / "bad.ndjson", tmp_path / "target.db"
    bad.write_bytes(content[:start] + data.draw(st.binary(max_size=20)) + content[end:])
    result = type_("import", str(bad), "--journal", str(target))
    if bad.read_bytes() != content:
        assert result.exit_code in (2, 4)
        assert result.stderr.startswith("actum: ")
        assert not target.exists()
    else:
        assert result.exit_code == 0
        for file in tmp_path.glob("target.db*"):
            file.unlink()

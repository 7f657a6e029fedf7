"""Journals as whole things, from the shell: made, inspected, copied."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Type, lines_of


def test_a_journal_is_made_once(type_: Type, tmp_path: Path):
    new = str(tmp_path / "new.db")
    (made,) = lines_of(type_("journal", "create", "--json", "--journal", new))
    assert made["created"] == new
    again = type_("journal", "create", "--journal", new)
    assert (again.exit_code, "is a journal at" in again.stderr) == (2, True)
    (report,) = lines_of(type_("verify", "--json", "--journal", new))
    assert (report["sound"], report["origin"], report["head"]) == (True, made["origin"], 0)


def test_a_role_is_nothing_that_a_file_could_admit(type_: Type, tmp_path: Path):
    result = type_("journal", "create", "--journal", str(tmp_path / "new.db"), "--admit", "clerk")
    assert (result.exit_code, "roles are a server's" in result.stderr) == (2, True)
    assert not (tmp_path / "new.db").exists()


def test_a_journal_that_is_up_to_date_is_said_to_be_so(type_: Type):
    (done,) = lines_of(type_("journal", "migrate", "--json"))
    assert done["from"] == done["to"]
    assert "was up to date" in type_("journal", "migrate").stdout


def test_the_index_is_written_anew(type_: Type):
    assert type_("journal", "reindex").stdout == "✓ written anew: 4 events\n"
    (done,) = lines_of(type_("journal", "reindex", "--json"))
    assert done["until"] == 4


def test_size_rate_and_lag_are_shown(type_: Type, journal: Path):
    type_("views", "list")
    (found,) = lines_of(type_("journal", "inspect", "--json"))
    assert (found["head"], found["recent"]) == (4, 4)
    assert found["size"]["bytes"] >= journal.stat().st_size
    assert found["views"]["behind"] == {"balances": 4}
    type_("ask", "Richest")
    shown = type_("journal", "inspect")
    assert shown.exit_code == 0
    assert "4 events, 4 within the last hour" in shown.stdout
    assert "balances: up to date" in shown.stdout


def test_inspecting_migrating_or_indexing_what_is_not_there_makes_nothing(type_: Type, tmp_path: Path):
    for verb in ("inspect", "migrate", "reindex"):
        result = type_("journal", verb, "--journal", str(tmp_path / "nowhere.db"))
        assert (result.exit_code, "there is no journal" in result.stderr) == (4, True)
    assert not (tmp_path / "nowhere.db").exists()


def test_a_journal_is_copied_and_once_more_where_it_went_on(type_: Type, journal: Path, tmp_path: Path):
    copy = str(tmp_path / "copy.db")
    assert "✓ copied and compared: 4 events, 4 decisions" in type_("journal", "copy", str(journal), copy).stdout
    type_("send", "Deposit", "account=A-2", "amount=1.00")
    (manifest,) = lines_of(type_("journal", "copy", str(journal), copy, "--json"))
    assert manifest["events"] == 5
    (report,) = lines_of(type_("verify", "--decisions", "--json", "--journal", copy))
    assert (report["sound"], report["origin"]) == (True, manifest["origin"])


def test_a_password_on_the_command_line_is_warned_of_and_not_repeated(type_: Type):
    result = type_("events", "list", "--journal", "postgresql://me:sesame@127.0.0.1:1/bank")
    assert result.exit_code == 4
    assert "the list of processes shows the password" in result.stderr
    assert "sesame" not in result.output + result.stderr
    silent = type_("events", "list", ACTUM_JOURNAL="postgresql://me:sesame@127.0.0.1:1/bank")
    assert silent.exit_code == 4
    assert "sesame" not in silent.output + silent.stderr
    assert "list of processes" not in silent.stderr

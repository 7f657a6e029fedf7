"""Processes and timers from the shell."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from actum.cli.main import main
from tests.house import ROOT
from tests.unit.cli.bank import bank
from tests.unit.cli.conftest import Type, lines_of


def test_instances_are_listed_those_that_need_help_first(shell: Type):
    listed = lines_of(shell("processes", "list", "--json"))
    assert [(row["instance"], row["status"]) for row in listed] == [
        ("Payout/bad", "parked"),
        ("Payout/doubtful", "open"),
    ]
    assert len(lines_of(shell("processes", "list", "--all", "--json"))) == 3
    shown = shell("processes", "list").stdout
    assert "ZeroDivisionError: bad payout" in shown
    assert "1 of 2 rows" in shell("processes", "list", "-n", "1").stderr


def test_those_that_are_silent_are_found_and_no_others(shell: Type):
    assert [row["instance"] for row in lines_of(shell("processes", "list", "--stuck", "0s", "--json"))] == [
        "Payout/doubtful"
    ]
    assert lines_of(shell("processes", "list", "--stuck", "1h", "--json")) == []
    assert shell("processes", "list", "--stuck", "soon").exit_code == 2


def test_what_is_parked_is_retried_or_discarded_with_a_reason(shell: Type):
    assert "will be tried again" in shell("processes", "retry", "Payout/bad", "--reason", "mended").stdout
    (row,) = [row for row in lines_of(shell("processes", "list", "--json")) if row["status"] == "parked"]
    assert row["due"].startswith("1970")
    done = lines_of(shell("processes", "discard", "Payout/bad", "--reason", "a test", "--json"))
    assert done[0]["position"] > 0
    assert [row["status"] for row in lines_of(shell("processes", "list", "--json"))] == ["open", "open"]
    refused = shell("processes", "discard", "Payout/bad", "--reason", "again")
    assert (refused.exit_code, "nothing is parked" in refused.stderr) == (1, True)


def test_timers_are_listed_the_next_one_first(shell: Type):
    set_ = lines_of(shell("timers", "--json"))
    assert [row["name"] for row in set_] == ["close_the_day", "overdue"]
    assert set_[1]["instance"] == "Payout/doubtful"
    assert {row["status"] for row in lines_of(shell("timers", "--all", "--json"))} == {"set", "cancelled"}
    assert "close_the_day" in shell("timers").stdout


def test_a_process_is_a_state_whose_life_is_told(shell: Type):
    assert "ended" in shell("entity", "Payout", "good").stdout


def test_an_application_that_does_nothing_by_itself_says_so(tmp_path: Path):
    journal = tmp_path / "bank.db"
    bank.open(journal, actor="web", follow=False).close()
    words = ["processes", "list", "--app", "tests.unit.cli.bank:bank", "--journal", str(journal)]
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 2
    assert "no process, effect or schedule" in result.stderr


def test_what_todays_code_would_ask_for_is_compared_with_what_is_on_record(
    shell: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    same = shell("processes", "compare")
    assert (same.exit_code, "today's code reacts as is on record" in same.stdout) == (0, True)
    code = (ROOT / "tests/unit/cli/payouts.py").read_text(encoding="utf-8")
    (tmp_path / "newer_payouts.py").write_text(code.replace("days=2", "days=3"), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    other = shell("processes", "compare", "Payout", "--app", "newer_payouts:payouts")
    assert other.exit_code == 1
    assert "Payout/good on Asked" in other.stdout
    found = lines_of(shell("processes", "compare", "--app", "newer_payouts:payouts", "--json"))
    assert [(one["instance"], one["steady"]) for one in found] == [("Payout/good", True), ("Payout/doubtful", True)]

"""Views from the shell."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Type, lines_of


def test_views_are_listed_with_how_far_they_have_come(type_: Type):
    type_("views", "digest")
    (listed,) = lines_of(type_("views", "list", "--json"))
    at = {"version": 1, "rows": 2, "position": 4, "behind": 0}
    assert listed == {"view": "Balance", "table": "balances", **at}
    assert "balances" in type_("views", "list").stdout


def test_the_status_says_how_far_behind_each_share_is_and_who_holds_it(type_: Type):
    (before,) = lines_of(type_("views", "status", "--json"))
    (share,) = before["shares"]
    assert (before["name"], before["behind"], share["behind"], share["owner"]) == ("Balance", 4, 4, "")
    assert share["slices"] == {"low": 0, "high": 1023}
    assert share["seconds"] > 0
    type_("views", "digest")
    (after,) = lines_of(type_("views", "status", "--json"))
    assert (after["position"], after["behind"], after["seconds"]) == (4, 0, 0.0)
    assert type_("views", "status").stdout.splitlines()[1].split() == [
        "Balance",
        "0-1023",
        "4",
        "0",
        "0.0",
        "nobody",
    ]


def test_rows_are_shown_all_or_one(type_: Type):
    assert lines_of(type_("views", "show", "Balance", "A-1", "--json")) == [
        {"account": "A-1", "owner": "Léa Dupré", "balance": "12.50"}
    ]
    by_balance = lines_of(type_("views", "show", "balances", "--order", "balance", "--descending", "--json"))
    assert [row["account"] for row in by_balance] == ["A-1", "A-2"]
    assert "1 of 2 rows" in type_("views", "show", "Balance", "-n", "1").stderr
    assert type_("views", "show", "Balance", "A-9").stdout == "nothing\n"


def test_a_deleted_read_database_comes_back_the_same(type_: Type, journal: Path):
    before = type_("views", "digest").stdout
    for file in journal.parent.glob("*.views.db*"):
        file.unlink()
    assert type_("views", "digest").stdout == before
    assert "as of position 4, is live" in type_("views", "rebuild", "Balance", "--switch").stdout
    assert type_("views", "digest", "Balance").stdout == before


def test_a_view_that_is_not_there_is_said_to_be_unknown(type_: Type):
    for verb in ("show", "rebuild", "digest"):
        result = type_("views", verb, "Nothing")
        assert (result.exit_code, "known: Balance" in result.stderr) == (2, True)

"""Events searched for at the command line."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Type, lines_of


def test_events_are_found_and_an_index_is_kept_beside_the_journal(type_: Type, journal: Path):
    result = type_("search", "genève", "actor:teller-7")
    assert result.exit_code == 0
    assert "Deposited" in result.stdout
    assert journal.with_suffix(".search.db").exists()
    found = lines_of(type_("search", "type:Opened", "--json"))
    assert [event["position"] for event in found] == [2, 1]


def test_nothing_found_is_said_with_an_exit_code(type_: Type):
    result = type_("search", "nothing-like-it")
    assert (result.exit_code, "nothing was found" in result.stderr) == (1, True)
    assert type_("search", "after:noon").exit_code == 2


def test_a_page_says_where_the_next_one_begins(type_: Type):
    assert "--before 4" in type_("search", "-n", "1").stderr
    (event,) = lines_of(type_("search", "-n", "1", "--before", "4", "--json"))
    assert event["position"] == 3


def test_a_story_is_told(type_: Type):
    (deposited,) = lines_of(type_("search", "type:Deposited", "--json"))
    shown = type_("story", deposited["metadata"]["command"]).stdout
    assert "Deposit  teller-7" in shown
    assert "Deposited  account:A-1" in shown
    (told,) = lines_of(type_("story", deposited["metadata"]["command"], "--json"))
    assert told == deposited
    assert type_("story", "01a21d22-58eb-720d-900c-d10df3bfb057").exit_code == 1

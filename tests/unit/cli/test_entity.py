"""One thing and its life."""

from __future__ import annotations

import pytest

from tests.unit.cli.conftest import Type, lines_of


def test_a_life_is_told_with_what_each_event_changed(type_: Type):
    shown = type_("entity", "Account", "A-1").stdout
    assert "open false → true" in shown
    assert "balance 0 → 12.50" in shown
    steps = lines_of(type_("entity", "Account", "A-1", "--json"))
    assert [step["changes"] for step in steps] == [
        {"open": {"before": False, "after": True}},
        {"balance": {"before": "0", "after": "12.50"}},
    ]


def test_a_thing_to_which_nothing_has_happened_is_said_to_be_so(type_: Type):
    result = type_("entity", "Account", "A-7")
    assert "nothing has happened to Account A-7" in result.stderr
    assert "nothing" not in type_("entity", "Account", "A-1").stderr


def test_a_view_has_a_life_too(type_: Type):
    assert "owner  → Léa Dupré" in type_("entity", "Balance", "A-1").stdout.replace('""', "")


def test_a_state_is_shown_as_of_a_moment(type_: Type):
    assert lines_of(type_("state", "Account", "A-1", "--json")) == [{"id": "A-1", "open": True, "balance": "12.50"}]
    assert lines_of(type_("state", "Account", "A-1", "--at", "2", "--json"))[0]["balance"] == "0"
    assert lines_of(type_("state", "Account", "A-1", "--at", "7d", "--json"))[0]["open"] is False


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("Accounts", "A-1"), "known: Account, Balance"),
        (("Account",), "identified by id"),
        (("Account", "A-1", "A-2"), "identified by id"),
        (("Account", "A-1", "--at", "99"), "from the future"),
        (("Account", "A-1", "--at", "noon"), "expected a time like"),
    ],
)
@pytest.mark.parametrize("verb", ["state", "entity"])
def test_what_cannot_be_is_refused_in_words(type_: Type, verb: str, words: tuple[str, ...], says: str):
    result = type_(verb, *words)
    assert (result.exit_code, says in result.stderr) == (2, True)

"""Events one by one."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.unit.cli.conftest import Type, lines_of


def test_events_are_listed_in_order(type_: Type):
    assert [event["position"] for event in lines_of(type_("events", "list", "--json"))] == [1, 2, 3, 4]
    assert [event["position"] for event in lines_of(type_("events", "list", "--json", "-n", "2"))] == [3, 4]
    assert [event["position"] for event in lines_of(type_("events", "list", "--json", "-n", "1", "--after", "1"))] == [
        2
    ]


@pytest.mark.parametrize("verb", [("events", "list"), ("tail", "--no-follow")])
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--type", "Deposit"), "no event is of the type Deposit; there are Deposited, Opened, actum.refused"),
        (("--after", "9"), "the journal ends at position 4"),
        (("--tag", "account:A-7"), "nothing was found"),
    ],
)
def test_where_none_is_there_it_says_what_there_is(
    type_: Type, verb: tuple[str, str], words: tuple[str, str], says: str
):
    result = type_(*verb, *words)
    assert (result.exit_code, result.stdout) == (0, "")
    assert says in result.stderr


def test_an_event_is_shown_with_its_envelope_its_data_and_its_decision(type_: Type):
    shown = type_("events", "show", "3").stdout
    for part in ("Deposited (version 1)", "account:A-1", "teller-7", "guichet de Genève", '"amount": "12.50"', "✓"):
        assert part in shown
    for part in ("today Deposited@1", "deposit@1", "position 2", "Deposited | Opened with account:A-1"):
        assert part in shown


def test_an_event_is_found_by_its_id(type_: Type):
    (event,) = lines_of(type_("events", "show", "3", "--json"))
    (again,) = lines_of(type_("events", "show", event["id"], "--json"))
    assert again == event
    assert (event["intact"], event["decision"]["after"], event["decision"]["handler"]) == (True, 2, "deposit@1")
    assert event["today"][0]["data"] == {"account": "A-1", "amount": "12.50"}


@pytest.mark.parametrize(
    "name", ["0", "5", "99999999999999999999999", str(UUID(int=7)), str(UUID(int=2**128 - 1)), "first", "-1"]
)
def test_an_event_that_is_not_there_is_said_to_be_unknown(type_: Type, name: str):
    result = type_("events", "show", "--", name)
    assert result.exit_code == 2
    assert result.stderr.startswith("actum: ")

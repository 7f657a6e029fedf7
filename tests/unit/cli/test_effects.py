"""Effects from the shell."""

from __future__ import annotations

from tests.unit.cli.conftest import Type, lines_of


def only(shell: Type) -> str:
    (row,) = lines_of(shell("effects", "list", "--json"))
    return str(row["effect"])


def test_effects_that_are_not_over_are_listed_unknown_ones_first(shell: Type):
    (row,) = lines_of(shell("effects", "list", "--json"))
    assert (row["request_type"], row["status"], row["attempt"]) == ("SendMoney", "unknown", 1)
    listed = lines_of(shell("effects", "list", "--all", "--json"))
    assert [row["status"] for row in listed] == ["unknown", "done"]
    assert "TimeoutError: no answer" in shell("effects", "list").stdout


def test_a_person_says_what_the_answer_was(shell: Type):
    effect = only(shell)
    said = shell("effects", "resolve", effect, "Sent", "payout=doubtful", "receipt=r-2", "--reason", "asked them")
    assert f"{effect} is done" in said.stdout
    assert lines_of(shell("effects", "list", "--json")) == []
    assert [row["data"]["receipt"] for row in lines_of(shell("events", "list", "--type", "Sent", "--json"))] == [
        "r-1",
        "r-2",
    ]


def test_an_answer_that_there_is_not_is_said_to_be_unknown(shell: Type):
    effect = only(shell)
    for words in (("Nothing",), ("Asked", "payout=doubtful")):
        result = shell("effects", "resolve", effect, *words, "--reason", "asked them")
        assert result.exit_code == 2, words


def test_a_person_has_it_tried_again_or_gives_it_up(shell: Type):
    effect = only(shell)
    assert "will be tried again" in shell("effects", "retry", effect, "--reason", "they were down").stdout
    (row,) = lines_of(shell("effects", "list", "--json"))
    assert row["status"] == "requested"
    assert "is discarded" in shell("effects", "discard", effect, "--reason", "too late").stdout
    assert lines_of(shell("effects", "list", "--json")) == []
    assert shell("effects", "retry", effect, "--reason", "after all").exit_code == 1

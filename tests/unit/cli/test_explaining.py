"""A number explained at the command line."""

from __future__ import annotations

import pytest

from tests.unit.cli.conftest import Type, lines_of


def test_a_number_is_told_by_its_movements(type_: Type):
    type_("views", "show", "Balance")  # brings the table up to date
    shown = type_("explain", "Balance", "A-1", "balance")
    assert shown.exit_code == 0
    assert "balance = 12.50" in shown.stdout
    assert "+12.50 → 12.50" in shown.stdout
    assert "teller-7" in shown.stdout
    assert "(guichet de Genève)" in shown.stdout


def test_a_machine_gets_the_whole_of_it(type_: Type):
    (found,) = lines_of(type_("explain", "Balance", "A-1", "balance", "--at", "3", "--since", "2", "--json"))
    assert (found["value"], found["opening"], found["exact"], found["moved"]) == ("12.50", "0", True, 1)
    assert found["movements"][0]["event"]["position"] == 3
    assert found["movements"][0]["delta"] == "12.50"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("Balances", "A-1", "balance"), "known: Account, Balance"),
        (("Balance", "balance"), "identified by account"),
        (("Balance", "A-1", "blance"), "known: account, owner, balance"),
    ],
)
def test_what_cannot_be_is_refused_in_words(type_: Type, words: tuple[str, ...], says: str):
    result = type_("explain", *words)
    assert (result.exit_code, says in result.stderr) == (2, True)

"""What a load gives: commands of every kind, made up from their types, the same for the same seed."""

from __future__ import annotations

import itertools
from random import Random

from actum.host.loading import Given, chosen, made_up, undecided
from tests.unit.host.shop import Book, Order, Stock, system


def some(seed: int) -> list[object]:
    return [wish.command for wish in itertools.islice(made_up(system, Random(seed)), 200)]


def test_made_up_commands_are_of_all_kinds_and_spread_over_identities():
    commands = some(1)
    assert {type(command) for command in commands} >= {Stock, Order, Book}
    assert len({command.item for command in commands if isinstance(command, Stock)}) > 10
    assert some(1) == commands
    assert some(2) != commands


def test_what_is_named_is_given_instead():
    wishes = chosen(system, "here:there", Random(1), lambda name: lambda chance: [f"{name} {chance.random():.1f}"])
    assert list(wishes) == ["here:there 0.1"]


def test_an_answer_says_whether_one_knows():
    def answered(status: int, problem: str = "") -> Given:
        return Given("shop", "key", b"", 0.0, status=status, problem=problem)

    known = [answered(200), answered(422, "refused"), answered(503, "service-off"), answered(400, "invalid")]
    unknown = [answered(0), answered(504, "outcome-unknown"), answered(503, "busy"), answered(503, "unavailable")]
    assert [undecided(one) for one in (*known, *unknown)] == [False] * 4 + [True] * 4
    assert [one.acknowledged for one in known] == [True, True, False, False]
    assert [one.turned_down for one in known] == [False, False, True, False]

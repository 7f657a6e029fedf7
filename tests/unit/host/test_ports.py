"""Ports come from names, stay the same, and make way for whoever is there already."""

from __future__ import annotations

import socket

import pytest

from actum import Unavailable
from actum.host.ports import FIRST, SPAN, is_free, next_free, port_of, ports_for

NAMES = [f"{context}/{part}" for context in ("accounts", "assets") for part in ("commands", "queries")]


def everything(_: int) -> bool:
    return True


def test_the_same_names_have_the_same_ports_whatever_their_order():
    given = ports_for("bank", NAMES, free=everything)
    assert given == ports_for("bank", reversed(NAMES), free=everything)
    assert len(set(given.values())) == len(NAMES)
    assert all(FIRST <= port < FIRST + SPAN for port in given.values())
    assert given["accounts/commands"] == port_of("bank", "accounts/commands")


def test_names_that_fall_on_one_port_get_neighbours_the_first_in_the_alphabet_its_own():
    names = [str(number) for number in range(400)]
    homes = {name: port_of("x", name) for name in names}
    first, second = next((a, b) for a in names for b in names if a < b and homes[a] == homes[b])
    assert ports_for("x", [second, first], free=everything) == {first: homes[first], second: homes[first] + 1}


def test_what_a_piece_had_before_it_has_again():
    assert ports_for("bank", NAMES, known={"assets/queries": 15_007}, free=everything)["assets/queries"] == 15_007


def test_a_port_that_somebody_listens_on_is_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not is_free(taken.getsockname()[1])
    own = port_of("bank", "a")
    assert ports_for("bank", ["a"], free=lambda port: port != own) == {"a": own + 1}


def test_where_no_port_is_free_it_is_said():
    with pytest.raises(Unavailable, match="no port between 15000"):
        next_free(15_000, taken=set(), free=lambda _: False)

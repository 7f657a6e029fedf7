"""What is to run follows from the system and from what is said on the command line."""

from __future__ import annotations

import pytest

from actum import Invalid, Unknown
from actum.host.plan import Described, external, pieces_of, scaled

BANK = Described("bank", ("accounts/commands", "accounts/projections", "accounts/queries", "assets/queries"), page=True)


def test_whoever_is_asked_by_others_begins_before_them():
    names = [piece.name for piece in pieces_of(BANK)]
    assert names == ["accounts/queries", "assets/queries", "accounts/projections", "accounts/commands", "page"]


def test_a_service_that_runs_as_several_is_numbered():
    pieces = pieces_of(BANK, scale=scaled(BANK, ["projections=2"]))
    assert [piece.name for piece in pieces if piece.service == "accounts/projections"] == [
        "accounts/projections.1",
        "accounts/projections.2",
    ]
    assert scaled(BANK, ["queries=2", "assets/queries=3"]) == {"accounts/queries": 2, "assets/queries": 3}


def test_a_service_that_runs_elsewhere_is_named_with_its_address():
    assert external(BANK, ["assets/queries=http://10.0.0.7:9000/"]) == {"assets/queries": "http://10.0.0.7:9000"}


@pytest.mark.parametrize("said", ["projections", "projections=0", "projections=x", "projections=65"])
def test_a_scale_that_is_none_is_said_in_one_sentence(said: str):
    with pytest.raises(Invalid, match="NAME=N"):
        scaled(BANK, [said])


def test_a_name_that_is_no_service_is_told_with_those_there_are():
    with pytest.raises(Unknown, match="accounts/commands"):
        scaled(BANK, ["quarries=2"])
    with pytest.raises(Unknown, match="accounts/commands"):
        external(BANK, ["quarries=http://10.0.0.7:9000"])
    with pytest.raises(Invalid, match="http://HOST:PORT"):
        external(BANK, ["assets/queries=10.0.0.7"])

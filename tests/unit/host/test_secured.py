"""A security by its name: what it keeps lies where the system may write."""

from pathlib import Path

import pytest

from actum.host.secured import Secured
from actum.http.policy import Policy
from actum.http.security import Security

here = Security(Policy(), identities="identities.db", access="seen/access.db")
there = Security(Policy(), identities="/srv/identities.db", access="postgresql://db/access")
nowhere = Security(Policy(), identities="memory:", access="memory:")


@pytest.mark.parametrize(
    ("named", "identities", "access"),
    [
        ("here", "data/identities.db", "data/seen/access.db"),
        ("there", "/srv/identities.db", "postgresql://db/access"),
        ("nowhere", "memory:", "memory:"),
    ],
)
def test_a_journal_without_a_folder_lies_in_that_of_the_data(named: str, identities: str, access: str):
    found = Secured(f"{__name__}:{named}").load(data=Path("data"))
    assert (found.identities, found.access) == (identities, access)


def test_without_data_it_lies_where_the_program_runs():
    assert Secured(f"{__name__}:here").load() == here


def test_what_is_said_of_the_way_takes_the_place_of_what_is_declared():
    found = Secured(f"{__name__}:here", "https://shop.example", ("10.0.0.7",)).load(data=Path("data"))
    assert (found.public_url, found.proxies) == ("https://shop.example", ("10.0.0.7",))

"""From where somebody comes is said by whoever is trusted, and by nobody else."""

from __future__ import annotations

import pytest

from actum.http.proxied import networks, origin_address, origin_of

TRUSTED = networks(("10.0.0.0/24", "::1"))


@pytest.mark.parametrize(
    ("client", "said", "found"),
    [
        ("203.0.113.9", ["6.6.6.6"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6"], "6.6.6.6"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.9:4711, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6", "[2001:db8::1]:80"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["6.6.6.6, unknown, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [], "10.0.0.1"),
        (None, ["6.6.6.6"], None),
        ("testclient", ["6.6.6.6"], "testclient"),
    ],
)
def test_it_is_the_last_address_on_the_way_that_is_not_trusted(client: str | None, said: list[str], found: str | None):
    headers = [(b"x-forwarded-for", line.encode()) for line in said]
    assert origin_address(client, headers, TRUSTED) == found
    assert origin_address(client, headers, ()) == client


def test_an_origin_is_said_as_browsers_say_it():
    assert origin_of("https://Bank.example:443/") == "https://bank.example"
    assert origin_of("http://[::1]:8000") == "http://[::1]:8000"

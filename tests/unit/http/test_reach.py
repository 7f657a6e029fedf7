"""A door without authentication answers this machine only, under its own names."""

from __future__ import annotations

from typing import Any

import pytest

from actum.http.problem import Problem
from actum.http.reach import check_reach, is_loopback


def scope(server: Any) -> dict[str, Any]:
    return {"type": "http", "server": server}


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:80", "[::1]:8000", "[::1]", "LOCALHOST", None]
)
def test_this_machine_is_answered(address: str, host: str | None):
    check_reach(scope((address, 8000)), host)


@pytest.mark.parametrize("address", ["192.168.1.4", "10.0.0.1", "2001:db8::1", "0.0.0.0"])
def test_what_comes_in_from_elsewhere_is_not(address: str):
    with pytest.raises(Problem, match="no authentication"):
        check_reach(scope((address, 8000)), "localhost")


def test_what_a_gateway_brings_from_elsewhere_is_not():
    for client in (("203.0.113.9", 0), ("2001:db8::1", 0)):
        with pytest.raises(Problem, match="no authentication"):
            check_reach(scope(("127.0.0.1", 8000)) | {"client": client}, "localhost")
    for here in (("127.0.0.1", 4711), ("::1", 4711), ("", 0), None):
        check_reach(scope(("127.0.0.1", 8000)) | {"client": here}, "localhost")


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "192.168.1.4", "evil.example:8000", ""])
def test_a_foreign_name_for_this_machine_is_not_believed(host: str):
    with pytest.raises(Problem, match="expected localhost"):
        check_reach(scope(("127.0.0.1", 8000)), host)


@pytest.mark.parametrize("server", [None, ("/run/actum.sock", None), ("testserver", 80)])
def test_a_transport_without_an_address_is_this_machine(server: Any):
    check_reach(scope(server), "anything")


def test_only_loopback_is_loopback():
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "::1", "[::1]")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.0.1", "example.org", "")))

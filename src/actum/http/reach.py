"""How far a door without authentication is open: to this machine, asked under one of its own names, and no further.

The name counts because a page from elsewhere can have its own name point at this machine (DNS rebinding).
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

from actum.http.problem import Problem

if TYPE_CHECKING:
    from starlette.types import Scope

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]", "::1")


@lru_cache
def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_reach(scope: Scope, host: str | None) -> None:
    """`unauthenticated` where the request came in from beyond this machine, `misdirected` where under a foreign name.

    It came from beyond also where a gateway or a proxy says so of it: whom that stands before cannot be seen here.
    A transport without network addresses, as tests and unix sockets have it, is this machine.
    """
    server = scope.get("server")
    address = server[0] if server else None
    if address is None or not _is_address(address):
        return
    if not is_loopback(address):
        raise Problem(
            "unauthenticated",
            f"this door has no authentication and answers on loopback only, not on {address}; give it security=…",
            headers={"WWW-Authenticate": "Bearer"},
        )
    client = scope.get("client")
    if client and _is_address(client[0]) and not is_loopback(client[0]):
        raise Problem(
            "unauthenticated",
            f"this door has no authentication and answers this machine only, not {client[0]}; give it security=…",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if host is not None and _name_of(host) not in LOCAL_NAMES:
        raise Problem("misdirected", f"expected localhost, found the name {host!r:.80}; give the door security=…")


@lru_cache
def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _name_of(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name.lower() if colon and port.isdigit() else host.lower()

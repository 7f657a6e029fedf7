"""A door that browsers reach through a proxy: under which address they know it, and from where they come.

A proxy says so in a header, and so can anybody else: it is believed only of addresses that are trusted.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from actum.journal.errors import Misdeclared

if TYPE_CHECKING:
    from collections.abc import Iterable

FORWARDED = b"x-forwarded-for"
"""The header to which each proxy adds from where a request came to it."""

THIS_MACHINE = ("127.0.0.0/8", "::1/128")
"""Who is trusted where a door has a public address and nothing else is said."""

Network: TypeAlias = IPv4Network | IPv6Network


def origin_of(url: str) -> str:
    """The origin that a public address is, as browsers say it. `Misdeclared` for what is no such address, or more than that."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as wrong:
        raise _no_address(url) from wrong
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise _no_address(url)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _no_address(url)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if port in (None, usual) else f":{port}")


def _no_address(url: str) -> Misdeclared:
    return Misdeclared(
        f"public_url: expected an address like https://bank.example.org, without a path, found {url!r:.200}"
    )


def networks(named: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks as they are said. `Misdeclared` for what is none."""
    try:
        return tuple(ip_network(each) for each in named)
    except ValueError as wrong:
        raise Misdeclared(f"proxies: expected addresses or networks like 10.0.0.7 or 10.0.0.0/24: {wrong}") from wrong


def origin_address(
    client: str | None, headers: Iterable[tuple[bytes, bytes]], trusted: tuple[Network, ...]
) -> str | None:
    """From where a request came that `client` brought: the last address on its way that is not trusted."""
    if client is None or not trusted or not _is_in(client, trusted):
        return client
    said = b",".join(value for name, value in headers if name == FORWARDED).decode("latin-1")
    for hop in reversed([each.strip() for each in said.split(",")]):
        address = _bare(hop)
        if address is None:
            return client
        client = address
        if not _is_in(address, trusted):
            return client
    return client


def _is_in(address: str, trusted: tuple[Network, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in trusted)


def _bare(hop: str) -> str | None:
    """The address alone: some proxies add a port. None for what is no address."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        return str(ip_address(hop))
    except ValueError:
        return None

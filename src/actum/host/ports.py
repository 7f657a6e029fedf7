"""Ports that stay: drawn from the names of pieces, so that a piece has the same one on every machine and after every restart."""

from __future__ import annotations

import socket
from hashlib import sha256
from typing import TYPE_CHECKING

from actum.journal.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

FIRST = 15_000
"""The first port that is drawn: below those that systems give to whoever asks for any."""

SPAN = 10_000
"""How many there are."""


def port_of(system: str, piece: str) -> int:
    """The port that a piece has unless it is taken."""
    return FIRST + int.from_bytes(sha256(f"{system} {piece}".encode()).digest()[:4]) % SPAN


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nobody listens there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def ports_for(
    system: str,
    pieces: Iterable[str],
    *,
    known: Mapping[str, int] | None = None,
    free: Callable[[int], bool] = is_free,
) -> dict[str, int]:
    """A port for each piece: the one it had before, else its own, else the next free one. The same for the same names.

    Two pieces whose names fall on one port: the first in the alphabet has it, the other the next.
    """
    known, given = known or {}, dict[str, int]()
    for piece in sorted(pieces, key=lambda one: (one not in known, one)):
        wanted = known.get(piece, port_of(system, piece))
        given[piece] = next_free(wanted, taken=set(given.values()), free=free)
    return given


def next_free(wanted: int, *, taken: set[int], free: Callable[[int], bool] = is_free) -> int:
    """That port, or the next behind it that nobody has."""
    for step in range(SPAN):
        port = FIRST + (wanted - FIRST + step) % SPAN
        if port not in taken and free(port):
            return port
    raise Unavailable(f"no port between {FIRST} and {FIRST + SPAN - 1} is free")

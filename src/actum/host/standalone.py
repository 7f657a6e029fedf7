"""The gateway by itself, in front of pieces that somebody else runs."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from actum.host.directory import Fixed
from actum.host.gateway import Bounds, Gateway, meaning_in
from actum.journal.errors import Invalid, Unknown
from actum.service.consequences import CONSOLE
from actum.service.control import Piece, PieceState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from actum.http.specified import Scope
    from actum.service.system import System

HOLD = 5.0
"""Seconds that a request waits for a piece that takes no connection: it may just be started again."""


def pieces_at(system: System, said: Iterable[str]) -> list[Piece]:
    """The pieces, from `accounts/commands=http://127.0.0.1:9000`; a service may be said several times."""
    known = (*(service.name for service in system.services), CONSOLE, "page")
    found: list[Piece] = []
    for one in said:
        name, _, url = one.partition("=")
        if name not in known:
            raise Unknown("piece", name, known)
        if not url.startswith("http://"):
            raise Invalid(f"--at: expected NAME=http://HOST:PORT, found {one!r}")
        context, _, kind = name.rpartition("/")
        now = datetime.now(UTC)
        found.append(
            Piece(
                name=name, context=context or None, kind=kind, state=PieceState.EXTERNAL, since=now, url=url.rstrip("/")
            )
        )
    return found


def gateway_to(
    system: System,
    said: Iterable[str],
    *,
    key: str | None,
    secured: bool,
    admits: Callable[[Scope], Awaitable[None]] | None,
) -> Gateway:
    """A gateway to pieces at these addresses. Without the `key` that they know, none believes it for whom it asks."""
    return Gateway(
        frozenset(system.contexts),
        Fixed(pieces_at(system, said)),
        key=key or secrets.token_urlsafe(32),
        secured=secured,
        bounds=Bounds(hold=HOLD),
        means=meaning_in(system),
        admits=admits,
    )

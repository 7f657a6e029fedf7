"""The words for what runs of a system and what can be done to it: shared by the host, the console, the command line, drills.

Knows of no process and no port: what speaks these words over a door is in `actum.host`.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Protocol

import msgspec


class PieceState(Enum):
    """How a piece is."""

    STARTING = "starting"
    """Begun, and not ready yet."""
    RUNNING = "running"
    """Ready: it answers, or works."""
    RELOADING = "reloading"
    """Being replaced by the same with new code; who asks is held for a moment."""
    FAILING = "failing"
    """It ended by itself, and is started again after a pause."""
    HELD = "held"
    """It has ended by itself too often: it is left alone until somebody starts it."""
    STOPPED = "stopped"
    """Somebody stopped it, or killed it."""
    PAUSED = "paused"
    """It is there, and does nothing."""
    EXTERNAL = "external"
    """Somebody else runs it, elsewhere."""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of a system: a service such as `accounts/commands`, the gateway, the console.

    `kind` is the part it plays: commands, projections, queries, processes, gateway, console, page. `since` is when it came
    into its `state`, `restarts` how often it was begun again by itself, `why` what happened to it last.
    """

    name: str
    context: str | None
    kind: str
    state: PieceState
    since: datetime
    pid: int | None = None
    url: str | None = None
    restarts: int = 0
    why: str | None = None

    @property
    def off(self) -> bool:
        """Whether it does not do its work just now, for whatever reason."""
        return self.state not in (PieceState.RUNNING, PieceState.RELOADING, PieceState.EXTERNAL)


class Control(Protocol):
    """Looks at the pieces of a running system, and does something to one. Blocks until that is done.

    A name is a piece's, that of a service which runs as several (`accounts/projections` is all its replicas), or a context's.
    Raises `Unknown` for a name that is not there, `Invalid` for what cannot be done to that piece, `Unavailable` where nothing runs.
    """

    def pieces(self) -> tuple[Piece, ...]:
        """Every piece, as it is now."""
        ...

    def start(self, name: str) -> tuple[Piece, ...]:
        """Begin it, also one that was held; answers once it is ready, or has failed."""
        ...

    def stop(self, name: str) -> tuple[Piece, ...]:
        """End it gently, and leave it so: what is under way is finished."""
        ...

    def kill(self, name: str) -> tuple[Piece, ...]:
        """End it at once (SIGKILL), and leave it so."""
        ...

    def pause(self, name: str) -> tuple[Piece, ...]:
        """Have it stand still where it is (SIGSTOP)."""
        ...

    def resume(self, name: str) -> tuple[Piece, ...]:
        """Have it go on."""
        ...

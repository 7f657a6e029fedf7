"""The four parts of a bounded context, each of which can be a service of its own: what it does, and what it needs open."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actum.service.hearing import Connected


class Part(Enum):
    """What one service does for its context. They meet in the journal and the read database, and nowhere else."""

    COMMANDS = "commands"
    """Decides commands. Has no read database open, so that no view can be in its way."""
    PROJECTIONS = "projections"
    """Keeps views and projections up."""
    QUERIES = "queries"
    """Answers all that is read, and writes nothing: how far the views are, the projections' checkpoints say."""
    PROCESSES = "processes"
    """Reacts: processes, timers, effects, and what is heard of other contexts."""


def parts_of(app: Connected) -> tuple[Part, ...]:
    """The parts that an application needs: what it has nothing for is not started."""
    needed = {
        Part.COMMANDS: bool(app.commands),
        Part.PROJECTIONS: bool(app.views or app.projections),
        Part.QUERIES: True,
        Part.PROCESSES: app.reacts or bool(app.heard),
    }
    return tuple(part for part in Part if needed[part])

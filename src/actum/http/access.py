"""Who came to the door, what they wanted and whether they got it: in a journal of its own, looks and refusals included.

An application of actum itself. What is recorded is the address of what was asked for, never a secret, a body or an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from actum.http.files import private
from actum.journal.event import Event, Tag
from actum.journal.store import Durability
from actum.service.app import App

if TYPE_CHECKING:
    from pathlib import Path

    from actum.service.running_async import AsyncRunning

NOBODY = "nobody"
"""The actor of an access where it is not known who asked."""

LONGEST = 500
"""How many characters of an address are kept."""


class Accessed(Event):
    """Somebody came to the door. `permission` is what it took, `granted` whether they had it, `status` what they were answered."""

    who: Annotated[str, Tag("who")]
    way: str
    method: str
    address: str
    permission: str | None
    granted: bool
    status: int
    origin: str | None = None


access = App("access")
access.knows(Accessed)


async def open_access(journal: str | Path) -> AsyncRunning:
    """The access journal, opened. An access on record survives a killed process; the last ones may be lost with the power."""
    return await access.open_async(private(journal), durability=Durability.LOSES_LAST_COMMITS_WITH_POWER)


async def record(running: AsyncRunning, accessed: Accessed) -> None:
    """Have it on record; many at once become one transaction."""
    await running.append(accessed, actor=accessed.who)

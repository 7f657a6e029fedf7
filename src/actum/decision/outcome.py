"""What becomes of a command: events, nothing, or a refusal; each is on record."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from actum.journal.errors import Refused
from actum.journal.event import Event, Position

if TYPE_CHECKING:
    from datetime import datetime


class CommandRefused(Event, name="actum.refused"):
    """A rule said no. `said` is the command as it was given; `facts` are what the rule looked at, as text."""

    command: str
    reason: str
    facts: dict[str, str]
    said: msgspec.Raw

    def error(self, position: Position) -> Refused:
        """The refusal, to raise again."""
        refused = Refused(self.reason, **self.facts)
        refused.position = position
        return refused


class NothingChanged(Event, name="actum.unchanged"):
    """A rule said yes, and there was nothing to do. `said` is the command as it was given."""

    command: str
    said: msgspec.Raw


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a command that was accepted.

    `position` is that of its last event: wait for it to read your own write. `repeated` says that the command had been
    decided before, and that this is the first answer again.
    """

    command_id: UUID
    position: Position
    events: tuple[Event, ...]
    recorded_at: datetime
    repeated: bool = False

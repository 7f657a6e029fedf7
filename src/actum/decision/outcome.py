"""What becomes of a command: events, nothing, or a refusal; each is on record."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from actum.journal.clock import Microseconds, to_datetime, uuid_of
from actum.journal.errors import Refused
from actum.journal.event import Event, Position


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
        refused.repeated = True
        return refused


class NothingChanged(Event, name="actum.unchanged"):
    """A rule said yes, and there was nothing to do. `said` is the command as it was given."""

    command: str
    said: msgspec.Raw


class Decided(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer to a command that was accepted, or to facts that were taken down.

    `events` is what happened, nothing where there was nothing to do. `position` is that of the last event on record:
    wait for it to read your own write. `repeated` says that the command had been decided before, and that this is the
    first answer again. `recorded` is in microseconds, `command` the id in its 16 bytes: see `recorded_at`, `command_id`.
    """

    events: tuple[Event, ...]
    position: Position
    recorded: Microseconds
    command: bytes | None
    repeated: bool = False

    @property
    def command_id(self) -> UUID | None:
        """The command's id; None for facts that no command asked for."""
        return None if self.command is None else uuid_of(self.command)

    @property
    def recorded_at(self) -> datetime:
        """When the journal took it down."""
        return to_datetime(self.recorded)

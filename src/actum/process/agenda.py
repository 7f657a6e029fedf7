"""What a worker asks of the read database: what is due. The tables themselves are made where projections are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias
from uuid import UUID

import msgspec

from actum.decision.acting import Acting
from actum.decision.command import Command
from actum.decision.outcome import Decided
from actum.journal.event import Position


class DueInstance(msgspec.Struct, frozen=True):
    """An instance whose parked event is to be tried again."""

    instance: str
    process: str


class DueEffect(msgspec.Struct, frozen=True):
    """An effect to be seen to: one that was asked for, one that failed, or one of which nobody has heard in time."""

    effect: UUID
    request_type: str
    position: Position
    status: str
    attempt: int
    undone: bool


Mine: TypeAlias = Callable[[str, str], bool]
"""Whether a thing is in the hands of the worker that asks: the name under which it is followed, and its own."""


class Agenda(Protocol):
    """What is due, the longest overdue first, of what is `mine` and somebody here sees to. Derived from the journal, as far as
    `catch_up` has come.
    """

    def catch_up(self) -> None:
        """Take in everything that is in the journal."""
        ...

    def timers(self, now: datetime, limit: int, *, mine: Mine) -> list[UUID]:
        """The timers whose time has come."""
        ...

    def instances(self, now: datetime, limit: int, *, mine: Mine) -> list[DueInstance]:
        """The instances to try again."""
        ...

    def effects(self, now: datetime, limit: int, *, mine: Mine) -> list[DueEffect]:
        """The effects to see to."""
        ...

    def next(self, *, after: datetime, mine: Mine) -> datetime | None:
        """When the first of all these is due that is due after that time; None where nothing will be."""
        ...


class Wish(msgspec.Struct, frozen=True):
    """A command to be given, under the id by which it is decided once, by whom and because of what."""

    command: Command
    id: UUID
    acting: Acting


Answer: TypeAlias = Decided | BaseException
"""What became of a wish: the decision, or what was raised."""


class Give(Protocol):
    """Gives commands, many at once."""

    def __call__(self, wishes: Sequence[Wish], /) -> list[Answer]:
        """The answers, in order."""
        ...

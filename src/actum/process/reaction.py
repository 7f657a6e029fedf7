"""What a reaction may ask for: a command, an effect, a timer, or that a timer is cancelled."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self, TypeAlias, cast
from uuid import UUID

import msgspec

from actum.decision.command import Command
from actum.journal.clock import to_datetime
from actum.journal.errors import Invalid, Misdeclared
from actum.journal.event import Event
from actum.process.naming import derived

if TYPE_CHECKING:
    from random import Random

    from actum.journal.event import Position, SequencedEvent
    from actum.journal.metadata import Metadata


class Effect(Event):
    """An event that asks for something outside: a mail, a payment elsewhere, a file. `class MailAsked(Effect): …`.

    A rule may answer one and a reaction may ask for one; what then happens is declared with `@app.effect`, once.
    """


class Cancel(msgspec.Struct, frozen=True):
    """Cancel the timer of that name, if it is set. Made by `Timer.cancel`."""

    name: str


class Timer(msgspec.Struct, frozen=True):
    """At a time, or so long after the event reacted to, let this happen: an event, or a command.

    `Timer("overdue", after=timedelta(days=2), then=Overdue(payout=self.payout))`. Kept in the journal: late where nobody
    is there, never lost, never twice. Setting one of the same name again puts the new one in place of the old.
    """

    name: str
    then: Event | Command
    after: timedelta | None = None
    at: datetime | None = None

    def __post_init__(self) -> None:
        if (self.after is None) == (self.at is None):
            raise Invalid(f"Timer({self.name!r}): say either after=timedelta(…) or at=datetime")
        if self.at is not None and self.at.tzinfo is None:
            raise Invalid(f"Timer({self.name!r}): at needs a time zone, found the naive {self.at.isoformat()}")
        if self.after is not None and self.after < timedelta(0):
            raise Invalid(f"Timer({self.name!r}): after cannot be negative, found {self.after}")
        if not self.name:
            raise Invalid("a timer needs a name, by which it can be cancelled")

    @classmethod
    def cancel(cls, name: str) -> Cancel:
        """What a reaction asks for to cancel the timer of that name."""
        return Cancel(name)

    def due(self, since: datetime) -> datetime:
        """When, counted from the time at which the event reacted to was recorded."""
        if self.at is not None:
            return self.at
        assert self.after is not None
        try:
            return since + self.after
        except OverflowError as wrong:
            raise Invalid(
                f"Timer({self.name!r}): {self.after} after {since.isoformat()} is beyond the year 9999"
            ) from wrong


Reaction: TypeAlias = Command | Effect | Timer | Cancel
"""One thing that a reaction asks for."""

Reactions: TypeAlias = Reaction | Iterable[Reaction] | None
"""What a reaction answers: one thing, several, or none."""


class Occasion:
    """When and by what a handler is called: time, ids and chance that are the same whenever it is called for the same.

    `def react(self, event: Requested, occasion: Occasion)`: ask it, and never the system, for these.
    """

    __slots__ = ("_seed", "_stored")

    def __init__(self, stored: SequencedEvent, *seed: object) -> None:
        self._stored = stored
        self._seed = seed

    @property
    def now(self) -> datetime:
        """When the event was recorded, by the journal's clock."""
        return to_datetime(self._stored.recorded)

    @property
    def position(self) -> Position:
        """Where the event stands in the journal."""
        return self._stored.position

    @property
    def metadata(self) -> Metadata:
        """Who, for whom, why, caused by what."""
        return self._stored.metadata

    def id(self, name: object = "") -> UUID:
        """An id that is this occasion's own; another one for each name."""
        return derived("occasion", self._stored.uuid, *self._seed, name)

    def random(self, name: object = "") -> Random:
        """A source of chance that begins at the same place whenever this occasion comes again."""
        from random import Random  # noqa: PLC0415 - dear to import, and few need it

        return Random(self.id(("random", name)).int)  # noqa: S311 - it must come out the same again


class Sorted(msgspec.Struct):
    """What a reaction asked for, each kind apart, in order."""

    commands: list[Command] = []
    effects: list[Effect] = []
    timers: list[Timer] = []
    cancels: list[str] = []

    @classmethod
    def of(cls, answer: Reactions, where: str) -> Self:
        """Sorted out. `Misdeclared` for what is none of these."""
        found = cls()
        for one in _several(answer):
            match one:
                case Command():
                    found.commands.append(one)
                case Effect():
                    found.effects.append(one)
                case Timer():
                    found.timers.append(one)
                case Cancel():
                    found.cancels.append(one.name)
                case _:
                    raise Misdeclared(
                        f"{where} asked for {one!r:.120}; expected commands, effects, timers, or Timer.cancel(name)"
                    )
        return found

    def __bool__(self) -> bool:
        return bool(self.commands or self.effects or self.timers or self.cancels)


def _several(answer: object) -> Iterable[object]:
    if answer is None:
        return ()
    return cast("Iterable[object]", answer) if isinstance(answer, Iterable) else (answer,)

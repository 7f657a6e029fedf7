"""What processes leave in the journal: each reaction, timer and effect is an event like any other, and found like one.

Every id here is derived from what led to it, so that whoever does the same work again finds it done.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from actum.decision.command import Command
from actum.journal.conforming import checker
from actum.journal.errors import Invalid
from actum.journal.event import Event, EventData
from actum.journal.message import from_json, to_json
from actum.process.naming import EffectId, InstanceId, ProcessName, ScheduleName, TimerId, derived

if TYPE_CHECKING:
    from actum.journal.codec import Codec


class Said(msgspec.Struct, frozen=True):
    """A command or an event on record as it will be given: its kind, its content, and the id under which it is done once."""

    id: UUID
    type: str
    version: int
    content: msgspec.Raw

    @property
    def kind(self) -> str:
        """Name and version."""
        return f"{self.type}@{self.version}"

    def events(self, codec: Codec) -> tuple[Event, ...]:
        """The event in today's words."""
        data = EventData(self.id.bytes, self.type, bytes(self.content), bytes(16), self.version)
        return codec.decode(data)


def said(message: Command | Event, id: UUID) -> Said:
    """The message as it goes on record. `Invalid` for a value that is not what its class declares."""
    checker(type(message))(message)
    kind = message.__kind__
    return Said(id, kind.type, kind.version, msgspec.Raw(to_json(message)))


# What happens to a process.


class ProcessBegun(Event, name="actum.process-begun"):
    """From behind position `after` on, this process reacts to what happens."""

    process: ProcessName
    after: int


class Reacted(Event, name="actum.reacted"):
    """An instance reacted to the event `to`, at `position`: with these commands, each given once by its id.

    `when` is when that event was recorded. `after` says up to where everything had been reacted to before. Timers and
    effects that belong to the reaction stand beside it as events of their own.
    """

    instance: InstanceId
    process: ProcessName
    to: UUID
    position: int
    when: datetime
    after: int
    commands: tuple[Said, ...] = ()
    started: bool = False
    ended: bool = False


class Parked(Event, name="actum.parked"):
    """An instance could not take the event `event`; what comes later for it waits. `again` is when it is tried anew.

    Where that event set a timer, which is due and cannot fire, `timer` says which.
    """

    instance: InstanceId
    process: ProcessName
    event: UUID
    position: int
    attempt: int
    error: str
    again: datetime | None = None
    timer: TimerId | None = None


class Waiting(Event, name="actum.waiting"):
    """An event that comes after one that is parked waits for its turn."""

    instance: InstanceId
    event: UUID
    position: int


class Served(Event, name="actum.served"):
    """The first event that was parked or waited has been taken after all."""

    instance: InstanceId
    event: UUID


class Retried(Event, name="actum.retried"):
    """Somebody wants what is parked to be tried again."""

    instance: InstanceId
    reason: str


class Discarded(Event, name="actum.discarded"):
    """Somebody decided that the parked event shall not be reacted to."""

    instance: InstanceId
    event: UUID
    reason: str


class Forgone(Event, name="actum.forgone"):
    """Somebody decided that a command of the reaction to `event`, which was not given yet, shall not be."""

    instance: InstanceId
    event: UUID
    reason: str


# Timers.


class TimerSet(Event, name="actum.timer-set"):
    """At `due`, or as soon as somebody is there, this happens: `event`, or the command `command`, or a turn of `schedule`."""

    timer: TimerId
    name: str
    due: datetime
    instance: InstanceId | None = None
    schedule: ScheduleName | None = None
    event: Said | None = None
    command: Said | None = None
    spec: str | None = None
    """Of a schedule: its rule in words, to see whether it is still that."""


def timer_of(then: Command | Event, *, timer: UUID, name: str, due: datetime, instance: str | None = None) -> TimerSet:
    """What says that a timer is set: for a command or an event."""
    what = said(then, derived("then", timer))
    event, command = (None, what) if isinstance(then, Command) else (what, None)
    return TimerSet(timer=timer, name=name, due=due, instance=instance, event=event, command=command)


class TimerCancelled(Event, name="actum.timer-cancelled"):
    """What the timer stood for will not happen."""

    timer: TimerId
    name: str
    instance: InstanceId | None = None
    schedule: ScheduleName | None = None


class TimerFired(Event, name="actum.timer-fired"):
    """The timer's time had come, and at `at` somebody was there. Its event stands beside this; its command follows."""

    timer: TimerId
    name: str
    due: datetime
    at: datetime
    instance: InstanceId | None = None
    schedule: ScheduleName | None = None
    command: Said | None = None


# Effects.


class EffectRequested(Event, name="actum.effect-requested"):
    """The event `request` at `position` asks for something outside; `digest` is the SHA-256 of its data."""

    effect: EffectId
    request_type: str
    request: UUID
    position: int
    digest: str


class EffectBegun(Event, name="actum.effect-begun"):
    """A worker calls the outside. Where nothing is heard of it by `until`, nobody knows whether it was done."""

    effect: EffectId
    attempt: int
    worker: str
    until: datetime


class EffectDone(Event, name="actum.effect-done"):
    """The outside answered; the events beside this are its answer."""

    effect: EffectId
    attempt: int
    answers: int


class EffectFailed(Event, name="actum.effect-failed"):
    """A call ended without an answer. Unless `undone`, nobody knows whether it was done. `again`: when it is seen to anew."""

    effect: EffectId
    attempt: int
    error: str
    undone: bool = False
    again: datetime | None = None


class EffectRetried(Event, name="actum.effect-retried"):
    """Somebody wants the effect to be tried again, with the same key."""

    effect: EffectId
    reason: str


class EffectDiscarded(Event, name="actum.effect-discarded"):
    """Somebody decided that the effect shall not be had."""

    effect: EffectId
    reason: str


RECORDS: tuple[type[Event], ...] = (
    ProcessBegun,
    Reacted,
    Parked,
    Waiting,
    Served,
    Retried,
    Discarded,
    Forgone,
    TimerSet,
    TimerCancelled,
    TimerFired,
    EffectRequested,
    EffectBegun,
    EffectDone,
    EffectFailed,
    EffectRetried,
    EffectDiscarded,
)
"""All of them."""


def command_of(said: Said, commands: dict[str, type[Command]]) -> Command:
    """The command, in today's class. `Invalid` where there is none, or its content does not fit any more."""
    cls: type[Any] | None = commands.get(said.type)
    if cls is None or cls.__kind__.version != said.version:
        known = "no command of that name" if cls is None else str(cls.__kind__)
        raise Invalid(f"expected a rule for {said.kind}, found {known}; keep old commands until their timers are done")
    made: Command = from_json(bytes(said.content), cls)
    return made

"""The books of instances of processes: what each reacted to, what of it is parked and waits, and what a person says to that."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from actum.decision.command import Command
from actum.decision.state import State
from actum.journal.errors import Refused
from actum.process.naming import InstanceId, ProcessName
from actum.process.record import (
    Discarded,
    Forgone,
    Parked,
    ProcessBegun,
    Reacted,
    Retried,
    Said,
    Served,
    TimerCancelled,
    TimerFired,
    TimerSet,
    Waiting,
)


class OutOfTurn(Exception):
    """Somebody else was here first, or it is not time yet: nothing is decided, nothing is on record."""


class Begin(Command, name="actum.begin"):
    """A process begins behind a position."""

    process: ProcessName
    after: int


class React(Command, name="actum.react"):
    """What an instance wants done, now that an event has happened."""

    instance: InstanceId
    process: ProcessName
    to: UUID
    position: int
    when: datetime
    after: int
    commands: tuple[Said, ...]
    effects: tuple[Said, ...]
    timers: tuple[TimerSet, ...]
    cancels: tuple[str, ...]
    started: bool
    ended: bool


class Park(Command, name="actum.park"):
    """An event cannot be taken."""

    instance: InstanceId
    process: ProcessName
    event: UUID
    position: int
    attempt: int
    error: str
    again: datetime | None
    timer: UUID | None = None


class Wait(Command, name="actum.wait"):
    """An event comes after one that is parked."""

    instance: InstanceId
    event: UUID
    position: int


class Serve(Command, name="actum.serve"):
    """The first of what is parked has been taken after all."""

    instance: InstanceId
    event: UUID


class RetryInstance(Command, name="actum.retry"):
    """A person wants what is parked to be tried again."""

    instance: InstanceId
    reason: str


class DiscardParked(Command, name="actum.discard"):
    """A person wants the parked event to be passed over."""

    instance: InstanceId
    reason: str


class Forgo(Command, name="actum.forgo"):
    """A command on record shall not be given: this takes its id, so that it never is."""

    instance: InstanceId
    event: UUID
    reason: str


class Instance(State):
    """One instance as its books have it: the timers that are set, what is parked, and what a person passed over."""

    instance: InstanceId
    timers: dict[str, UUID] = msgspec.field(default_factory=dict[str, UUID])
    queue: list[tuple[UUID, int]] = msgspec.field(default_factory=list[tuple[UUID, int]])
    discarded: list[UUID] = msgspec.field(default_factory=list[UUID])
    attempt: int = 0

    def evolve(
        self, event: Reacted | TimerSet | TimerCancelled | TimerFired | Parked | Waiting | Served | Discarded | Retried
    ) -> None:
        """See `State.evolve`."""
        match event:
            case TimerSet(name=name, timer=timer):
                self.timers[name] = timer
            case TimerCancelled(name=name) | TimerFired(name=name):
                self.timers.pop(name, None)
            case Parked(event=parked, position=position, attempt=attempt):
                self.attempt = attempt
                if not self.queue:
                    self.queue.append((parked, position))
            case Waiting(event=waiting, position=position):
                self.queue.append((waiting, position))
            case Served():
                self._release()
            case Discarded(event=passed_over):
                self.discarded.append(passed_over)
                self._release()
            case Retried() | Reacted():
                pass

    def _release(self) -> None:
        self.queue = self.queue[1:]
        self.attempt = 0

    @property
    def first(self) -> UUID | None:
        """The event that is parked, if any is."""
        return self.queue[0][0] if self.queue else None


def begin(command: Begin) -> ProcessBegun:
    """Decided once for each process: where it begins."""
    return ProcessBegun(process=command.process, after=command.after)


def park(command: Park, instance: Instance) -> Parked:
    """Only what is first in turn can be parked."""
    if instance.first not in (None, command.event):
        raise OutOfTurn
    return Parked(
        instance=command.instance,
        process=command.process,
        event=command.event,
        position=command.position,
        attempt=command.attempt,
        error=command.error,
        again=command.again,
        timer=command.timer,
    )


def wait(command: Wait, instance: Instance) -> Waiting:
    """Only where something is parked is there anything to wait for."""
    if instance.first is None:
        raise OutOfTurn
    return Waiting(instance=command.instance, event=command.event, position=command.position)


def serve(command: Serve, instance: Instance) -> Served | None:
    """Only what is first in turn is served; once."""
    if instance.first != command.event:
        return None
    return Served(instance=command.instance, event=command.event)


def retry_instance(command: RetryInstance, instance: Instance) -> Retried:
    """Only where something is parked."""
    if instance.first is None:
        raise Refused("nothing is parked", instance=command.instance)
    return Retried(instance=command.instance, reason=command.reason)


def discard_parked(command: DiscardParked, instance: Instance) -> Discarded:
    """Only where something is parked."""
    return discarded(instance, reason=command.reason)


def discarded(instance: Instance, *, reason: str) -> Discarded:
    """What says that the parked event is passed over. `Refused` where none is."""
    if instance.first is None:
        raise Refused("nothing is parked", instance=instance.instance)
    return Discarded(instance=instance.instance, event=instance.first, reason=reason)


def forgo(command: Forgo) -> Forgone:
    """Decided in the place of the command that it stands for."""
    return Forgone(instance=command.instance, event=command.event, reason=command.reason)

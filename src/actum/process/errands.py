"""The books of effects: each is called by one worker at a time, and is over once it is answered or given up."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from actum.decision.command import Command
from actum.decision.state import State
from actum.journal.errors import Refused
from actum.process.instances import Instance, OutOfTurn
from actum.process.naming import EffectId, InstanceId
from actum.process.record import (
    EffectBegun,
    EffectDiscarded,
    EffectDone,
    EffectFailed,
    EffectRequested,
    EffectRetried,
    Said,
)


class NoteEffect(Command, name="actum.note-effect"):
    """An event asks for something outside; `instance` is what is parked where that cannot be taken down."""

    effect: EffectId
    instance: InstanceId
    request_type: str
    request: UUID
    position: int
    digest: str


class BeginEffect(Command, name="actum.begin-effect"):
    """A worker is about to call the outside."""

    effect: EffectId
    attempt: int
    worker: str
    now: datetime
    until: datetime


class FinishEffect(Command, name="actum.finish-effect"):
    """The outside answered, or a person says what it would have answered."""

    effect: EffectId
    attempt: int
    answers: tuple[Said, ...]


class FailEffect(Command, name="actum.fail-effect"):
    """A call ended without an answer."""

    effect: EffectId
    attempt: int
    error: str
    undone: bool
    again: datetime | None


class RetryEffect(Command, name="actum.retry-effect"):
    """A person wants it tried again, with the same key."""

    effect: EffectId
    reason: str


class DiscardEffect(Command, name="actum.discard-effect"):
    """A person wants it given up."""

    effect: EffectId
    reason: str


class Errand(State):
    """One effect: how far it has come."""

    effect: EffectId
    status: Literal["none", "requested", "begun", "failed", "done", "discarded"] = "none"
    attempt: int = 0
    until: datetime | None = None

    def evolve(
        self, event: EffectRequested | EffectBegun | EffectDone | EffectFailed | EffectRetried | EffectDiscarded
    ) -> None:
        """See `State.evolve`."""
        match event:
            case EffectRequested():
                self.status = "requested"
            case EffectBegun(attempt=attempt, until=until):
                self.status, self.attempt, self.until = "begun", attempt, until
            case EffectFailed():
                self.status = "failed"
            case EffectDone():
                self.status = "done"
            case EffectRetried():
                self.status = "requested"
            case EffectDiscarded():
                self.status = "discarded"

    @property
    def is_over(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.status in ("done", "discarded")


def note_effect(command: NoteEffect, effect: Errand, instance: Instance) -> EffectRequested | None:
    """Once for each request, unless a person passed over it."""
    if effect.status != "none" or command.request in instance.discarded:
        return None
    return EffectRequested(
        effect=command.effect,
        request_type=command.request_type,
        request=command.request,
        position=command.position,
        digest=command.digest,
    )


def begin_effect(command: BeginEffect, effect: Errand) -> EffectBegun:
    """By one worker at a time: where another one has begun, only once its time is over."""
    begun = effect.status == "begun" and effect.until is not None and effect.until > command.now
    if effect.status == "none" or effect.is_over or begun or command.attempt != effect.attempt + 1:
        raise OutOfTurn
    return EffectBegun(effect=command.effect, attempt=command.attempt, worker=command.worker, until=command.until)


def fail_effect(command: FailEffect, effect: Errand) -> EffectFailed:
    """Only the attempt under way can fail."""
    if effect.status != "begun" or command.attempt != effect.attempt:
        raise OutOfTurn
    return EffectFailed(
        effect=command.effect,
        attempt=command.attempt,
        error=command.error,
        undone=command.undone,
        again=command.again,
    )


def retry_effect(command: RetryEffect, effect: Errand) -> EffectRetried:
    """Only one that has failed, or of which nobody has heard: a call under way would be made twice."""
    if effect.status != "failed":
        raise Refused("only an effect that failed, or is unknown, is tried again", status=effect.status)
    return EffectRetried(effect=command.effect, reason=command.reason)


def discard_effect(command: DiscardEffect, effect: Errand) -> EffectDiscarded:
    """Only one that is not over."""
    if effect.status == "none" or effect.is_over:
        raise Refused("there is no such effect to discard", status=effect.status)
    return EffectDiscarded(effect=command.effect, reason=command.reason)

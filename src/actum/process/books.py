"""The books of processes, timers and effects: kept by commands, states and rules like those of any application.

So whatever two workers, a crash or a person do at the same time is decided in one order, once for each id, under a
condition that is kept as evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar
from uuid import UUID

import msgspec

from actum.decision.command import Command
from actum.decision.handler import Handler, handler_of
from actum.decision.state import Fold, Identity, State, fold_of
from actum.journal.errors import Refused
from actum.journal.event import RESERVED, Event
from actum.process.naming import EffectId, InstanceId, ProcessName, ScheduleName, TimerId, derived
from actum.process.record import (
    Discarded,
    EffectBegun,
    EffectDiscarded,
    EffectDone,
    EffectFailed,
    EffectRequested,
    EffectRetried,
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
    said,
)

if TYPE_CHECKING:
    from actum.journal.codec import Codec
    from actum.journal.store import EventStore
    from actum.process.schedule import SchedulePlan

StateT = TypeVar("StateT", bound=State)


class OutOfTurn(Exception):
    """Somebody else was here first, or it is not time yet: nothing is decided, nothing is on record."""


# Processes.


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


class DiscardTimer(Command, name="actum.discard-timer"):
    """The same where what is parked is a timer, so that it never fires; a schedule goes on with its next turn."""

    instance: InstanceId
    timer: TimerId
    reason: str
    now: datetime


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


def looked_up(cls: type[StateT], key: Identity, *, store: EventStore, codec: Codec) -> StateT:
    """What the books say of one thing, now."""
    fold: Fold[StateT] = fold_of(cls)
    state = fold.new((key,))
    fold.replay(state, store.read(fold.query(codec, fold.tags((key,)))), codec)
    return state


# Timers.


class SetTimer(Command, name="actum.set-timer"):
    """Let something happen at a time, or let a schedule have its next turn."""

    timer: TimerId
    set: TimerSet


class Fire(Command, name="actum.fire"):
    """A timer's time has come, and somebody is there."""

    timer: TimerId
    now: datetime


class CancelTimer(Command, name="actum.cancel-timer"):
    """What a timer stands for shall not happen."""

    timer: TimerId


class Alarm(State):
    """One timer."""

    timer: TimerId
    set: TimerSet | None = None

    def evolve(self, event: TimerSet | TimerCancelled | TimerFired) -> None:
        """See `State.evolve`."""
        self.set = event if isinstance(event, TimerSet) else None


class Turns(State):
    """One schedule: the timer of its next turn, and the rule from which that follows."""

    schedule: ScheduleName
    timer: UUID | None = None
    spec: str | None = None

    def evolve(self, event: TimerSet | TimerCancelled | TimerFired) -> None:
        """See `State.evolve`."""
        if isinstance(event, TimerSet):
            self.timer, self.spec = event.timer, event.spec
        elif event.timer == self.timer:
            self.timer = None


# Effects.


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


# Rules.


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
    return discarded(command, instance)


def discarded(command: DiscardParked | DiscardTimer, instance: Instance) -> Discarded:
    """What says that the parked event is passed over. `Refused` where none is."""
    if instance.first is None:
        raise Refused("nothing is parked", instance=command.instance)
    return Discarded(instance=command.instance, event=instance.first, reason=command.reason)


def forgo(command: Forgo) -> Forgone:
    """Decided in the place of the command that it stands for."""
    return Forgone(instance=command.instance, event=command.event, reason=command.reason)


def set_timer(command: SetTimer, timer: Alarm) -> TimerSet | None:
    """A timer is set once."""
    return None if timer.set else command.set


def cancel_timer(command: CancelTimer, timer: Alarm) -> TimerCancelled:
    """Only one that is set."""
    if timer.set is None:
        raise Refused("the timer is not set", timer=command.timer)
    return cancelled(timer.set)


def cancelled(timer: TimerSet) -> TimerCancelled:
    """What says that this timer is cancelled."""
    return TimerCancelled(timer=timer.timer, name=timer.name, instance=timer.instance, schedule=timer.schedule)


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


class Books:
    """The rules that need to know the application: they answer its own events, and the turns of its schedules."""

    def __init__(self, codec: Callable[[], Codec], schedules: dict[str, SchedulePlan]) -> None:
        self._codec = codec
        self._schedules = schedules

    def react(self, command: React, instance: Instance) -> Iterator[Reacted | Event]:
        """The reaction, its timers and its effects, all or nothing; but not before what is parked, and not what was discarded."""
        if command.to in instance.discarded:
            return
        if instance.first not in (None, command.to):
            raise OutOfTurn
        yield Reacted(
            instance=command.instance,
            process=command.process,
            to=command.to,
            position=command.position,
            when=command.when,
            after=command.after,
            commands=command.commands,
            started=command.started,
            ended=command.ended,
        )
        yield from _timers(command, dict(instance.timers))
        for effect in command.effects:
            yield from effect.events(self._codec())

    def fire(self, command: Fire, timer: Alarm) -> Iterator[TimerFired | Event]:
        """The timer, what it stands for, and the next turn of its schedule; unless it fired or was cancelled before."""
        due = timer.set
        if due is None:
            return
        if command.now < due.due:
            raise OutOfTurn
        plan = self._schedules.get(due.schedule) if due.schedule else None
        if due.schedule and (plan is None or plan.spec != due.spec):
            yield cancelled(due)
            return
        yield TimerFired(
            timer=due.timer,
            name=due.name,
            due=due.due,
            at=command.now,
            instance=due.instance,
            schedule=due.schedule,
            command=said(plan.command(due.due), derived("turn", due.timer)) if plan else due.command,
        )
        if due.event is not None:
            yield from due.event.events(self._codec())
        if plan is not None:
            yield turn_of(plan, plan.next(due.due, command.now), after=due.timer)

    def discard_timer(
        self, command: DiscardTimer, instance: Instance, timer: Alarm
    ) -> Iterator[Discarded | TimerCancelled | TimerSet]:
        """Only where something is parked: the timer is cancelled, and its schedule, if there still is one, goes on."""
        yield discarded(command, instance)
        due = timer.set
        if due is None:
            return
        yield cancelled(due)
        plan = self._schedules.get(due.schedule) if due.schedule else None
        if plan is not None and plan.spec == due.spec:
            yield turn_of(plan, plan.next(due.due, command.now), after=due.timer)

    def finish_effect(self, command: FinishEffect, effect: Errand) -> Iterator[EffectDone | Event]:
        """The first answer is the one: also a late one, of an attempt that was given up."""
        if effect.status == "none" or effect.is_over:
            return
        yield EffectDone(effect=command.effect, attempt=command.attempt, answers=len(command.answers))
        for answer in command.answers:
            yield from answer.events(self._codec())

    def handlers(self) -> dict[type[Command], Handler]:
        """Every rule of the books."""
        rules: tuple[Rule, ...] = (
            begin,
            self.react,
            park,
            wait,
            serve,
            retry_instance,
            discard_parked,
            forgo,
            set_timer,
            cancel_timer,
            self.fire,
            self.discard_timer,
            note_effect,
            begin_effect,
            self.finish_effect,
            fail_effect,
            retry_effect,
            discard_effect,
        )
        found = [handler_of(rule, conflicts=None, unless=(), version=1) for rule in rules]
        return {one.command: msgspec.structs.replace(one, name=RESERVED + one.name) for one in found}


Rule: TypeAlias = Callable[..., Any]


def turn_of(plan: SchedulePlan, due: datetime, *, after: object) -> TimerSet:
    """The timer of a schedule's turn."""
    timer = derived("schedule", plan.name, plan.spec, due.isoformat(), after)
    return TimerSet(timer=timer, name=plan.name, due=due, schedule=plan.name, spec=plan.spec)


def _timers(command: React, timers: dict[str, UUID]) -> Iterator[Event]:
    """Those cancelled, by name or because the instance has ended; then those set, each in the place of the old."""
    cancels = dict.fromkeys([*command.cancels, *(timer.name for timer in command.timers)])
    for name in timers if command.ended else [name for name in cancels if name in timers]:
        yield TimerCancelled(timer=timers[name], name=name, instance=command.instance)
    yield from command.timers

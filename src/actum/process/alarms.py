"""The books of timers: each is set once, and fires or is cancelled; and of schedules, each with the timer of its next turn."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from actum.decision.command import Command
from actum.decision.state import State
from actum.journal.errors import Refused
from actum.process.naming import InstanceId, ScheduleName, TimerId, derived
from actum.process.record import Said, TimerCancelled, TimerFired, TimerSet

if TYPE_CHECKING:
    from actum.process.schedule import SchedulePlan


class SetTimer(Command, name="actum.set-timer"):
    """Let something happen at a time, or let a schedule have its next turn."""

    timer: TimerId
    set: TimerSet


class Fire(Command, name="actum.fire"):
    """A timer's time has come, and somebody is there."""

    timer: TimerId
    now: datetime


class FireTurn(Command, name="actum.fire-turn"):
    """The same where the timer is a turn of a schedule."""

    timer: TimerId
    schedule: ScheduleName
    now: datetime


class CancelTimer(Command, name="actum.cancel-timer"):
    """What a timer stands for shall not happen."""

    timer: TimerId


class DiscardTimer(Command, name="actum.discard-timer"):
    """The same where what is parked is a timer, so that it never fires; a schedule goes on with its next turn."""

    instance: InstanceId
    timer: TimerId
    reason: str
    now: datetime


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


def fired(due: TimerSet, at: datetime, command: Said | None) -> TimerFired:
    """What says that this timer fired, and which command it stood for."""
    return TimerFired(
        timer=due.timer,
        name=due.name,
        due=due.due,
        at=at,
        instance=due.instance,
        schedule=due.schedule,
        command=command,
    )


def turn_of(plan: SchedulePlan, due: datetime, *, after: object) -> TimerSet:
    """The timer of a schedule's turn."""
    timer = derived("schedule", plan.name, plan.spec, due.isoformat(), after)
    return TimerSet(timer=timer, name=plan.name, due=due, schedule=plan.name, spec=plan.spec)

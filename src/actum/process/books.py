"""The books of processes, timers and effects: kept by commands, states and rules like those of any application.

So whatever two workers, a crash or a person do at the same time is decided in one order, once for each id, under a
condition that is kept as evidence. Each kind of thing has its books; here they are one, with the rules that need to
know the application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from uuid import UUID

import msgspec

from actum.decision.command import Command
from actum.decision.handler import Handler, handler_of
from actum.decision.state import Fold, Identity, State, fold_of
from actum.journal.event import RESERVED, Event
from actum.process.alarms import (
    Alarm,
    DiscardTimer,
    Fire,
    FireTurn,
    Turns,
    cancel_timer,
    cancelled,
    fired,
    set_timer,
    turn_of,
)
from actum.process.errands import (
    Errand,
    FinishEffect,
    begin_effect,
    discard_effect,
    fail_effect,
    note_effect,
    retry_effect,
)
from actum.process.instances import (
    Instance,
    OutOfTurn,
    React,
    begin,
    discard_parked,
    discarded,
    forgo,
    park,
    retry_instance,
    serve,
    wait,
)
from actum.process.naming import derived
from actum.process.record import Discarded, EffectDone, Reacted, TimerCancelled, TimerFired, TimerSet, said

if TYPE_CHECKING:
    from actum.journal.codec import Codec
    from actum.journal.store import EventStore
    from actum.process.schedule import SchedulePlan


StateT = TypeVar("StateT", bound=State)


def looked_up(cls: type[StateT], key: Identity, *, store: EventStore, codec: Codec) -> StateT:
    """What the books say of one thing, now."""
    fold: Fold[StateT] = fold_of(cls)
    state = fold.new((key,))
    fold.replay(state, store.read(fold.query(codec, fold.tags((key,)))), codec)
    return state


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
        """The timer, and what it stands for; unless it fired or was cancelled before."""
        due = timer.set
        if due is None:
            return
        if command.now < due.due:
            raise OutOfTurn
        yield fired(due, command.now, due.command)
        if due.event is not None:
            yield from due.event.events(self._codec())

    def fire_turn(
        self, command: FireTurn, timer: Alarm, turns: Turns
    ) -> Iterator[TimerFired | TimerCancelled | TimerSet]:
        """The turn, and the next one by this program's rule.

        One in whose place another was set is let go of; one of a schedule that is not declared here, nobody asks for. While an
        older program is at work beside a newer one whose rule is another, whoever is there takes the turn that was set last.
        """
        due = timer.set
        if due is None:
            return
        if command.now < due.due:
            raise OutOfTurn
        plan = self._schedules.get(command.schedule)
        if plan is None or turns.timer != due.timer:
            yield cancelled(due)
            return
        yield fired(due, command.now, said(plan.command(due.due), derived("turn", due.timer)))
        yield turn_of(plan, plan.next(due.due, command.now), after=due.timer)

    def discard_timer(
        self, command: DiscardTimer, instance: Instance, timer: Alarm
    ) -> Iterator[Discarded | TimerCancelled | TimerSet]:
        """Only where something is parked: the timer is cancelled, and its schedule, if there still is one, goes on."""
        yield discarded(instance, reason=command.reason)
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
            self.fire_turn,
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


def _timers(command: React, timers: dict[str, UUID]) -> Iterator[Event]:
    """Those cancelled, by name or because the instance has ended; then those set, each in the place of the old."""
    cancels = dict.fromkeys([*command.cancels, *(timer.name for timer in command.timers)])
    for name in timers if command.ended else [name for name in cancels if name in timers]:
        yield TimerCancelled(timer=timers[name], name=name, instance=command.instance)
    yield from command.timers

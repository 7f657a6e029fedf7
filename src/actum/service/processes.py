"""The side of an application that acts by itself: its processes, timers and effects; looked at, and helped on."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from actum.decision.acting import Acting
from actum.decision.command import Command
from actum.decision.outcome import Decided
from actum.history.as_of import position_at
from actum.journal.clock import to_datetime
from actum.journal.errors import Busy, Invalid, Refused, Reused, Unknown
from actum.journal.event import Event
from actum.journal.message import to_json
from actum.process.agenda import Answer, Wish
from actum.process.alarms import CancelTimer, DiscardTimer, SetTimer
from actum.process.errands import DiscardEffect, FinishEffect, RetryEffect
from actum.process.instances import DiscardParked, Forgo, RetryInstance
from actum.process.naming import derived, instance_of
from actum.process.process import Process
from actum.process.record import said, timer_of
from actum.projection.projector import LONGEST_WAIT, LOOK_AT_OTHERS
from actum.service.agenda import EffectRow, ProcessRow, TimerRow
from actum.service.staff import Staff
from actum.subscription.progress import Progress, checked_timeout
from actum.subscription.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actum.decision.state import Identity
    from actum.journal.event import Position
    from actum.journal.readmodel import ReadDatabase
    from actum.journal.store import JournalStore
    from actum.process.comparing import ReactionDifference
    from actum.projection.status import FollowerStatus
    from actum.projection.table import Table
    from actum.service.agenda import Agenda
    from actum.service.counter import Counter
    from actum.service.reacting import Reacting

MOST_ROUNDS = 10_000
"""How many rounds `catch_up` makes before it says that there is no end to it."""


class Processes:
    """The processes of an application. With `follow`, a thread keeps them at work; else whoever calls `catch_up` does."""

    def __init__(
        self, app: Reacting, store: JournalStore, *, counter: Counter, database: ReadDatabase, follow: bool
    ) -> None:
        self._app = app
        self._store = store
        self._counter = counter
        self._turn = threading.Lock()
        self.progress = Progress("the processes")
        self._runner: Runner | None = None
        self._database = database
        staff = self._hire(threads=follow, freed=self._nudge)
        self._agenda, self._performer, self._worker = staff.agenda, staff.performer, staff.worker
        worker = self._worker
        worker.begin()
        if follow:
            self._runner = Runner(
                store,
                self._step,
                position=lambda: worker.position,
                progress=self.progress,
                name="processes",
                rest=worker.rest,
            )
            self._runner.start()

    def _hire(self, *, threads: bool, freed: Callable[[], None], owner: str = "") -> Staff:
        made: dict[str, Any] = {"database": self._database, "give": self._give, "threads": threads, "freed": freed}
        return Staff(self._app, self._store, owner=owner, **made)

    def hand(self, owner: str, nudge: Callable[[], None]) -> Staff:
        """What a worker of that name does with what it holds of all this; `nudge` has it look for more to do."""
        return self._hire(threads=True, freed=nudge, owner=owner)

    def _step(self, *, effects: bool = True) -> bool:
        with self._turn:
            return self._worker.step(effects=effects)

    def _nudge(self) -> None:
        if self._runner is not None:
            self._runner.nudge()

    def _give(self, wishes: Sequence[Wish]) -> list[Answer]:
        return self._counter.execute_all([(wish.command, wish.id, wish.acting) for wish in wishes])

    # At work.

    def catch_up(self, *, effects: bool = True) -> Position:
        """Do everything that there is to do now, in this thread: react, fire what is due, have the effects asked for.

        Up to where everything was reacted to. Without `effects`, the outside is left alone. Where workers hold a part, waits for
        them: `Busy` where they do not move for a minute. `Invalid` where the processes never come to rest.
        """
        return self._work_up_to(None, timeout=LONGEST_WAIT, effects=effects)

    def _work_up_to(self, goal: Position | None, *, timeout: float, effects: bool = True) -> Position:
        """Do what there is to do, and wait until others are so far, or as far as the journal; so long where they do not move."""
        deadline, reached = time.monotonic() + timeout, self._worker.position
        for _ in range(MOST_ROUNDS):
            if self._step(effects=effects) or self._performer.finish():
                continue
            if not self._worker.waits_for_others(self._store.head() if goal is None else goal):
                return self._worker.position
            if self._worker.position > reached:
                deadline, reached = time.monotonic() + timeout, self._worker.position
            if time.monotonic() > deadline:
                raise Busy(
                    f"others hold a part of the processes, and have stood at position {reached} for {timeout:g} s"
                )
            time.sleep(LOOK_AT_OTHERS)
        raise Invalid(
            f"after {MOST_ROUNDS:,} rounds there is still something to do: do two processes react to each other for ever?"
        )

    def react_again(self) -> None:
        """Begin anew at the beginning of the journal, or where each process began: what was done is found done.

        Nothing in the journal changes by it. There is seldom a reason; tests have one.
        """
        with self._turn:
            self._worker.begin_again()

    def wait_for(self, position: Position, *, timeout: float = 10.0) -> None:
        """Block until everything up to that position was reacted to.

        `Busy` after `timeout` seconds, `Invalid` for a position from the future.
        """
        position_at(self._store, position, what="wait_for")
        checked_timeout(timeout)
        if self._runner is None:
            self._work_up_to(position, timeout=timeout)
        else:
            self.progress.wait(position, timeout=timeout)

    def close(self) -> None:
        """Stop, once the calls to the outside that are under way have come back."""
        if self._runner is not None:
            self._runner.stop()
        self._performer.close()

    # Looking.

    @property
    def agenda(self) -> Agenda:
        """The tables, brought up to date."""
        self._agenda.catch_up()
        return self._agenda

    def instances(self) -> Table[ProcessRow]:
        """Every instance of a process: `processes.instances().where("status", "=", "parked")`."""
        return self.agenda.table(ProcessRow)

    def timers(self) -> Table[TimerRow]:
        """Every timer; those with a `due` are still to fire, and those that are `parked` cannot."""
        return self.agenda.table(TimerRow)

    def effects(self) -> Table[EffectRow]:
        """Every effect."""
        return self.agenda.table(EffectRow)

    def now(self) -> datetime:
        """What the journal's clock says."""
        return to_datetime(self._store.now())

    def stuck(self, *, patience: timedelta | None = None) -> list[ProcessRow]:
        """The instances that are open and were not heard of for so long (each process's own patience where none is named)."""
        now, found = self.now(), list[ProcessRow]()
        for definition in self._app.definitions:
            longest = definition.cls.__patience__ if patience is None else patience
            silent = self.instances().where("process", "=", definition.name).where("heard", "<=", now - longest)
            found += silent.order("heard")
        return found

    def followers(self) -> tuple[FollowerStatus, ...]:
        """How far each process has come, and so the timers and effects: share by share, in whose hands, and how far behind the
        journal, from the first event on that concerns it and was not reacted to.
        """
        from actum.projection.status import status_of  # noqa: PLC0415 - asked for by whoever operates it

        found = dict[str, Any](database=self._database, store=self._store, now=self._store.now())
        return tuple(status_of(one, concerns=concerns, **found) for one, concerns in self._worker.concerned)

    def unknown_effects(self) -> list[EffectRow]:
        """The effects of which nobody knows whether they were had."""
        now = self.now()
        doubtful = self.effects().where("status", "in", ["calling", "unknown"])
        return [row for row in doubtful if row.is_unknown(now)]

    def compare(self, *processes: type[Process]) -> list[ReactionDifference]:
        """The events to which today's code reacts otherwise than is on record, of these processes, or of all.

        Nothing is given and nothing is written. A reaction on record stays what it was; this says what a change of the code
        would have changed, and finds reactions that depend on something besides the events. The whole history of the
        processes is read.
        """
        from actum.process.comparing import Comparison  # noqa: PLC0415 - asked for by few

        rows = self.instances()
        wanted = [self._app.definition(process.__name__) for process in processes] or list(self._app.definitions)
        found: list[ReactionDifference] = []
        for definition in wanted:
            parked = rows.where("process", "=", definition.name).where("status", "=", "parked")
            since = {row.instance: row.parked_at for row in parked if row.parked_at is not None}
            comparison = Comparison(definition, store=self._store, codec=self._app.codec, parked=since)
            found += comparison.differing(until=self._worker.reached(definition.name))
        return found

    # Helping on.

    def retry(self, process: type[Process], *identity: Identity, reason: str, actor: str | None = None) -> Decided:
        """Have what is parked there tried again, and then what waits behind it. `Refused` where nothing is parked."""
        return self.retry_instance(self._instance(process, identity), reason=reason, actor=actor)

    def retry_instance(self, instance: str, *, reason: str, actor: str | None = None) -> Decided:
        """The same, by the name of the instance: `Payout/T-1`."""
        return self._execute(RetryInstance(instance=instance, reason=reason), None, reason, actor)

    def discard(self, process: type[Process], *identity: Identity, reason: str, actor: str | None = None) -> Decided:
        """Have the event that is parked there never be reacted to, and go on with what waits behind it."""
        return self.discard_instance(self._instance(process, identity), reason=reason, actor=actor)

    def discard_instance(self, instance: str, *, reason: str, actor: str | None = None) -> Decided:
        """The same, by the name of the instance."""
        acting, row = Acting(actor, reason=reason), self.instances().get(instance)
        command: Command = DiscardParked(instance=instance, reason=reason)
        if row is not None and row.parked_at is not None and (taker := self._worker.taker(row.process)) is not None:
            parked = next(iter(self._store.read(after=row.parked_at - 1, limit=1)))
            forgo = Forgo(instance=instance, event=parked.uuid, reason=reason)
            self._settle([Wish(forgo, id, acting) for id in taker.planned(instance, parked)])
            if (timer := taker.timer(parked)) is not None:
                command = DiscardTimer(instance=instance, timer=timer, reason=reason, now=self.now())
        return self._counter.execute(command, id=None, acting=acting, effective_at=None)

    def _settle(self, wishes: Sequence[Wish]) -> None:
        """Give them; that something else was decided first is as good."""
        for answer in self._give(wishes):
            if not isinstance(answer, Decided | Refused | Reused):
                raise answer

    def retry_effect(self, effect: UUID, *, reason: str, actor: str | None = None) -> Decided:
        """Have an effect tried again with the same key. `Refused` unless it failed or is unknown."""
        return self._execute(RetryEffect(effect=effect, reason=reason), None, reason, actor)

    def resolve_effect(self, effect: UUID, *answer: Event, reason: str, actor: str | None = None) -> Decided:
        """Say what the outside would have answered, where a person found out: the effect is then done.

        `Unknown` where there is no such effect, or nobody here declares what answers it can have.
        """
        row = self.effects().get(effect)
        if row is None:
            raise Unknown("effect", str(effect))
        if row.request_type not in self._app.effects:
            raise Unknown("effect", row.request_type, tuple(sorted(self._app.effects)))
        allowed = self._app.effects[row.request_type].answers
        for event in answer:
            if type(event) not in allowed:
                expected = ", ".join(cls.__name__ for cls in allowed) or "nothing"
                raise Invalid(f"expected what the effect answers ({expected}), found {event!r:.120}")
        answers = tuple(said(one, derived("resolution", effect, place)) for place, one in enumerate(answer))
        command = FinishEffect(effect=effect, attempt=row.attempt, answers=answers)
        return self._execute(command, derived("resolve effect", effect, row.attempt), reason, actor)

    def discard_effect(self, effect: UUID, *, reason: str, actor: str | None = None) -> Decided:
        """Give an effect up: it was not had, and will not be."""
        return self._execute(DiscardEffect(effect=effect, reason=reason), None, reason, actor)

    def set_timer(
        self, then: Command | Event, *, at: datetime, name: str, actor: str | None = None, reason: str | None = None
    ) -> UUID:
        """Have a command given, or an event happen, at a time; the timer's id, by which it can be cancelled.

        The same name, time and content is the same timer: setting it twice sets it once.
        """
        if at.tzinfo is None:
            raise Invalid(f"set_timer: at needs a time zone, found the naive {at.isoformat()}")
        content = to_json(then).decode()
        timer = derived("own timer", name, at.timestamp(), then.__kind__, content)
        command = SetTimer(timer=timer, set=timer_of(then, timer=timer, name=name, due=at))
        self._execute(command, derived("set", timer), reason, actor)
        return timer

    def cancel_timer(self, timer: UUID, *, actor: str | None = None, reason: str | None = None) -> Decided:
        """Cancel a timer. `Refused` where it is not set (any more)."""
        return self._execute(CancelTimer(timer=timer), None, reason, actor)

    def _instance(self, process: type[Process], identity: tuple[Identity, ...]) -> str:
        definition = self._app.definition(process.__name__)
        return instance_of(definition.name, definition.fold.ids(identity))

    def _execute(self, command: Command, id: UUID | None, reason: str | None, actor: str | None) -> Decided:
        acting = Acting(actor, reason=reason)
        return self._counter.execute(command, id=id, acting=acting, effective_at=None)

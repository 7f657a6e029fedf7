"""A worker: reacts, fires timers, tries again what is parked, and sees to effects. Any number of them may be at work.

Each piece of work is done once by its id, so that two workers that do the same lose time and nothing else. What time it is,
the journal's clock says, never a worker's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actum.decision.acting import Acting
from actum.decision.outcome import Decided
from actum.journal.clock import to_datetime
from actum.journal.errors import Reused
from actum.journal.query import Query
from actum.process.agenda import Wish
from actum.process.books import SetTimer, Turns, looked_up, turn_of
from actum.process.following import Follower
from actum.process.naming import derived
from actum.process.reacting import TIMERS, EffectNotes, Reactor, Timers
from actum.process.record import TimerSet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from typing import Any
    from uuid import UUID

    from actum.decision.command import Command
    from actum.journal.codec import Codec
    from actum.journal.event import Position
    from actum.journal.readmodel import ReadDatabase
    from actum.journal.store import JournalStore
    from actum.process.agenda import Agenda, Give
    from actum.process.effect import EffectPlan
    from actum.process.parking import Taker
    from actum.process.performing import Performer
    from actum.process.process import Definition
    from actum.process.schedule import SchedulePlan

MOST = 256
"""How many timers, instances or effects are seen to at once."""


class Worker:
    """Does what there is to do, a piece at a call of `step`. Not to be shared between threads."""

    def __init__(
        self,
        *,
        store: JournalStore,
        codec: Codec,
        database: ReadDatabase,
        agenda: Agenda,
        give: Give,
        definitions: Sequence[Definition[Any]],
        effects: Sequence[EffectPlan],
        schedules: Sequence[SchedulePlan],
        commands: Callable[[], dict[str, type[Command]]],
        performer: Performer,
    ) -> None:
        self._store = store
        self._codec = codec
        self._agenda = agenda
        self._give = give
        self._schedules = schedules
        self._performer = performer
        self._looked = to_datetime(0)
        at: dict[str, Any] = {"store": store, "codec": codec, "give": give}
        self._timers = Timers(commands=commands, **at)
        takers: list[Taker] = [self._timers]
        takers += [Reactor(one, commands=commands, **at) for one in definitions]
        takers += [EffectNotes(one, **at) for one in effects]
        self._takers = {taker.name: taker for taker in takers}
        self._followers = [Follower(taker, database=database, **at) for taker in takers]

    @property
    def position(self) -> Position:
        """Up to where everything was reacted to."""
        return min(follower.position for follower in self._followers)

    def reached(self, process: str) -> Position:
        """Up to where one process has reacted."""
        return self._following(process).position

    def _following(self, process: str) -> Follower:
        return next(follower for follower in self._followers if follower.purpose.name == process)

    def taker(self, process: str) -> Taker | None:
        """What takes events for a process; None where it is not declared any more."""
        return self._takers.get(process)

    def begin(self) -> None:
        """Have it on record from where on each process reacts, and the next turn of every schedule set."""
        for follower in self._followers:
            follower.begin()
        self._arrange()

    def begin_again(self) -> None:
        """Have every follower go back to where it began."""
        for follower in self._followers:
            follower.begin_again()

    def step(self, *, effects: bool = True) -> bool:
        """Do one round of what there is to do now, with or without effects; whether there may be more."""
        more = [follower.step() for follower in self._followers]
        self._agenda.catch_up()
        self._looked = now = to_datetime(self._store.now())
        done = self._fire(now) + self._serve(now)
        if effects:
            done += self._performer.see_to(self._agenda.effects(now, MOST))
        return any(more) or done > 0

    def rest(self, longest: float) -> float:
        """How many seconds there is nothing to do, as far as is known; `longest` at the most.

        What was due in the last round was done, or nobody is free for it: whoever comes free is heard of.
        """
        due = self._agenda.next(after=self._looked)
        if due is None:
            return longest
        left = (due - to_datetime(self._store.now())).total_seconds()
        return min(max(left, 0.001), longest)

    # Timers.

    def _fire(self, now: datetime) -> int:
        """Fire all that is due before anything is done about what has fired: none shall be late for another's sake."""
        fired = 0
        while timers := self._agenda.timers(now, MOST):
            self._fire_these(timers, now)
            fired += len(timers)
        return fired

    def _fire_these(self, timers: Sequence[UUID], now: datetime) -> None:
        names = self._codec.names((TimerSet,))
        queries = [Query.of(types=names, tags=[f"actum-timer:{timer}"]) for timer in timers]
        _, found = self._store.load(queries, after=[0] * len(queries))
        self._timers.fire([stored[0] for stored in found], now)
        self._agenda.catch_up()

    def _arrange(self) -> None:
        """Have the next turn of every schedule set, and let go of turns by a rule that is no longer so."""
        now = to_datetime(self._store.now())
        for plan in self._schedules:
            turns = looked_up(Turns, plan.name, store=self._store, codec=self._codec)
            if turns.timer is None or turns.spec != plan.spec:
                turn = turn_of(plan, plan.when.following(now), after=turns.timer or "first")
                acting = Acting(actor=f"process:{TIMERS}")
                (answer,) = self._give([Wish(SetTimer(timer=turn.timer, set=turn), derived("set", turn.timer), acting)])
                if not isinstance(answer, Decided | Reused):  # that somebody else was first is as good
                    raise answer

    # What is parked.

    def _serve(self, now: datetime) -> int:
        due = self._agenda.instances(now, MOST)
        for name in dict.fromkeys(one.process for one in due):
            if name in self._takers:
                follower = self._following(name)
                follower.begin()
                self._takers[name].serve((one.instance for one in due if one.process == name), after=follower.position)
        if due:
            self._agenda.catch_up()
        return sum(one.process in self._takers for one in due)

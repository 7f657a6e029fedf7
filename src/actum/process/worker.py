"""A worker: reacts, fires timers, tries again what is parked, and sees to effects. Any number of them may be at work.

They divide instances, timers and effects by the slices of their names; that spares work, and is not what keeps it from being
done twice. Each piece of work is done once by its id, so that two workers that do the same lose time and nothing else. What time it is,
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
from actum.process.alarms import SetTimer, Turns, turn_of
from actum.process.books import looked_up
from actum.process.following import Follower
from actum.process.naming import TIMERS, derived
from actum.process.reacting import EffectNotes, Reactor, Timers
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
    from actum.subscription.worker import Followed

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
        owner: str = "",
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
        self._followers = [Follower(taker, database=database, owner=owner, **at) for taker in takers]
        self._by_name = {follower.purpose.name: follower for follower in self._followers}

    @property
    def followed(self) -> list[Followed]:
        """What there is to divide among workers."""
        return [follower.followed for follower in self._followers]

    @property
    def concerned(self) -> list[tuple[Followed, Query]]:
        """The same, each with the events that concern it."""
        return [(follower.followed, follower.concerns) for follower in self._followers]

    @property
    def position(self) -> Position:
        """Up to where everything was reacted to, by whomever."""
        return min(follower.position for follower in self._followers)

    def waits_for_others(self, position: Position) -> bool:
        """Whether others hold something that has not come so far."""
        return any(follower.waits_for_others(position) for follower in self._followers)

    def reached(self, process: str) -> Position:
        """Up to where one process has reacted."""
        return self._by_name[process].position

    def taker(self, process: str) -> Taker | None:
        """What takes events for a process; None where it is not declared any more."""
        return self._takers.get(process)

    def look_again(self) -> None:
        """Others have changed who holds what."""
        for follower in self._followers:
            follower.look_again()

    def _is_mine(self, name: str, thing: str) -> bool:
        return name in self._by_name and self._by_name[name].holds(thing)

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
            done += self._performer.see_to(self._agenda.effects(now, MOST, mine=self._is_mine))
        return any(more) or done > 0

    def rest(self, longest: float) -> float:
        """How many seconds there is nothing to do, as far as is known; `longest` at the most.

        What was due in the last round was done, or nobody is free for it: whoever comes free is heard of.
        """
        if not any(follower.at_work for follower in self._followers):
            return longest
        due = self._agenda.next(after=self._looked, mine=self._is_mine)
        if due is None:
            return longest
        left = (due - to_datetime(self._store.now())).total_seconds()
        return min(max(left, 0.001), longest)

    # Timers.

    def _fire(self, now: datetime) -> int:
        """Fire all that is due before anything is done about what has fired: none shall be late for another's sake."""
        fired = 0
        while timers := self._agenda.timers(now, MOST, mine=self._is_mine):
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
        due = self._agenda.instances(now, MOST, mine=self._is_mine)
        for name in dict.fromkeys(one.process for one in due):
            follower = self._by_name[name]
            follower.begin()
            self._takers[name].serve((one.instance for one in due if one.process == name), after=follower.position)
        if due:
            self._agenda.catch_up()
        return len(due)

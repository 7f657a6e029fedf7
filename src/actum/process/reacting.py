"""Reacting: the state of each instance folded up to an event, what it asks for put on record, and then given."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

import msgspec

from actum.decision.command import Command
from actum.journal.clock import to_datetime
from actum.journal.errors import Invalid, Refused, Reused
from actum.journal.event import Position
from actum.journal.query import Query
from actum.process.agenda import Wish
from actum.process.alarms import Fire, FireTurn
from actum.process.errands import NoteEffect
from actum.process.following import first_answer
from actum.process.instances import OutOfTurn, React
from actum.process.naming import TIMERS, derived, instance_of
from actum.process.parking import PARKS, Taker, because, may_pass
from actum.process.reaction import Occasion, Sorted
from actum.process.record import Reacted, Said, TimerFired, TimerSet, command_of, said, timer_of
from actum.process.together import together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from actum.decision.acting import Acting
    from actum.decision.state import Identity
    from actum.journal.event import Event, SequencedEvent
    from actum.process.effect import EffectPlan
    from actum.process.process import Definition, Process
    from actum.process.reaction import Timer
    from actum.process.together import Chain

KEPT = 10_000
"""How many instances are kept folded between two pages."""


_Earlier: TypeAlias = "tuple[tuple[Identity, ...], Sequence[SequencedEvent]]"
"""The identities of an instance, and what is in the journal of it."""


class Tracked:
    """One instance, folded up to where its process has come."""

    __slots__ = ("_definition", "started", "state")

    def __init__(self, definition: Definition[Any], ids: tuple[Identity, ...]) -> None:
        self._definition = definition
        self.state: Process = definition.fold.new(ids)
        self.started = False

    def advance(self, event: Event) -> bool:
        """Take the event in; whether the instance was alive to it."""
        alive = not self.state.ended and (self.started or type(event) in self._definition.starts)
        self.started = self.started or alive
        self._definition.fold.take(self.state, (self._definition.fold.own(event),))
        return alive

    def react(self, event: Event, occasion: Occasion) -> Sorted:
        """What is asked for, now that this has happened."""
        if type(event) not in self._definition.reacts:
            return Sorted()
        return self._definition.react(self.state, event, occasion)


class Reactor(Taker):
    """One process at work."""

    def __init__(
        self, definition: Definition[Any], *, commands: Callable[[], dict[str, type[Command]]], **at: Any
    ) -> None:
        super().__init__(definition.name, **at)
        self.from_beginning = definition.from_beginning
        self.policy = definition.policy or PARKS
        self._definition = definition
        self._commands = commands
        self._tracked: OrderedDict[str, Tracked] = OrderedDict()
        self._earlier: dict[str, _Earlier] = {}

    @property
    def events(self) -> Sequence[type[Event]]:
        return self._definition.events

    def instances(self, stored: SequencedEvent) -> Iterable[str]:
        return [self._definition.instance(ids) for ids in self._definition.fold.keys(stored.tags)]

    def forget(self) -> None:
        super().forget()
        self._tracked.clear()
        self._earlier.clear()

    def set_aside(self, instance: str) -> None:
        """See `Taker.set_aside`."""
        self._tracked.pop(instance, None)
        self._earlier.pop(instance, None)

    def prepare(self, chains: dict[str, list[SequencedEvent]]) -> None:
        """Load the instances that are not at hand; one question for all. They are folded where a failure is theirs alone."""
        self._earlier = self._load({one: events[0] for one, events in chains.items() if one not in self._tracked})
        while len(self._tracked) > KEPT:
            self._tracked.popitem(last=False)

    def _load(self, missing: dict[str, SequencedEvent]) -> dict[str, _Earlier]:
        """What is in the journal of these instances, each told by an event that concerns it."""
        if not missing:
            return {}
        names, tags = self.codec.names(self.events), self._definition.fold.tags
        ids = {instance: self._ids(instance, stored) for instance, stored in missing.items()}
        queries = [Query.of(types=names, tags=tags(one)) for one in ids.values()]
        _, loaded = self.store.load(queries, after=[0] * len(queries))
        return {instance: (ids[instance], found) for instance, found in zip(ids, loaded, strict=True)}

    def _ids(self, instance: str, stored: SequencedEvent) -> tuple[Identity, ...]:
        for ids in self._definition.fold.keys(stored.tags):
            if self._definition.instance(ids) == instance:
                return ids
        raise Invalid(f"the event at position {stored.position} does not concern {instance} any more")

    def _track(self, instance: str, stored: SequencedEvent) -> Tracked:
        """The instance, with everything taken in that stands before that event."""
        tracked = self._tracked.get(instance)
        if tracked is None:
            if instance not in self._earlier:  # it was set aside in the middle of a page
                self._earlier |= self._load({instance: stored})
            ids, earlier = self._earlier.pop(instance)
            tracked = Tracked(self._definition, ids)
            for one in earlier:
                if one.position < stored.position:
                    for event in self.codec.decode(one):
                        tracked.advance(event)
            self._tracked[instance] = tracked
        self._tracked.move_to_end(instance)
        return tracked

    def planned(self, instance: str, stored: SequencedEvent) -> Iterable[UUID]:
        """See `Taker.planned`."""
        query = Query.of(types=self.codec.names((Reacted,)), tags=[f"actum-instance:{instance}"])
        for one in self.store.read(query, after=stored.position):
            for event in self.codec.decode(one):
                if isinstance(event, Reacted) and event.to == stored.uuid:
                    yield from (command.id for command in event.commands)

    # One event.

    def work(self, instance: str, stored: SequencedEvent, *, after: Position) -> Chain:
        """See `Taker.work`."""
        tracked = self._track(instance, stored)
        for part, event in enumerate(self.codec.decode(stored)):
            begun, alive = tracked.started, tracked.advance(event)
            if not alive:
                continue
            occasion = Occasion(stored, instance, part)
            wants = tracked.react(event, occasion)
            if wants or not begun or tracked.state.ended:
                id = derived("react", instance, stored.uuid, part)
                news = News(instance, self.name, after, started=not begun, ended=tracked.state.ended)
                yield from self._record(news, wants, stored, id)

    def _record(self, news: News, wants: Sorted, stored: SequencedEvent, id: UUID) -> Chain:
        """Put the reaction on record, then give its commands: those on record, whatever is asked for today."""
        acting = because(stored, self.name)
        try:
            decided = yield Wish(news.command(wants, stored, id), id, acting)
            events: Sequence[Event] = decided.events
        except Reused:
            events = [event for one in first_answer(self.store, id) for event in self.codec.decode(one)]
        for planned in (one for event in events if isinstance(event, Reacted) for one in event.commands):
            yield from giving(planned, self._commands(), acting)


class News(msgspec.Struct, frozen=True):
    """What is to be said of a reaction beside what it asks for."""

    instance: str
    process: str
    after: Position
    started: bool
    ended: bool

    def command(self, wants: Sorted, stored: SequencedEvent, id: UUID) -> React:
        """The reaction as it goes on record."""
        since = to_datetime(stored.recorded)
        timers = {timer.name: self._timer(timer, since, id) for timer in wants.timers}
        return React(
            instance=self.instance,
            process=self.process,
            to=stored.uuid,
            position=stored.position,
            when=since,
            after=self.after,
            commands=tuple(said(one, derived("command", id, place)) for place, one in enumerate(wants.commands)),
            effects=tuple(said(one, derived("effect", id, place)) for place, one in enumerate(wants.effects)),
            timers=() if self.ended else tuple(timers.values()),
            cancels=tuple(wants.cancels),
            started=self.started,
            ended=self.ended,
        )

    def _timer(self, timer: Timer, since: datetime, id: UUID) -> TimerSet:
        number = derived("timer", id, timer.name)
        due = timer.due(since)
        return timer_of(timer.then, timer=number, name=timer.name, due=due, instance=self.instance)


def giving(planned: Said, commands: dict[str, type[Command]], acting: Acting) -> Chain:
    """Give a command that is on record. That the rules refuse it is an answer, and on record, too.

    Where its id stands for something else, it was given in the words of other code, or shall not be given any more.
    """
    with suppress(Refused, Reused):
        yield Wish(command_of(planned, commands), planned.id, acting)


class OneByOne(Taker):
    """Takes each event by itself: none has to wait for another, and nothing is kept between two."""

    def instances(self, stored: SequencedEvent) -> Iterable[str]:
        return [instance_of(self.name, [stored.uuid])]

    def prepare(self, chains: dict[str, list[SequencedEvent]]) -> None:
        """Nothing is needed."""

    def set_aside(self, instance: str) -> None:
        """Nothing is kept."""


class Timers(OneByOne):
    """Fires timers, and gives the commands that they stood for once they have fired."""

    def __init__(self, *, commands: Callable[[], dict[str, type[Command]]], **at: Any) -> None:
        super().__init__(TIMERS, **at)
        self._commands = commands

    @property
    def events(self) -> Sequence[type[Event]]:
        return (TimerFired,)

    def fire(self, due: Sequence[SequencedEvent], now: datetime) -> None:
        """Fire the timers that these events set. One that cannot fire is parked, and the others go on."""
        together((self._fire(stored, now) for stored in due), self._give)

    def _fire(self, stored: SequencedEvent, now: datetime) -> Chain:
        try:
            yield from self._firing(stored, now)
        except OutOfTurn:
            return
        except Exception as wrong:
            if may_pass(wrong):
                raise
            (instance,) = self.instances(stored)
            yield from self._park(instance, stored, 1, wrong)

    def _firing(self, stored: SequencedEvent, now: datetime) -> Chain:
        """That somebody else fired it first is as good."""
        (due,) = self.codec.decode(stored)
        assert isinstance(due, TimerSet)
        turn = FireTurn(timer=due.timer, schedule=due.schedule, now=now) if due.schedule else None
        with suppress(Reused):
            yield Wish(turn or Fire(timer=due.timer, now=now), derived("fire", due.timer), because(stored, TIMERS))

    def timer(self, stored: SequencedEvent) -> UUID | None:
        """See `Taker.timer`."""
        (event,) = self.codec.decode(stored)
        return event.timer if isinstance(event, TimerSet) else None

    def planned(self, instance: str, stored: SequencedEvent) -> Iterable[UUID]:
        """See `Taker.planned`."""
        events = self.codec.decode(stored)
        return [event.command.id for event in events if isinstance(event, TimerFired) and event.command is not None]

    def work(self, instance: str, stored: SequencedEvent, *, after: Position) -> Chain:
        """See `Taker.work`."""
        for event in self.codec.decode(stored):
            match event:
                case TimerSet():
                    yield from self._firing(stored, to_datetime(self.store.now()))
                case TimerFired(command=Said() as command):
                    yield from giving(command, self._commands(), because(stored, TIMERS))
                case _:
                    pass


class EffectNotes(OneByOne):
    """Notes that an event asks for something outside, so that it is seen to."""

    def __init__(self, plan: EffectPlan, **at: Any) -> None:
        super().__init__(plan.name, **at)
        self.from_beginning = plan.from_beginning
        self._plan = plan

    @property
    def events(self) -> Sequence[type[Event]]:
        return (self._plan.request,)

    def work(self, instance: str, stored: SequencedEvent, *, after: Position) -> Chain:
        """See `Taker.work`."""
        for part, event in enumerate(self.codec.decode(stored)):
            if isinstance(event, self._plan.request):
                effect = derived("effect", stored.uuid, part)
                note = NoteEffect(
                    effect=effect,
                    instance=instance,
                    request_type=self.name,
                    request=stored.uuid,
                    position=stored.position,
                    digest=sha256(stored.data).hexdigest(),
                )
                with suppress(Reused):  # by other code, in other words
                    yield Wish(note, derived("note", effect), because(stored, self.name))

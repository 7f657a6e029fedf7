"""Scenarios of processes: given what had happened, when this happens, then that is asked for. Time passes when one says so.

```python
given(bank, Requested(payout="P", account="A", amount=Decimal(5))).when_happens(
    Reserved(payout="P", account="A", amount=Decimal(5))
).then_effects(SendMoney(payout="P", amount=Decimal(5)))
```

Each is played on a fresh journal in every kind of store, with its own clock. Nothing outside is called: what an effect would have
answered is said with `when_happens`. Beside what a scenario says, it always holds a process to what nobody should have to say:
`react` is a function of the state and the event, and changes neither; reacting to everything once more changes nothing; every event
a process leads to names its cause.
"""

from __future__ import annotations

import copy
import tempfile
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

import msgspec

from actum.decision.state import fold_of
from actum.journal.clock import to_microseconds
from actum.journal.event import RESERVED
from actum.journal.message import from_json
from actum.journal.query import Query
from actum.journal.store import Durability
from actum.testing.clocks import SetClock
from actum.testing.difference import compared, fields, of_events, told
from actum.testing.stage import TELLER, fact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actum.decision.command import Command
    from actum.decision.state import Fold, Identity, State
    from actum.journal.event import Event, SequencedEvent
    from actum.testing.stage import Address, AtWork, Fact, Plan

Looked = TypeVar("Looked")

BEGINNING = datetime(2030, 1, 1, 12, tzinfo=UTC)
"""When every scenario begins."""


@dataclass(frozen=True)
class Happening:
    """What happens next: facts, or time that passes."""

    facts: tuple[Fact, ...] = ()
    passes: timedelta = timedelta(0)


class _Said(msgspec.Struct):
    type: str
    version: int
    content: msgspec.Raw


class _Reaction(msgspec.Struct):
    to: UUID
    commands: tuple[_Said, ...] = ()
    ended: bool = False


class _Timer(msgspec.Struct):
    name: str
    due: datetime | None = None


@dataclass(frozen=True)
class _Seen:
    """What the last happening led to on one store."""

    store: str
    commands: tuple[Command, ...]
    effects: tuple[Event, ...]
    timers: dict[str, timedelta]
    cancelled: tuple[str, ...]
    fired: tuple[Event, ...]
    ended: bool
    wrong: tuple[str, ...]


class Happened:
    """A scenario in which something has just happened. Say what the processes asked for, or let more happen."""

    def __init__(self, plan: Plan, happenings: tuple[Happening, ...]) -> None:
        self._plan = plan
        self._happenings = happenings
        self._looked: list[_Seen] | None = None

    # Going on.

    def when_happens(self, *events: Event | Fact) -> Happened:
        """Then this happens."""
        return self._then(Happening(tuple(fact(event) for event in events)))

    def when_time_passes(self, **time: float) -> Happened:
        """Then so much time passes: `when_time_passes(days=2)`. Timers that are due fire."""
        return self._then(Happening(passes=timedelta(**time)))

    def _then(self, happening: Happening) -> Happened:
        return Happened(self._plan, (*self._happenings, happening))

    # Looking.

    def then_commands(self, *commands: Command) -> Happened:
        """Exactly these commands are asked for by what just happened, in this order; none where none is named."""
        __tracebackhide__ = True
        return self._compare(lambda seen: of_events(commands, seen.commands))

    def then_effects(self, *effects: Event) -> Happened:
        """Exactly these effects are asked for, in this order."""
        __tracebackhide__ = True
        return self._compare(lambda seen: of_events(effects, seen.effects))

    def then_timers(self, **timers: timedelta) -> Happened:
        """Exactly these timers are set, by name, so long after what just happened."""
        __tracebackhide__ = True
        return self._compare(lambda seen: compared(timers, seen.timers))

    def then_cancelled(self, *names: str) -> Happened:
        """Exactly these timers are cancelled, in any order."""
        __tracebackhide__ = True
        expected: dict[str, object] = {"cancelled": sorted(names)}
        return self._compare(lambda seen: compared(expected, {"cancelled": sorted(seen.cancelled)}))

    def then_happens(self, *events: Event) -> Happened:
        """Exactly these events happened because timers fired, in this order."""
        __tracebackhide__ = True
        return self._compare(lambda seen: of_events(events, seen.fired))

    def then_nothing(self) -> Happened:
        """Nothing is asked for."""
        __tracebackhide__ = True
        return self.then_commands().then_effects().then_timers().then_cancelled()

    def then_ended(self) -> Happened:
        """The instance has come to its end."""
        __tracebackhide__ = True
        return self._compare(lambda seen: compared({"ended": True}, {"ended": seen.ended}))

    def and_state(self, state: type[State], *identity: Identity, **expected: object) -> Happened:
        """That thing's state is now so; the fields named are compared, no others."""
        __tracebackhide__ = True
        for store in self._plan.stores:
            found = fields(_Stage(self._plan, store).state(self._happenings, state, identity))
            unknown = [name for name in expected if name not in found]
            if unknown or not expected:
                raise TypeError(f"{state.__name__}: expected fields of {', '.join(found)}, found {unknown or 'none'}")
            self._require(store.__name__, compared(expected, {name: found[name] for name in expected}))
        return self

    def _compare(self, differences: Callable[[_Seen], Sequence[str]]) -> Happened:
        __tracebackhide__ = True
        if self._looked is None:
            self._looked = [_Stage(self._plan, store).play(self._happenings) for store in self._plan.stores]
        for seen in self._looked:
            self._require(seen.store, seen.wrong)
            self._require(seen.store, differences(seen))
        return self

    def _require(self, store: str, lines: Sequence[str]) -> None:
        __tracebackhide__ = True
        if not lines:
            return
        story = [f"given  {told(one.event)}" for one in self._plan.facts] or ["given  nothing"]
        for happening in self._happenings:
            story += [f"when   {told(one.event)}" for one in happening.facts]
            story += [f"when   {happening.passes} pass"] * bool(happening.passes)
        raise AssertionError("\n".join([*lines, "", *(f"  {line}" for line in story), f"  on     {store}"]))


class _Stage:
    """Where one scenario is played on one store."""

    def __init__(self, plan: Plan, store: Address) -> None:
        self._plan = plan
        self._store = store
        self._codec = plan.app.codec

    def play(self, happenings: Sequence[Happening]) -> _Seen:
        """Play it, and keep what the last happening led to."""

        def look(running: AtWork, after: int, caused: int) -> _Seen:
            events = list(running.store.read(Query.all()))
            return self._seen(events, after, caused, self._wrong(running, events))

        return self._open(happenings, look)

    def state(self, happenings: Sequence[Happening], state: type[State], identity: tuple[Identity, ...]) -> State:
        """Play it, and look at one state."""

        def look(running: AtWork, after: int, caused: int) -> State:
            return running.state(state, *identity)

        return self._open(happenings, look)

    def _open(self, happenings: Sequence[Happening], look: Callable[[AtWork, int, int], Looked]) -> Looked:
        clock = SetClock(to_microseconds(BEGINNING))
        with tempfile.TemporaryDirectory(prefix="actum-scenario-") as folder:
            running = self._plan.app.open(
                self._store(Path(folder)),
                actor=TELLER,
                durability=Durability.LOSES_LAST_COMMITS_WITH_POWER,
                follow=False,
                clock=clock,
            )
            try:
                after = caused = 0
                for happening in (Happening(self._plan.facts), *happenings):
                    after = running.store.head()
                    clock.set(clock.now() + round(happening.passes.total_seconds() * 1_000_000))
                    for one in happening.facts:
                        running.append(one.event, actor=one.actor, effective_at=one.moment)
                    caused = running.store.head()
                    running.processes.catch_up(effects=False)
                return look(running, after, caused)
            finally:
                running.close()

    # What came of it.

    def _seen(self, events: list[SequencedEvent], after: int, caused: int, wrong: list[str]) -> _Seen:
        new = [event for event in events if event.position > after]
        fired = [event for event in new if event.type == f"{RESERVED}timer-fired"]
        by_timer = {event.metadata.command_id for event in fired}
        happened = [event for event in new if event.metadata.command_id in by_timer and not _is_ours(event)]
        causes = {event.uuid for event in (*new[: caused - after], *happened)}
        reactions = [
            (event, msgspec.json.decode(event.data, type=_Reaction))
            for event in new
            if event.type == f"{RESERVED}reacted"
        ]
        mine = {event.metadata.command_id: reaction for event, reaction in reactions if reaction.to in causes}
        beside = [event for event in new if event.metadata.command_id in mine]
        return _Seen(
            store=self._store.__name__,
            commands=tuple(self._command(said) for reaction in mine.values() for said in reaction.commands),
            effects=self._decoded(event for event in beside if not _is_ours(event)),
            timers={timer.name: due for timer, due in self._timers(beside)},
            cancelled=tuple(_timer(event).name for event in beside if event.type == f"{RESERVED}timer-cancelled"),
            fired=self._decoded(happened),
            ended=any(reaction.ended for _, reaction in reactions),
            wrong=tuple(wrong),
        )

    def _timers(self, events: Iterable[SequencedEvent]) -> Iterable[tuple[_Timer, timedelta]]:
        for event in events:
            if event.type == f"{RESERVED}timer-set":
                timer = _timer(event)
                assert timer.due is not None
                yield timer, timer.due - event.recorded_at

    def _command(self, said: _Said) -> Command:
        return from_json(bytes(said.content), self._plan.app.commands[said.type])

    def _decoded(self, events: Iterable[SequencedEvent]) -> tuple[Event, ...]:
        return tuple(event for stored in events for event in self._codec.decode(stored))

    # What every scenario demands.

    def _wrong(self, running: AtWork, events: list[SequencedEvent]) -> list[str]:
        lines = [line for stored in events for line in self._impure(stored, events)]
        lines += [
            f"{event.type} at position {event.position} names no cause"
            for event in events
            if event.metadata.actor.startswith("process:")
            and event.metadata.causation is None
            and event.type not in (f"{RESERVED}process-begun", f"{RESERVED}timer-set")
        ]
        running.processes.react_again()
        running.processes.catch_up(effects=False)
        added = [event.type for event in running.store.read(Query.all(), after=len(events))]
        return lines + [f"reacting to everything once more, expected nothing new, found {', '.join(added)}"] * bool(
            added
        )

    def _impure(self, stored: SequencedEvent, events: list[SequencedEvent]) -> Iterable[str]:
        """`react`, called twice on equal things, must answer twice the same, and change nothing."""
        for process in self._plan.app.processes.values():
            fold: Fold[Any] = fold_of(process)
            for ids in fold.keys(stored.tags):
                before = [event for event in events if event.position <= stored.position]
                yield from self._reacted_twice(process, fold, ids, before)

    def _reacted_twice(
        self, process: type[State], fold: Fold[Any], ids: tuple[Identity, ...], events: list[SequencedEvent]
    ) -> Iterable[str]:
        react: Any = vars(process)["react"]
        hints = typing.get_type_hints(react)
        event = self._codec.decode(events[-1])[-1]
        wanted = hints[next(iter(hints))]
        if type(event) not in (typing.get_args(wanted) or (wanted,)):
            return
        answers: list[list[Any]] = []
        for _ in range(2):
            state = fold.new(ids)
            fold.replay(state, (one for one in events if fold.tags(ids) <= set(one.tags)), self._codec)
            given = copy.deepcopy(state)
            more = [hints[name](events[-1], "again") for name in list(hints)[1:] if name != "return"]
            answer: Any = react(state, event, *more)
            answers.append(list(cast("Iterable[object]", answer)) if isinstance(answer, Iterable) else [answer])
            if state != given:
                yield f"{process.__name__}.react changed its state; a reaction asks, and only evolve changes a state"
        if answers[0] != answers[1]:
            yield (
                f"{process.__name__}.react was called twice on the same: first {told(answers[0])}, then {told(answers[1])}; "
                "take an Occasion, and use its time, ids and chance"
            )


def _is_ours(event: SequencedEvent) -> bool:
    return event.type.startswith(RESERVED)


def _timer(event: SequencedEvent) -> _Timer:
    return msgspec.json.decode(event.data, type=_Timer)

"""A process: a state that reacts. What it knows is folded from the journal; what it wants is asked for, and on record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar, dataclass_transform

import msgspec

from actum.decision.state import Fold, Identity, State, StateType, events_in, hints_of, may_carry, source
from actum.journal.errors import Misdeclared
from actum.journal.event import Event
from actum.journal.fields import name_of
from actum.process.naming import instance_of
from actum.process.reaction import Occasion, Reactions, Sorted
from actum.subscription.policy import Policy, Then

PATIENCE = timedelta(days=1)
"""After how long without a reaction an instance that has not ended counts as stuck, unless its class says otherwise."""


@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class ProcessType(StateType):
    """What makes a class of processes: that of states, what they start with, and how long they may be silent."""

    def __new__(
        mcls,
        class_name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        /,
        *,
        starts: type[Event] | tuple[type[Event], ...] = (),
        patience: timedelta = PATIENCE,
        on_failure: Policy | None = None,
        **options: Any,
    ) -> Any:
        made: Any = super().__new__(mcls, class_name, bases, namespace, **options)
        made.__policy__ = None if on_failure is None else _checked_parks(on_failure, class_name)
        made.__starts__ = starts if isinstance(starts, tuple) else (starts,)
        made.__patience__ = patience
        return made


def _checked_parks(policy: object, name: str) -> Policy:
    if not isinstance(policy, Policy) or policy.then is not Then.PARK:
        raise Misdeclared(
            f"{name}: on_failure: expected park(…), found {policy!r:.80}; a process parks what it cannot take, and a person retries "
            "it or discards it, for other instances must not wait and nothing may be left out unseen"
        )
    return policy


class Process(State, metaclass=ProcessType):
    """A state that reacts to events with commands, timers and effects.

    ```python
    @bank.process
    class Payout(Process, starts=Requested):
        payout: PayoutId

        def evolve(self, event: Requested | Debited | Sent) -> None: ...
        def react(self, event: Requested | Debited) -> Iterator[Command | Timer | SendMoney]: ...
    ```

    Its identities say which instance an event concerns. An instance lives from the first of the events that it `starts`
    with until `evolve` sets `ended`; its timers are then cancelled. `react` sees the state after the event, and changes
    nothing: it answers what shall be done. It may take an `Occasion` as its second argument, for time, ids and chance.
    Instances that are silent for longer than `patience` are found as stuck. `on_failure=park(attempts=…, pause=…)` says how often
    an event that cannot be taken is tried again by itself, and after which pauses, before it is left to a person.
    """

    __starts__: ClassVar[tuple[type[Event], ...]]
    __patience__: ClassVar[timedelta]
    __policy__: ClassVar[Policy | None]

    ended: bool = False
    """Set by `evolve` when there is nothing more to react to."""

    def react(self, event: Any, /) -> Reactions:
        """What shall be done now that this has happened."""
        raise Misdeclared(f"{type(self).__name__} has no react; write `def react(self, event: A | B) -> Iterator[…]`")


ProcessT = TypeVar("ProcessT", bound=Process)


class Definition(Generic[ProcessT]):
    """A process class understood: what it is folded from, what it reacts to, and what it begins with."""

    def __init__(self, cls: type[ProcessT], *, from_beginning: bool) -> None:
        self.cls = cls
        self.name = cls.__name__
        self.from_beginning = from_beginning
        self.policy = cls.__policy__
        self.fold: Fold[ProcessT] = Fold(cls)
        self.reacts, self._occasion = _reacts(cls)
        self.starts = frozenset(cls.__starts__)
        self.events = tuple(dict.fromkeys((*self.fold.events, *self.reacts)))
        self._check()
        self.follows = frozenset(self.events)

    def _check(self) -> None:
        if not self.fold.identity:
            raise Misdeclared(f"{self.name} has no identity: events could not be told to belong to one instance")
        if self.fold.snapshot_every is not None:
            raise Misdeclared(f"{self.name}: a process is folded as of every event, so it has no snapshots")
        if not self.starts:
            raise Misdeclared(f"say what an instance begins with: class {self.name}(Process, starts=Requested)")
        for event in self.starts:
            if event not in self.events:
                raise Misdeclared(
                    f"{self.name} starts with {name_of(event)}, which neither its evolve nor its react takes"
                )
        for event in self.events:
            missing = [tag.name for tag in self.fold.identity.values() if not may_carry(event, tag)]
            if missing:
                raise Misdeclared(
                    f"{self.name} is found by the tag {missing[0]!r}, which {name_of(event)} never carries"
                )

    def instance(self, ids: tuple[Identity, ...]) -> str:
        """How the instance is called."""
        return instance_of(self.name, ids)

    def react(self, state: ProcessT, event: Event, occasion: Occasion) -> Sorted:
        """What the process asks for, sorted out."""
        react: Any = state.react
        answer = react(event, occasion) if self._occasion else react(event)
        return Sorted.of(answer, f"{self.name}.react")


def _reacts(cls: type[Process]) -> tuple[frozenset[type[Event]], bool]:
    """The events that `react` takes, and whether it takes the occasion, too."""
    what = f"{cls.__name__}.react"
    if cls.react is Process.react:
        raise Misdeclared(f"{cls.__name__} has no react; write `def react(self, event: A | B) -> Iterator[…]`")
    parameters, hints = source().parameters_of(cls.react), hints_of(cls.react, what)
    if not source().is_ordinary(cls.react, generator=True):
        raise Misdeclared(f"{what}: a reaction is an ordinary function; what must be awaited is an effect")
    if len(parameters) not in (2, 3) or parameters[1] not in hints:
        raise Misdeclared(f"{what}: expected `(self, event: A | B)`, which says what it reacts to")
    if len(parameters) == 3 and hints.get(parameters[2]) is not Occasion:
        raise Misdeclared(f"{what}: the parameter {parameters[2]!r} is no Occasion, and there is nothing else to have")
    events = events_in(hints[parameters[1]])
    if not events:
        raise Misdeclared(f"{what} takes {name_of(hints[parameters[1]])}; expected one or more event classes: A | B")
    forgotten = source().forgotten(cls.react, parameters[1], {event.__name__ for event in events})
    if forgotten:
        raise Misdeclared(
            f"{what} takes {', '.join(sorted(forgotten))} and its match has no case for it; "
            "add the case, or take the type out of the annotation"
        )
    return frozenset(events), len(parameters) == 3

"""An effect: a call to the outside, had once, outside of every replay, with its request, attempts and answer on record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from uuid import UUID

import msgspec

from actum.decision.state import events_in, hints_of, source
from actum.journal.errors import Misdeclared
from actum.journal.event import Event
from actum.journal.fields import name_of
from actum.process.reaction import Effect, Occasion

if TYPE_CHECKING:
    from actum.journal.event import SequencedEvent

LEASE = timedelta(seconds=60)
"""How long a call to the outside may take before nobody knows what became of it."""

ATTEMPTS = 10
"""How often an effect is tried before it is left to a person."""

Perform: TypeAlias = Callable[..., Any]
"""A function that calls the outside: from a request, and perhaps the attempt, to the events that are its answer."""


class Unknown(Enum):
    """What becomes of an effect of which nobody knows whether it was had."""

    REPEAT = "repeat"
    """Call again with the same key: for whoever is outside and keeps to the key."""
    PERSON = "person"
    """Leave it, and show it, until a person says what became of it."""


class Attempt(Occasion):
    """One call to the outside. `key` is the same in every attempt at one effect: pass it on, so that it is had once."""

    __slots__ = ("key", "number")

    def __init__(self, stored: SequencedEvent, *, key: UUID, number: int) -> None:
        super().__init__(stored, key, number)
        self.key = key
        self.number = number


class EffectPlan(msgspec.Struct, frozen=True):
    """An effect understood: what asks for it, what does it, what finds out, and what becomes of it where nobody knows."""

    request: type[Effect]
    perform: Perform
    takes_attempt: bool
    answers: tuple[type[Event], ...]
    unknown: Unknown
    ask: Perform | None
    ask_takes_attempt: bool
    lease: timedelta
    attempts: int
    from_beginning: bool

    @property
    def name(self) -> str:
        """The registered name of its request."""
        return self.request.__kind__.type

    def call(self, request: Event, attempt: Attempt) -> tuple[Event, ...]:
        """Call the outside; its answer as events."""
        return _events(self, self.perform(request, attempt) if self.takes_attempt else self.perform(request))

    def inquire(self, request: Event, attempt: Attempt) -> tuple[Event, ...] | None:
        """Ask the outside whether it was had: the events that are its answer, or None where it was not."""
        assert self.ask is not None
        answer = self.ask(request, attempt) if self.ask_takes_attempt else self.ask(request)
        return None if answer is None else _events(self, answer)


def effect_of(
    perform: Perform,
    *,
    unknown: Unknown,
    ask: Perform | None,
    lease: timedelta,
    attempts: int,
    from_beginning: bool,
) -> EffectPlan:
    """The effect that the function is. `Misdeclared` where its signature says too little."""
    what = f"{perform.__module__}.{perform.__qualname__}"
    request, takes_attempt, answers = _signature(perform, what)
    ask_takes_attempt = False
    if ask is not None:
        asked, ask_takes_attempt, _ = _signature(ask, f"{ask.__module__}.{ask.__qualname__}")
        if asked is not request:
            raise Misdeclared(f"{what} takes {request.__name__}, and what finds out takes {asked.__name__}")
    if lease <= timedelta(0) or attempts < 1:
        raise Misdeclared(f"{what}: expected a lease above 0 and one attempt or more, found {lease} and {attempts}")
    return EffectPlan(
        request, perform, takes_attempt, answers, unknown, ask, ask_takes_attempt, lease, attempts, from_beginning
    )


def _signature(function: Perform, what: str) -> tuple[type[Effect], bool, tuple[type[Event], ...]]:
    parameters, hints = source().parameters_of(function), hints_of(function, what)
    if not source().is_ordinary(function, generator=False):
        raise Misdeclared(f"{what}: an effect is an ordinary function, called in a thread of its own")
    request = hints.get(parameters[0]) if parameters else None
    if not (isinstance(request, type) and issubclass(request, Effect) and request is not Effect):
        raise Misdeclared(f"{what}: expected an effect first, as in `def {function.__name__}(request: MailAsked)`")
    if len(parameters) > 2 or (len(parameters) == 2 and hints.get(parameters[1]) is not Attempt):
        raise Misdeclared(f"{what}: expected `(request: {request.__name__}, attempt: Attempt)`, or the request alone")
    if "return" not in hints:
        raise Misdeclared(f"{what}: say what the answer is, as in `-> MailSent`, or `-> None` where there is none")
    answers = events_in(hints["return"])
    if not answers and hints["return"] is not type(None):
        raise Misdeclared(f"{what}: answers {name_of(hints['return'])}; expected event classes, as in `-> MailSent`")
    return request, len(parameters) == 2, answers


def _events(plan: EffectPlan, answer: object) -> tuple[Event, ...]:
    if answer is None:
        return ()
    events: list[Event] = []
    for event in cast("Iterable[object]", answer) if isinstance(answer, Iterable) else (answer,):
        if not isinstance(event, Event) or type(event) not in plan.answers:
            expected = ", ".join(cls.__name__ for cls in plan.answers) or "nothing"
            raise Misdeclared(f"the effect {plan.name} answered {event!r:.120}; it says that it answers {expected}")
        events.append(event)
    return tuple(events)

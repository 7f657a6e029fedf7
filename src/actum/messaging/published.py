"""What a context lets others know: its public events, each as it is or mapped from one of its own.

Whoever listens sees public events only, so that a context may change its own without asking anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias, cast

import msgspec

from actum.decision.state import events_in, hints_of, source
from actum.journal.codec import Codec
from actum.journal.errors import Misdeclared
from actum.journal.event import Event
from actum.journal.fields import name_of

Mapping: TypeAlias = Callable[..., Any]
"""A pure function from an event of the context's own to public ones: one, several, or None."""


class Publication(msgspec.Struct, frozen=True):
    """One kind of the context's own events, and what others are told of it."""

    own: type[Event]
    public: tuple[type[Event], ...]
    mapping: Mapping | None = None

    def of(self, event: Event) -> tuple[Event, ...]:
        """What others are told of this event. `Misdeclared` where that is not what the mapping says that it answers."""
        told = event if self.mapping is None else self.mapping(event)
        events: list[Event] = []
        for one in cast("Iterable[object]", told) if isinstance(told, Iterable) else (told,):
            if one is None:
                continue
            if not isinstance(one, Event) or type(one) not in self.public:
                expected = ", ".join(cls.__name__ for cls in self.public)
                raise Misdeclared(
                    f"of {self.own.__name__} was told {one!r:.120}; its mapping says that it answers {expected}"
                )
            events.append(one)
        return tuple(events)


class Publisher(Protocol):
    """A context as its listeners know it."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def codec(self) -> Codec:
        """How its events are read."""
        ...

    @property
    def publications(self) -> dict[type[Event], Publication]:
        """What it publishes, by its own events."""
        ...


def publications_of(declared: type[Event] | Mapping) -> tuple[Publication, ...]:
    """What the class, as it is, or the function, by its signature, publishes. `Misdeclared` where that says too little."""
    if isinstance(declared, type):
        if not issubclass(declared, Event):
            raise Misdeclared(f"publishes: expected an event class or a function, found {declared.__name__}")
        return (Publication(declared, (declared,)),)
    what = f"{declared.__module__}.{declared.__qualname__}"
    parameters, hints = source().parameters_of(declared), hints_of(declared, what)
    own = events_in(hints.get(parameters[0])) if len(parameters) == 1 else ()
    if not own:
        raise Misdeclared(
            f"{what}: expected one event of the context's own, as in `def told(event: Deposited) -> PaidIn`"
        )
    public = events_in(hints.get("return"))
    if not public:
        raise Misdeclared(f"{what}: answers {name_of(hints.get('return'))}; expected public events, as in `-> PaidIn`")
    return tuple(Publication(cls, public, declared) for cls in own)

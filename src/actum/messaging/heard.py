"""What a context does about another's public events: a function from each to a command of its own.

Every command has an id that follows from the event, so that whatever is heard twice is done once. What happened, who did it
and to which story it belongs are carried along: the event is the command's cause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from uuid import UUID

import msgspec

from actum.decision.acting import Acting
from actum.decision.command import Command, command_id_of
from actum.decision.state import events_in, hints_of, source
from actum.journal.errors import Misdeclared
from actum.journal.event import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.journal.event import SequencedEvent
    from actum.messaging.published import Publisher

Hear: TypeAlias = Callable[..., Any]
"""A pure function from a public event to a command, several, or None."""


class Ear(msgspec.Struct, frozen=True):
    """One such function, and the public events that it takes."""

    name: str
    hears: tuple[type[Event], ...]
    function: Hear

    def commands(self, event: Event) -> tuple[Command, ...]:
        """What is to be done about it. `Misdeclared` for what is no command."""
        answer = self.function(event)
        found: list[Command] = []
        for one in cast("Iterable[object]", answer) if isinstance(answer, Iterable) else (answer,):
            if one is None:
                continue
            if not isinstance(one, Command):
                raise Misdeclared(f"{self.name} answered {one!r:.120}; expected commands of its own context, or None")
            found.append(one)
        return tuple(found)


def ear_of(function: Hear) -> Ear:
    """What the function hears, by its signature. `Misdeclared` where that says too little."""
    what = f"{function.__module__}.{function.__qualname__}"
    parameters, hints = source().parameters_of(function), hints_of(function, what)
    events = events_in(hints.get(parameters[0])) if len(parameters) == 1 else ()
    if not events:
        raise Misdeclared(
            f"{what}: expected one public event, as in `def {function.__name__}(event: PaidIn) -> NoteMoney`"
        )
    return Ear(function.__name__, events, function)


class Told(msgspec.Struct, frozen=True):
    """A command to give, with its id and on whose behalf."""

    command: Command
    id: UUID
    acting: Acting


class Hearing:
    """All that one context hears of another. `Misdeclared` for an event that the other does not publish."""

    def __init__(self, hearer: str, publisher: Publisher, ears: tuple[Ear, ...]) -> None:
        self.hearer = hearer
        self.source = publisher.name
        self.ears = ears
        self._codec = publisher.codec
        self._publications = publisher.publications
        published = {cls for one in self._publications.values() for cls in one.public}
        for ear in ears:
            for cls in ear.hears:
                if cls not in published:
                    known = ", ".join(sorted(one.__name__ for one in published)) or "nothing"
                    raise Misdeclared(
                        f"{hearer} hears {cls.__name__} in {ear.name}, but {self.source} publishes {known}; "
                        f"declare it with @{self.source}.publishes"
                    )
        wanted = {cls for ear in ears for cls in ear.hears}
        self.types = self._codec.names([one.own for one in self._publications.values() if wanted & {*one.public}])

    @property
    def fingerprint(self) -> str:
        """Another one where something else is heard than before: then all is heard again, and what was done found done."""
        return "\n".join(sorted(f"{ear.name} {cls.__kind__}" for ear in self.ears for cls in ear.hears))

    def told(self, stored: SequencedEvent) -> Iterator[Told]:
        """What an event of the other context leads to here."""
        acting = because(stored)
        seen: Counter[str] = Counter()
        for public in self._public(stored):
            for ear in self.ears:
                if type(public) not in ear.hears:
                    continue
                for command in ear.commands(public):
                    name = command.__kind__.type
                    seen[name] += 1
                    yield Told(command, heard_id(self.hearer, stored.uuid, name, seen[name]), acting)

    def _public(self, stored: SequencedEvent) -> Iterator[Event]:
        for event in self._codec.decode(stored):
            publication = self._publications.get(type(event))
            if publication is not None:
                yield from publication.of(event)


def heard_id(hearer: str, event: UUID, command: str, number: int) -> UUID:
    """The id of the so many-eth command of that name that an event leads to: always the same, whatever else is renamed."""
    return UUID(bytes=command_id_of(f"heard/v1\n{hearer}\n{event}\n{command}\n{number}"))


UNKNOWN = "unknown"
"""Who acts where what was heard does not say who did it."""


def because(cause: SequencedEvent) -> Acting:
    """Who acts: whoever did what was heard, in the same story; the event is the cause."""
    said = cause.said
    if said is None:
        return Acting(UNKNOWN, correlation=cause.uuid, causation=cause.uuid)
    return Acting(
        actor=said.actor,
        on_behalf_of=said.on_behalf_of,
        tenant=said.tenant,
        reason=said.reason,
        correlation=said.correlation_id or cause.uuid,
        causation=cause.uuid,
        traceparent=said.traceparent,
        tracestate=said.tracestate,
    )

"""A rule: a function from a command and the states it reads to events. Its signature is the consistency boundary.

`def transfer(command: Transfer, source: Account, target: Account) -> Transferred` reads the two accounts that the
command names, and its answer is appended only if nothing it looked at has changed. Which events that is, and by which
tags they are found, follows from the types alone.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, Protocol, TypeAlias
from uuid import UUID

import msgspec

from actum.decision.command import Command
from actum.decision.state import Fold, Identity, State, StateType, events_in, fold_of, hints_of, source
from actum.journal.conforming import checker
from actum.journal.errors import Misdeclared, Refused
from actum.journal.event import Event, Tag
from actum.journal.fields import fields_of, identities, name_of, tag_declared
from actum.journal.tagging import tagger

Answer: TypeAlias = Event | Iterable[Event] | None
"""What a rule answers: one event, several, or none."""

Key: TypeAlias = tuple[Fold[Any], tuple[Identity, ...]]
"""Which state of which thing."""

Decide: TypeAlias = Callable[..., Answer]
"""A rule as its author writes it."""


class Held(Protocol):
    """Something that holds a state."""

    state: Any


def _existing(event: type[Event], tag: Tag) -> Fold[Any]:
    """The fold behind a guard: whether there is any such event of one thing."""

    def evolve(self: Any, event: Event) -> None:  # noqa: ARG001 - that there is one is enough
        self.found = True

    evolve.__annotations__ = {"event": event, "return": None}
    fields = {"id": Annotated[str | int | UUID, tag], "found": bool}
    namespace = {"__annotations__": fields, "found": False, "evolve": evolve, "__module__": __name__}
    cls: type[State] = StateType(f"Exists{event.__name__}", (State,), namespace)
    return fold_of(cls)


class Exists(msgspec.Struct, frozen=True):
    """A guard: the command is refused where such an event exists with the same identity. For uniqueness, without a state.

    `@shop.decides(unless=Exists(Registered, by="email", because="the address is taken"))`: `by` names the field of the
    command, and the tag of its identity type is what is looked for.
    """

    event: type[Event]
    by: str
    because: str


class Read(msgspec.Struct, frozen=True):
    """One parameter of a rule: a state, or several of one class, and the fields of the command that say which."""

    parameter: str
    fold: Fold[Any]
    fields: tuple[str, ...]
    several: bool

    def keys(self, command: Command) -> tuple[Key, ...]:
        """The states that this command names."""
        fold = self.fold
        if self.several:
            return tuple([(fold, (value,)) for value in dict.fromkeys(getattr(command, self.fields[0]))])
        return (self.key(command),)

    def key(self, command: Command) -> Key:
        """The one state, where it is one."""
        fields = self.fields
        if len(fields) == 1:
            return self.fold, (getattr(command, fields[0]),)
        return self.fold, tuple([getattr(command, field) for field in fields])

    def take(self, states: Iterator[Any], command: Command) -> Any:
        """What the parameter is given of the states in order: one, or as many as the command names."""
        return [next(states) for _ in self.keys(command)] if self.several else next(states)


class Handler(msgspec.Struct, frozen=True, kw_only=True):
    """A rule understood. Made by `handler_of`."""

    command: type[Command]
    decide: Decide
    name: str
    reads: tuple[Read, ...]
    guards: tuple[tuple[Exists, Fold[Any]], ...]
    produces: tuple[type[Event], ...]
    produces_any: bool
    """Whether the signature says `Event` as well, and with it anything."""
    conflicts: frozenset[type[Event]] | None
    check: Callable[[Command], None]
    """Raises `Invalid` for a command that is not what its class declares."""
    tags: Callable[[Command], tuple[str, ...]]
    """What the command is about."""
    several: bool
    """Whether a parameter takes several states."""

    def needs(self, command: Command) -> tuple[Key, ...]:
        """The states that deciding this command takes: those of its parameters in order, then those of its guards."""
        keys: list[Key] = []
        for read in self.reads:
            if read.several:
                keys += read.keys(command)
            else:
                keys.append(read.key(command))
        for guard, fold in self.guards:
            keys.append((fold, (getattr(command, guard.by),)))
        return tuple(keys)

    def answer(self, command: Command, needed: Sequence[Held]) -> Answer:
        """What the rule says to the command and the states that it needs; the guards speak first. May raise `Refused`."""
        if self.guards:
            for (guard, _), kept in zip(self.guards, needed[-len(self.guards) :], strict=True):
                if kept.state.found:
                    raise Refused(guard.because, **{guard.by: getattr(command, guard.by)})
        if not self.several:
            given = zip(self.reads, needed, strict=False)
            return self.decide(command, **{read.parameter: kept.state for read, kept in given})
        states = (kept.state for kept in needed)
        return self.decide(command, **{read.parameter: read.take(states, command) for read in self.reads})


def handler_of(
    decide: Decide, *, conflicts: Sequence[type[Event]] | None, unless: Sequence[Exists], version: int
) -> Handler:
    """The rule that `decide` is. `Misdeclared` where its signature cannot be resolved, naming the choices there are."""
    what = f"{decide.__module__}.{decide.__qualname__}"
    hints = hints_of(decide, what)
    parameters = source().parameters_of(decide)
    command = hints.get(parameters[0]) if parameters else None
    if not (isinstance(command, type) and issubclass(command, Command)):
        raise Misdeclared(f"{what}: expected a command first, as in `def {decide.__name__}(command: Deposit, …)`")
    if not source().is_ordinary(decide, generator=True):
        raise Misdeclared(f"{what}: a rule is an ordinary function; bring what it must await as facts in the command")
    reads = tuple(_read(what, name, hints.get(name), command) for name in parameters[1:])
    read_types = {event for read in reads for event in read.fold.events}
    for event in conflicts or ():
        if event not in read_types:
            raise Misdeclared(f"{what}: conflicts names {event.__name__}, which none of its states is folded from")
    return Handler(
        command=command,
        decide=decide,
        name=f"{decide.__name__}@{version}",
        reads=reads,
        guards=tuple((guard, _existing(guard.event, _guard_tag(what, guard, command))) for guard in unless),
        produces=_produced(what, hints),
        produces_any=_says_event(hints["return"]),
        conflicts=None if conflicts is None else frozenset(conflicts),
        check=checker(command),
        tags=tagger(command),
        several=any(read.several for read in reads),
    )


def _produced(what: str, hints: dict[str, Any]) -> tuple[type[Event], ...]:
    if "return" not in hints:
        raise Misdeclared(f"{what}: say what it answers, as in `-> Deposited`, `-> list[A | B]` or `-> Iterator[A]`")
    produced = events_in(hints["return"])
    if not produced and hints["return"] is not type(None):
        raise Misdeclared(f"{what}: answers {name_of(hints['return'])}; expected event classes, as in `-> Deposited`")
    return produced


def _says_event(annotation: Any) -> bool:
    return annotation is Event or any(map(_says_event, typing.get_args(annotation)))


def _guard_tag(what: str, guard: Exists, command: type[Command]) -> Tag:
    tags = identities(command)
    if guard.by not in tags:
        raise Misdeclared(
            f"{what}: unless names the field {guard.by!r}; the identities of {command.__name__} are "
            f"{', '.join(tags) or 'none'}"
        )
    carried = {tag.name for tag in identities(guard.event).values()}
    if tags[guard.by].name not in carried:
        raise Misdeclared(f"{what}: {guard.event.__name__} never carries the tag {tags[guard.by].name!r}")
    return tags[guard.by]


def _read(what: str, name: str, annotation: Any, command: type[Command]) -> Read:
    several = typing.get_origin(annotation) in (list, tuple, Sequence)
    cls = typing.get_args(annotation)[0] if several else annotation
    if not (isinstance(cls, type) and issubclass(cls, State)):
        raise Misdeclared(f"{what}: the parameter {name!r} is {name_of(annotation)}; expected a State, or list of one")
    fold: Fold[Any] = fold_of(cls)
    if several:
        return Read(name, fold, (_list_field(what, name, fold, command),), True)
    tags = identities(command)
    fields = tuple(_field(what, name, field, tag, fold, tags, command) for field, tag in fold.identity.items())
    return Read(name, fold, fields, False)


def _list_field(what: str, name: str, fold: Fold[Any], command: type[Command]) -> str:
    if len(fold.identity) != 1:
        raise Misdeclared(f"{what}: {name!r} is a list of {fold.name}, which has not exactly one identity")
    wanted = next(iter(fold.identity.values()))
    fits = [
        field
        for field, kind in fields_of(command).items()
        if typing.get_args(kind) and tag_declared(typing.get_args(kind)[0]) == wanted and tag_declared(kind) is None
    ]
    if name in fits:
        return name
    if len(fits) != 1:
        raise Misdeclared(_no_field(what, name, wanted, fits, command))
    return fits[0]


def _field(
    what: str, name: str, field: str, tag: Tag, fold: Fold[Any], tags: dict[str, Tag], command: type[Command]
) -> str:
    """The command's field that says which: of the parameter's name, or of the identity's, or the only one of its tag."""
    fits = [candidate for candidate, declared in tags.items() if declared == tag]
    if len(fold.identity) == 1 and name in fits:
        return name
    if len(fits) == 1:
        return fits[0]
    if len(fold.identity) > 1 and field in fits:
        return field
    raise Misdeclared(_no_field(what, name, tag, fits, command))


def _no_field(what: str, name: str, tag: Tag, fits: list[str], command: type[Command]) -> str:
    if fits:
        return (
            f"{what}: which {tag.name} is {name!r}? {command.__name__} has {', '.join(fits)}; "
            "give the parameter one of these names"
        )
    return f"{what}: {name!r} is found by the tag {tag.name!r}, and no field of {command.__name__} declares it"

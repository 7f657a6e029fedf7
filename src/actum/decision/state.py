"""A state: what rules need to know, folded from events; and what can be known of a state class from its types alone."""

from __future__ import annotations

import typing
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, dataclass_transform
from uuid import UUID

import msgspec
from msgspec.structs import astuple

from actum.journal.conforming import conform
from actum.journal.errors import Invalid, Misdeclared
from actum.journal.event import RESERVED, Event, Tag
from actum.journal.fields import bare, fields_of, identities, is_record, name_of
from actum.journal.message import changes_inside, copier, to_json
from actum.journal.query import Query
from actum.journal.tagging import tag_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from types import ModuleType

    from actum.journal.codec import Codec
    from actum.journal.event import SequencedEvent

Identity = str | int | UUID
"""The value of an identity."""


@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class StateType(msgspec.StructMeta):
    """What makes a class of states: fields by keyword, a version, perhaps snapshots."""

    def __new__(
        mcls,
        class_name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        /,
        *,
        version: int = 1,
        snapshot_every: int | None = None,
        **options: Any,
    ) -> Any:
        options = {"kw_only": True} | options
        made: Any = super().__new__(mcls, class_name, bases, namespace, **options)
        if snapshot_every is not None and snapshot_every < 1:
            raise Misdeclared(f"{class_name}: snapshot_every: expected 1 or more, found {snapshot_every}")
        made.__fold_version__ = version
        made.__snapshot_every__ = snapshot_every
        return made


@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class State(msgspec.Struct, metaclass=StateType):
    """What rules need to know of one thing, folded from its events by `evolve`.

    ```python
    class Account(State):
        id: AccountId
        balance: Decimal = Decimal(0)

        def evolve(self, event: Deposited | Withdrawn) -> None: ...
    ```

    Fields of an identity type say which thing; all others need a default. `evolve` changes the state and does nothing
    else: no input or output, no clock, no randomness. `class Account(State, snapshot_every=500)` remembers the fold of
    long-lived things; a change of the fold makes remembered ones void.
    """

    __fold_version__: ClassVar[int]
    __snapshot_every__: ClassVar[int | None]

    def evolve(self, event: Any, /) -> None:
        """Take one event into the state."""
        raise Misdeclared(f"{type(self).__name__} has no evolve; write `def evolve(self, event: A | B) -> None`")


StateT = TypeVar("StateT", bound=State)


class Fold(Generic[StateT]):
    """A state class understood: which fields say which thing, and which events it is folded from."""

    def __init__(self, cls: type[StateT]) -> None:
        self.cls = cls
        self.name = cls.__name__
        self.identity: Mapping[str, Tag] = identities(cls)
        self._tags = [tag_of(tag) for tag in self.identity.values()]
        self.events = _events_of(cls)
        self.event_set = frozenset(self.events)
        self._copiers = {event: copy for event in self.events if (copy := copier(event))}
        self.likeness: Callable[[StateT], object] = _likeness if changes_inside(cls) else astuple
        """From a state to what is equal for as long as nobody changes it."""
        self.snapshot_every = cls.__snapshot_every__
        self._check_identities()
        self._check_defaults()
        self._check_found()
        self.fingerprint = fingerprint().of_fold(cls, self.events)

    def _check_identities(self) -> None:
        for name in self.identity:
            kind = bare(fields_of(self.cls)[name])
            if kind not in (str, int, UUID, Identity):  # The last is that of a guard, whose values come from commands.
                raise Misdeclared(
                    f"{self.name}.{name}: expected an identity that is str, int or UUID, which is found again by its text, "
                    f"not {name_of(kind)}; keep its text, and the {name_of(kind)} in another field"
                )

    def _check_defaults(self) -> None:
        for field in msgspec.structs.fields(self.cls):
            if field.required and field.name not in self.identity:
                raise Misdeclared(
                    f"{self.name}.{field.name} needs a default: it is not an identity, so at first nothing is known of it"
                )
        names = [tag.name for tag in self.identity.values()]
        if len(set(names)) < len(names):
            raise Misdeclared(f"{self.name} has two identities of the tag {names[0]!r}; a state has one of each")

    def _check_found(self) -> None:
        for event in self.events:
            for tag in self.identity.values():
                if not may_carry(event, tag):
                    raise Misdeclared(
                        f"{self.name} is found by the tag {tag.name!r}, which {name_of(event)} never carries; "
                        f"give the event that identity, or take it out of {self.name}.evolve"
                    )

    def ids(self, values: Iterable[Identity]) -> tuple[Identity, ...]:
        """The identity values, checked, in order of the identity fields."""
        found = tuple(values)
        if len(found) != len(self.identity):
            raise Invalid(
                f"{self.name} is identified by {', '.join(self.identity) or 'nothing'}, found {len(found)} values"
            )
        kinds = fields_of(self.cls)
        for value, field in zip(found, self.identity, strict=True):
            conform(value, kinds[field], f"{self.name}.{field}")
        return found

    def tags(self, ids: tuple[Identity, ...]) -> frozenset[str]:
        """The tags that every event of this thing carries."""
        return frozenset([read(value) for read, value in zip(self._tags, ids, strict=True)])

    def new(self, ids: tuple[Identity, ...]) -> StateT:
        """The state of a thing of which nothing is known yet."""
        return self.cls(**dict(zip(self.identity, ids, strict=True)))

    def query(self, codec: Codec, tags: frozenset[str]) -> Query:
        """Which events it is folded from."""
        return Query.of(types=codec.names(self.events), tags=tags)

    def keys(self, tags: Collection[str]) -> list[tuple[Identity, ...]]:
        """The things that an event with these tags is about: one for each combination of its identities."""
        found: list[tuple[Identity, ...]] = [()]
        for field, tag in self.identity.items():
            values = [self._value(field, text[len(tag.name) + 1 :]) for text in tags if text.startswith(tag.name + ":")]
            found = [(*key, value) for key in found for value in values]
        return found

    def _value(self, field: str, text: str) -> Identity:
        kind = bare(fields_of(self.cls)[field])
        return kind(text) if kind in (int, UUID) else text

    def parse(self, texts: Iterable[str]) -> tuple[Identity, ...]:
        """The identity from text, as a command line has it."""
        try:
            return self.ids(self._value(field, text) for field, text in zip(self.identity, texts, strict=True))
        except ValueError as wrong:
            raise Invalid(f"{self.name} is identified by {', '.join(self.identity) or 'nothing'}: {wrong}") from wrong

    def take(self, state: StateT, events: Iterable[Event]) -> None:
        """Evolve the state by those of the events that it is folded from."""
        for event in events:
            if type(event) in self.event_set:
                state.evolve(event)

    def own(self, event: Event) -> Event:
        """The event for one state alone: itself where nothing in it can be changed, otherwise a copy."""
        copy = self._copiers.get(type(event))
        made: Event = event if copy is None else copy(event)
        return made

    def replay(self, state: StateT, stored: Iterable[SequencedEvent], codec: Codec) -> None:
        """Evolve the state by stored events, decoded by the shortest way: this is where millions go through."""
        wanted, evolve = codec.directly(self.event_set), state.evolve
        for one in stored:
            decode = wanted.get(one.kind)
            if decode is None:
                self.take(state, codec.decode(one))
                continue
            try:
                evolve(decode(one.data))
            except (msgspec.DecodeError, UnicodeDecodeError):
                codec.decode(one)  # says what is wrong, and where
                raise


def _likeness(state: State) -> object:
    """With what is inside its fields; but for what JSON cannot hold, which is told apart by the fields alone."""
    try:
        return to_json(state)
    except Invalid:
        return astuple(state)


@cache
def fold_of(cls: type[StateT]) -> Fold[StateT]:
    """The fold of a state class. `Misdeclared` where it is not whole, `Invalid` where it is none."""
    said: object = cls
    if not (isinstance(said, type) and issubclass(said, State)):
        raise Invalid(f"expected a class of states or views, found {said!r:.80}")
    return Fold(cls)


def events_in(annotation: Any) -> tuple[type[Event], ...]:
    """The event classes that a type names: a class, a union, a sequence or an iterator of them."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return (annotation,) if issubclass(annotation, Event) and annotation is not Event else ()
    found = [cls for part in typing.get_args(annotation) for cls in events_in(part)]
    return tuple(dict.fromkeys(found))


def may_carry(event: type[Event], tag: Tag) -> bool:
    """Whether events of that class may carry the tag; what is inside their fields is not looked into, and actum's own carry any."""
    if event.__kind__.type.startswith(RESERVED):
        return True
    kinds = [bare(kind) for kind in fields_of(event).values()]
    return tag in identities(event).values() or any(is_record(kind) or typing.get_origin(kind) for kind in kinds)


def source() -> ModuleType:
    """The module that reads the text of functions: imported when something is declared."""
    from actum.decision import source  # noqa: PLC0415 - what it imports is a third of `import actum`

    return source


def fingerprint() -> ModuleType:
    """The module that says what a fold does, in few bytes: as dear."""
    from actum.decision import fingerprint  # noqa: PLC0415 - as above

    return fingerprint


def hints_of(function: Any, what: str) -> dict[str, Any]:
    """The annotations of a function, resolved, or `Misdeclared`."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception as wrong:
        raise Misdeclared(
            f"{what}: an annotation cannot be resolved: {wrong}; declare classes before, in the module"
        ) from wrong


def _events_of(cls: type[State]) -> tuple[type[Event], ...]:
    if cls.evolve is State.evolve:
        raise Misdeclared(f"{cls.__name__} has no evolve; write `def evolve(self, event: A | B) -> None`")
    parameters = source().parameters_of(cls.evolve)
    hints = hints_of(cls.evolve, f"{cls.__name__}.evolve")
    if len(parameters) != 2 or parameters[1] not in hints:
        raise Misdeclared(f"{cls.__name__}.evolve: expected `(self, event: A | B)`, which says what it is folded from")
    if not source().is_ordinary(cls.evolve, generator=False):
        raise Misdeclared(
            f"{cls.__name__}.evolve: expected an ordinary function that changes the state when it is called"
        )
    events = events_in(hints[parameters[1]])
    if not events:
        raise Misdeclared(
            f"{cls.__name__}.evolve takes {name_of(hints[parameters[1]])}; expected one or more event classes: A | B"
        )
    forgotten = source().forgotten(cls.evolve, parameters[1], {event.__name__ for event in events})
    if forgotten:
        raise Misdeclared(
            f"{cls.__name__}.evolve takes {', '.join(sorted(forgotten))} and its match has no case for it; "
            "add the case, or take the type out of the annotation"
        )
    return events

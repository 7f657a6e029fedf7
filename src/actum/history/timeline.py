"""The life of one thing: every event that made its state what it is, with the state before and after."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from actum.decision.state import Fold, Identity, State, fold_of
from actum.journal.event import Position
from actum.journal.recorded import Recorded, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.journal.codec import Codec
    from actum.journal.store import EventStore

StateT = TypeVar("StateT", bound=State)


class FieldChange(msgspec.Struct, frozen=True):
    """One field of a state that an event changed."""

    field: str
    before: object
    after: object


class Step(msgspec.Struct, Generic[StateT], frozen=True):
    """One event in the life of a thing. `before` and `after` are copies: whoever looks may keep them.

    `changes` is empty where the event said nothing new to this state.
    """

    recorded: Recorded
    before: StateT
    after: StateT

    @property
    def changes(self) -> tuple[FieldChange, ...]:
        """The fields that are not as they were, in the order in which the class declares them."""
        pairs = (
            FieldChange(name, getattr(self.before, name), getattr(self.after, name))
            for name in self.after.__struct_fields__
        )
        return tuple(pair for pair in pairs if pair.before != pair.after)


class Subject(Generic[StateT]):
    """One thing whose life can be told: a class of states or views, and its identity. `Invalid` where that does not fit."""

    def __init__(self, cls: type[StateT], *identity: Identity) -> None:
        self.fold: Fold[StateT] = fold_of(cls)
        self.ids = self.fold.ids(identity)


def timeline(
    subject: Subject[StateT],
    *,
    store: EventStore,
    codec: Codec,
    after: Position = 0,
    until: Position | None = None,
) -> Iterator[Step[StateT]]:
    """Every event that the thing is folded from, in order, with `after` < position ≤ `until`.

    What happened up to `after` is in the first `before`. An event that an upcaster splits is several steps.
    """
    fold = subject.fold
    state = fold.new(subject.ids)
    for stored in store.read(fold.query(codec, fold.tags(subject.ids)), until=until):
        if stored.position <= after:
            fold.take(state, codec.decode(stored))
            continue
        for one in recorded(stored, codec):
            if type(one.event) in fold.event_set:
                before = copy.deepcopy(state)
                state.evolve(fold.own(one.event))
                yield Step(one, before, copy.deepcopy(state))

"""As of when: a position or a moment made into a position, and a state folded up to there.

The time of recording never goes back, so a moment is found among the positions by bisection: twenty single reads find
one in a million events.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from actum.decision.state import Fold, Identity, State
from actum.journal.clock import to_microseconds
from actum.journal.errors import Invalid
from actum.journal.event import Position, checked_position

if TYPE_CHECKING:
    from actum.journal.clock import Microseconds
    from actum.journal.codec import Codec
    from actum.journal.store import EventStore

StateT = TypeVar("StateT", bound=State)

Moment: TypeAlias = Position | datetime
"""As of when: after the event at that position, or at that time."""


def position_at(store: EventStore, moment: Moment | None, *, what: str = "at") -> Position:
    """The last position as of that moment: the head where none is given, 0 for a time before the first event.

    A time means the time of recording. Raises `Invalid` for a position from the future and for a naive datetime.
    """
    head = store.head()
    if moment is None:
        return head
    if isinstance(moment, datetime):
        return _last_until(store, to_microseconds(moment), head)
    position = checked_position(moment, what)
    if position > head:
        raise Invalid(f"{what}: position {position} is from the future, the journal ends at {head}")
    return position


def _last_until(store: EventStore, moment: Microseconds, head: Position) -> Position:
    """The last position, up to `head`, whose event was recorded at `moment` or before."""
    before, behind = 0, head + 1
    while behind - before > 1:
        middle = (before + behind) // 2
        if recorded_at(store, middle) <= moment:
            before = middle
        else:
            behind = middle
    return before


def recorded_at(store: EventStore, position: Position) -> Microseconds:
    """When the event at that position, which there is, was recorded."""
    return next(iter(store.read(after=position - 1, limit=1))).recorded


def state_at(
    store: EventStore, codec: Codec, *, fold: Fold[StateT], ids: tuple[Identity, ...], until: Position
) -> StateT:
    """The state of one thing once every event up to `until` has happened, and none after."""
    state = fold.new(ids)
    fold.replay(state, store.read(fold.query(codec, fold.tags(ids)), until=until), codec)
    return state


def state_now(store: EventStore, codec: Codec, *, fold: Fold[StateT], ids: tuple[Identity, ...]) -> StateT:
    """The state of one thing by everything there is. A thing's own events come in one go; those of all things, page by page."""
    tags = fold.tags(ids)
    if not tags:
        return state_at(store, codec, fold=fold, ids=ids, until=store.head())
    state = fold.new(ids)
    _, (events,) = store.load([fold.query(codec, tags)], after=[0])
    fold.replay(state, events, codec)
    return state

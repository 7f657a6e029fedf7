"""A target: a place of somebody's own, such as a search engine or a file, that keeps what it makes of events, and how far it has come.

Both are kept in one step, and only from where it stood: so each event counts once there, whatever is killed when and however many
bring it events. Where both cannot be kept in one step, the mark is kept last, and what is done twice must do no harm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from actum.journal.errors import ActumError, Unavailable, Unknown
from actum.journal.event import Event
from actum.journal.query import Query
from actum.journal.readmodel import Mark
from actum.journal.recorded import Recorded, recorded

if TYPE_CHECKING:
    from actum.journal.codec import Codec
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.store import EventStore

PAGE = 500
"""How many events a target is given at once."""


class Target(Protocol):
    """What a target offers. One thread calls it, but others, elsewhere, may bring it the same."""

    def reached(self) -> Mark:
        """Up to where everything is in it; `Mark()` where nothing is."""
        ...

    def take(self, events: Sequence[Recorded], *, seen: Mark, reached: Mark) -> bool:
        """Take the events in, and stand at `reached` from now on. False, and nothing is done, where it does not stand at `seen`."""
        ...


class Courier:
    """Brings a target the events of some types, in order, a page at a call of `step`. Not to be shared between threads.

    Raises `Unknown` for what is no event of the application.
    """

    def __init__(
        self, store: EventStore, codec: Codec, *, target: Target, events: Sequence[type[Event]], page: int = PAGE
    ) -> None:
        strange = [cls for cls in events if cls not in codec.types.values()]
        if strange:
            raise Unknown("event type", getattr(strange[0], "__name__", repr(strange[0])), tuple(sorted(codec.types)))
        self._store = store
        self._codec = codec
        self._target = target
        self._query = Query.of(types=codec.names(tuple(events)))
        self._page = page
        self._seen = Mark()
        self._sure = False
        self._passed: Position = 0

    @property
    def position(self) -> Position:
        """Everything up to here is in the target, or does not concern it."""
        return max(self._seen.position, self._passed)

    def step(self) -> bool:
        """Bring one page; whether there may be more. `Unavailable` where the target does not fit the journal, or does not move."""
        if not self._sure:
            self._look()
        newest = next(iter(self._store.read(Query.all(), limit=1, backwards=True)), None)
        if newest is None or newest.position <= self.position:
            return False
        found = list(self._store.read(self._query, after=self.position, until=newest.position, limit=self._page))
        if not found:
            self._passed = newest.position
            return False
        full = len(found) == self._page
        self._bring(found, _mark(found[-1] if full else newest))
        return full or not self._sure

    def _bring(self, found: Sequence[SequencedEvent], reached: Mark) -> None:
        seen, events = self._seen, [event for stored in found for event in recorded(stored, self._codec)]
        self._sure = False  # where it fails, nobody knows whether it was done: the target says
        with self._said():
            if self._target.take(events, seen=seen, reached=reached):
                self._seen, self._sure = reached, True
                return
            stands = self._target.reached()
        if stands == seen:
            raise Unavailable(
                f"{self._name} stands at position {seen.position}, and turned down what comes next: "
                "take() must answer True once it has moved from `seen` to `reached`"
            )

    def _look(self) -> None:
        """Where the target stands, held against the journal."""
        with self._said():
            seen = self._target.reached()
        if seen.position:
            stored = next(iter(self._store.read(Query.all(), after=seen.position - 1, limit=1)), None)
            if stored is None or stored.id != seen.event:
                raise Unavailable(
                    f"{self._name} stands at position {seen.position}, where the journal has another event, or none: "
                    "was an older copy of the journal put back? Empty the target, and its mark with it"
                )
        self._seen, self._sure, self._passed = seen, True, 0

    @contextmanager
    def _said(self) -> Iterator[None]:
        """What goes wrong in a target may pass, whatever it is; it is said with the target's name."""
        try:
            yield
        except ActumError:
            raise
        except Exception as wrong:
            raise Unavailable(f"{self._name} fails: {type(wrong).__name__}: {wrong}") from wrong

    @property
    def _name(self) -> str:
        return f"the target {type(self._target).__name__}"


def _mark(stored: SequencedEvent) -> Mark:
    return Mark(stored.position, stored.id)

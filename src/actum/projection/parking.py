"""What is parked: looked at, taken up again once the code is mended, or discarded with a reason.

Of a parked key only the first event is kept; the later ones are those that the journal has. Taking it up folds them, with
the code and the upcasters of today, up to where the share stands, and frees the key in the transaction that writes its
row, under a new epoch: whoever works on the share looks again.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import msgspec

from actum.journal.errors import Busy, Invalid, Unknown
from actum.journal.event import Position
from actum.journal.readmodel import Change, Parked, Share, slice_of
from actum.projection.care import attempt, parked
from actum.projection.notes import EventDiscarded, KeyResumed, bring_in, discarded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actum.journal.codec import Codec
    from actum.journal.event import Event, EventData, SequencedEvent
    from actum.journal.readmodel import ReadDatabase
    from actum.journal.store import EventStore
    from actum.projection.notes import Scribe
    from actum.projection.view import Plan

TRIES = 50
"""How often a key is taken up again where its share moves on meanwhile."""


class ParkedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that is put aside: the event it failed over, and how many of its events are not taken in (`waiting`).

    `error` is "" where the event has not failed but waits behind one that was taken in since. `trace` is where in the code.
    """

    follower: str
    key: str
    position: Position
    error: str
    trace: str
    attempts: int
    waiting: int


class Parking:
    """What is parked of one view."""

    def __init__(
        self, store: EventStore, codec: Codec, *, database: ReadDatabase, plan: Plan[Any], scribe: Scribe
    ) -> None:
        self._store = store
        self._codec = codec
        self._database = database
        self._plan = plan
        self._scribe = scribe

    def list(self) -> list[ParkedKey]:
        """Every key that is put aside, that of the oldest event first."""
        return [
            ParkedKey(
                follower=self._plan.name,
                key=one.key,
                position=one.position,
                error=one.error,
                trace=one.trace,
                attempts=one.attempts,
                waiting=sum(1 for _ in self._events(one, self._share(one.key))),
            )
            for one in self._database.parked(self._plan.shape)
        ]

    def retry(self, key: str, *, one: bool = False) -> bool:
        """Take the key up again: its events in order, or only the first; whether none is parked after.

        An event that fails again stays parked, with its new error, and so do the later ones.
        """
        return self._take_up(key, one=one, reason=None)

    def discard(self, key: str, *, reason: str) -> bool:
        """Never take in the event that the key failed over, and take up the later ones; whether none is parked after.

        It is on record, with the reason, and holds also when the view is built anew.
        """
        if not reason.strip():
            raise Invalid("discard: expected a reason, for it goes on record; say why the event does not matter")
        return self._take_up(key, one=False, reason=reason)

    def _take_up(self, key: str, *, one: bool, reason: str | None) -> bool:
        for _ in range(TRIES):
            share, found = self._share(key), self._find(key)
            resumption = _Resumption(self._plan, found, row=self._row(key), reason=reason)
            resumption.go(self._events(found, share), self._codec, one=one)
            if self._database.commit([resumption.change(share, self._scribe)]):
                bring_in(self._database, self._store)
                return resumption.parked is None
        raise Busy(
            f"the share of {self._plan.name} that has {key!r} moved on {TRIES} times meanwhile; try again, or stop its workers"
        )

    def _find(self, key: str) -> Parked:
        there = {one.key: one for one in self._database.parked(self._plan.shape)}
        if key not in there:
            raise Unknown(f"parked key of {self._plan.name}", key, tuple(sorted(there)[:20]))
        return there[key]

    def _share(self, key: str) -> Share:
        slice = slice_of(key)
        for share in self._database.shares(self._plan.shape):
            if slice in share.slices:
                return share
        raise Busy(f"the table of {self._plan.name} is being built anew; try again when it is there")

    def _events(self, one: Parked, share: Share) -> Iterator[SequencedEvent]:
        """The events of a key that are not taken in."""
        plan = self._plan
        ids = plan.fold.parse(one.key.split("\n") if plan.divisible else ())
        query = plan.fold.query(self._codec, plan.fold.tags(ids))
        passed = discarded(self._store, plan.name)
        for stored in self._store.read(query, after=one.position - 1, until=share.mark.position):
            if (stored.position, one.key) not in passed:
                yield stored

    def _row(self, key: str) -> Any:
        """The row of a key as it is kept."""
        plan = self._plan
        ids = plan.fold.parse(key.split("\n") if plan.divisible else ())
        rows = self._database.load(plan.shape, [plan.key(ids)])
        return plan.view(rows[0]) if rows else plan.fold.new(ids)


class _Resumption:
    """One attempt at taking a key up again."""

    def __init__(self, plan: Plan[Any], found: Parked, *, row: Any, reason: str | None) -> None:
        self._plan = plan
        self._found = found
        self._row = row
        self._reason = reason
        self._taken: list[SequencedEvent] = []
        self._passed: SequencedEvent | None = None
        self.parked: Parked | None = None

    def go(self, events: Iterator[SequencedEvent], codec: Codec, *, one: bool) -> None:
        """Take in what can be taken in."""
        if self._reason is not None:
            self._passed = next(events, None)
        for stored in itertools.islice(events, 1) if one else events:
            wrong = attempt(self._plan, self._row, stored, codec)
            if wrong is not None:
                same = stored.position == self._found.position
                attempts = self._found.attempts + 1 if same else 1
                self.parked = parked(self._found.key, stored, wrong, attempts=attempts)
                return
            self._taken.append(stored)
        behind = next(events, None)
        if behind is not None:
            self.parked = Parked(
                key=self._found.key, position=behind.position, event=behind.id, error="", trace="", attempts=0
            )

    def change(self, share: Share, scribe: Scribe) -> Change:
        """What to write."""
        plan = self._plan
        return Change(
            plan.shape,
            plan.rows([self._row]) if self._taken else [],
            share.mark,
            share.mark,
            share.slices,
            share.epoch,
            share.owner,
            parked=() if self.parked is None else (self.parked,),
            freed=(self._found.key,) if self.parked is None else (),
            fence=True,
            notes=self._notes(scribe),
        )

    def _notes(self, scribe: Scribe) -> Sequence[EventData]:
        follower, key = self._plan.name, self._found.key
        said: list[tuple[Event, SequencedEvent]] = []
        if self._passed is not None and self._reason is not None:
            about = self._passed
            discard = EventDiscarded(
                follower=follower,
                key=key,
                position=about.position,
                event=about.uuid,
                error=self._found.error,
                reason=self._reason,
            )
            said.append((discard, about))
        if self._taken:
            first, last = self._taken[0], self._taken[-1]
            said.append((KeyResumed(follower=follower, key=key, position=first.position, until=last.position), first))
        return [scribe.note(one, follower=follower, about=about, reason=self._reason) for one, about in said]

"""What is parked: looked at, taken up again once the code is mended, or discarded with a reason.

Of a parked key only the first event is kept; the later ones are those that the journal has. Taking it up folds them, with
the code and the upcasters of today, up to where the share stands, and frees the key in the transaction that writes its
row, under a new epoch: whoever works on the share looks again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from actum.journal.errors import Busy, Invalid, Unknown
from actum.journal.event import Position
from actum.journal.readmodel import Change, Parked, Share, slice_of
from actum.projection.care import attempt, parked, said
from actum.projection.enrichment import Around
from actum.projection.handling import attempt_by_hand
from actum.projection.notes import EventDiscarded, EventParked, KeyResumed, bring_in, discarded
from actum.projection.rows import key_text
from actum.projection.view import Plan, plan_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from actum.decision.state import Identity
    from actum.journal.codec import Codec
    from actum.journal.event import Event, EventData, SequencedEvent
    from actum.journal.readmodel import ReadDatabase, Row, Work
    from actum.journal.store import EventStore
    from actum.projection.holdings import Follows
    from actum.projection.notes import Scribe

Key: TypeAlias = "Identity | tuple[Identity, ...]"
"""A key, by the values of its identities; one of several identities also by its text, in which each has a line."""

Attempt: TypeAlias = "Callable[[SequencedEvent], Exception | None]"
"""Takes an event in, and answers what goes wrong."""

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
        self, store: EventStore, codec: Codec, *, database: ReadDatabase, plan: Follows, scribe: Scribe
    ) -> None:
        self._store = store
        self._codec = codec
        self._database = database
        self._plan = plan
        self._scribe = scribe

    @property
    def name(self) -> str:
        """Of what."""
        return self._plan.name

    def there(self) -> list[ParkedKey]:
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

    def retry(self, key: Key, *, one: bool = False, reason: str | None = None) -> bool:
        """Take the key up again: its events in order, or only the first; whether none is parked after.

        An event that fails again stays parked, with its new error, and so do the later ones. `Invalid` where readers see the
        table of another definition, which has other columns.
        """
        return self._take_up(key, one=one, reason=reason)

    def discard(self, key: Key, *, reason: str) -> bool:
        """Never take in the event that the key failed over, and take up the later ones; whether none is parked after.

        It is on record, with the reason, and holds also when the view is built anew.
        """
        if not reason.strip():
            raise Invalid("discard: expected a reason, for it goes on record; say why the event does not matter")
        return self._take_up(key, one=False, reason=reason, discards=True)

    def _take_up(self, named: Key, *, one: bool, reason: str | None, discards: bool = False) -> bool:
        key = named if isinstance(named, str) else key_text(named if isinstance(named, tuple) else (named,))
        self._check_columns()
        for _ in range(TRIES):
            share, found = self._share(key), self._find(key)
            resumption = _Resumption(self._plan.name, found, reason=reason, discards=discards, scribe=self._scribe)
            events = list(self._events(found, share))
            if self._database.commit([self._change(share, events, resumption, one=one)]):
                bring_in(self._database, self._store)
                return not resumption.parked
        raise Busy(
            f"the share of {self._plan.name} that has {key!r} moved on {TRIES} times meanwhile; try again, or stop its workers"
        )

    def _change(self, share: Share, events: list[SequencedEvent], resumption: _Resumption, *, one: bool) -> Change:
        """What to write; of a projection, what to do."""
        plan, codec = self._plan, self._codec
        rows: list[Row] = []
        work: Work | None = None
        if isinstance(plan, Plan):
            row, took = self._row(plan, resumption.key), list[bool]()

            def take(stored: SequencedEvent) -> Exception | None:
                taken, wrong = attempt(plan, row, stored, codec)
                took.append(taken)
                return wrong

            resumption.go(events, take, one=one)
            rows = plan.rows([row]) if any(took) else []
        else:
            projection = plan
            around = Around(self._database, store=self._store, codec=codec)

            def hand_over(stored: SequencedEvent, db: Any) -> Exception | None:
                return attempt_by_hand(projection, db, stored, resumption.key, around=around)

            work = lambda db: resumption.go(events, lambda stored: hand_over(stored, db), one=one)  # noqa: E731
        return Change(
            plan.shape,
            rows,
            share.mark,
            share.mark,
            share.slices,
            share.epoch,
            share.owner,
            work=work,
            parked=resumption.parked,
            freed=resumption.freed,
            fence=True,
            notes=resumption.notes,
        )

    def _check_columns(self) -> None:
        """Rows are written where readers see them: in the table of an older definition, too, where it has the same columns."""
        plan = self._plan
        if not isinstance(plan, Plan):
            return
        own = plan_of(plan.cls).shape
        if (own.columns, own.key) != (plan.shape.columns, plan.shape.key):
            raise Invalid(
                f"the view {plan.name} is kept by version {plan.shape.version} of its definition, which has other columns than "
                f"version {own.version} here; rebuild it, which takes in what is parked, or retry with the program of that version"
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
        query = self._plan.query(one.key, self._codec)
        passed = discarded(self._store, self._plan.name)
        for stored in self._store.read(query, after=one.position - 1, until=share.mark.position):
            if (stored.position, one.key) not in passed:
                yield stored

    def _row(self, plan: Plan[Any], key: str) -> Any:
        """The row of a key as it is kept."""
        ids = plan.ids_of(key)
        rows = self._database.load(plan.shape, [plan.key(ids)])
        return plan.view(rows[0]) if rows else plan.fold.new(ids)


class _Resumption:
    """One attempt at taking a key up again, and what comes of it."""

    def __init__(self, follower: str, found: Parked, *, reason: str | None, discards: bool, scribe: Scribe) -> None:
        self._follower = follower
        self._found = found
        self._reason = reason
        self._discards = discards
        self._scribe = scribe
        self.key = found.key
        self.taken: list[SequencedEvent] = []
        self.parked: list[Parked] = []
        self.freed: list[str] = []
        self.notes: list[EventData] = []

    def go(self, events: Sequence[SequencedEvent], attempt: Attempt, *, one: bool) -> None:
        """Take in what can be taken in. Done anew where the transaction is."""
        for part in (self.taken, self.parked, self.freed, self.notes):
            part.clear()
        passed = events[: int(self._discards)]
        rest = events[len(passed) :]
        failed: list[tuple[Event, SequencedEvent]] = []
        for stored in rest[:1] if one else rest:
            wrong = attempt(stored)
            if wrong is not None:
                failed = [(self._fail(stored, wrong), stored)]
                break
            self.taken.append(stored)
        else:
            self._end(rest[len(self.taken) :])
        for note, about in [*self._discarded(passed), *self._resumed(), *failed]:
            self.notes.append(self._scribe.note(note, follower=self._follower, about=about, reason=self._reason))

    def _fail(self, stored: SequencedEvent, wrong: Exception) -> EventParked:
        """It stays parked, or a later one is parked now: that goes on record, too."""
        attempts = self._found.attempts + 1 if stored.position == self._found.position else 1
        self.parked.append(parked(self.key, stored, wrong, attempts=attempts))
        about: dict[str, Any] = {"key": self.key, "position": stored.position, "event": stored.uuid}
        return EventParked(follower=self._follower, error=said(wrong), attempts=attempts, **about)

    def _end(self, behind: Sequence[SequencedEvent]) -> None:
        """Nothing failed: what is behind waits, or nothing is parked any more."""
        if not behind:
            self.freed.append(self.key)
            return
        first = behind[0]
        self.parked.append(
            Parked(key=self.key, position=first.position, event=first.id, error="", trace="", attempts=0)
        )

    def _discarded(self, passed: Sequence[SequencedEvent]) -> list[tuple[Event, SequencedEvent]]:
        return [
            (
                EventDiscarded(
                    follower=self._follower,
                    key=self.key,
                    position=about.position,
                    event=about.uuid,
                    error=self._found.error,
                    reason=self._reason or "",
                ),
                about,
            )
            for about in passed
        ]

    def _resumed(self) -> list[tuple[Event, SequencedEvent]]:
        if not self.taken:
            return []
        first, last = self.taken[0], self.taken[-1]
        note = KeyResumed(follower=self._follower, key=self.key, position=first.position, until=last.position)
        return [(note, first)]

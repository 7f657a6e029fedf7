"""Some rows of a view built anew from the journal, beside those that readers see, and put in their places in one transaction.

Which rows is said by their keys, or by events: then it is every row that one of them is about. Each is folded from its first
event up to where its share of the table stands, and put in place only if that stands there still, under a new epoch: so
whoever keeps the table up looks again, and nobody sees some of them new and some old.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

import msgspec

from actum.journal.errors import ActumError, Busy, Invalid, NewerSchema, Unavailable, Unknown
from actum.journal.event import LAST_POSITION, Position
from actum.journal.query import Query
from actum.journal.readmodel import Change, Row, Share, slice_of
from actum.projection.care import attempt
from actum.projection.difference import Difference, Merged, places
from actum.projection.notes import discarded
from actum.projection.rows import key_text
from actum.projection.view import ViewT
from actum.subscription.policy import Then

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actum.decision.state import Identity
    from actum.journal.codec import Codec
    from actum.journal.event import SequencedEvent
    from actum.journal.readmodel import ReadDatabase
    from actum.journal.store import EventStore
    from actum.projection.projector import Progressed
    from actum.projection.view import Plan

TRIES = 200
"""How often rows are put in place anew where their table moves on meanwhile."""

ASKED_BY_KEY = 50
"""Up to so many rows, their events are asked for by their tags; for more, all events of the view's types are looked through."""

TOLD_EVERY = 1000
"""After how many events whoever waits is told how far it is."""

SAME = "not looked for: both were made by one definition, so what differs was not written by what the events are folded to now"
"""Why a comparison of such rows names no events."""


class Concerned(msgspec.Struct, frozen=True, kw_only=True):
    """Events by which rows are named: those with all of the tags, with `after` < position ≤ `until`."""

    tags: tuple[str, ...] = ()
    after: Position = 0
    until: Position = LAST_POSITION

    def keys(self, plan: Plan[Any], *, store: EventStore, codec: Codec) -> list[tuple[Identity, ...]]:
        """The keys of the rows that they are about, each once."""
        query = Query.of(types=codec.names(plan.events), tags=self.tags)
        texts = dict.fromkeys(stored.tag_text for stored in store.read(query, after=self.after, until=self.until))
        return list(dict.fromkeys(key for text in texts for key in _keys(plan, text)))


class Compared(msgspec.Struct, frozen=True):
    """The rows of some keys as they are and as they are built anew, as of the same marks of the same shares."""

    shares: tuple[Share, ...]
    live: tuple[Row, ...]
    anew: tuple[Row, ...]


class PartialBuild(Generic[ViewT]):
    """Some rows of one table, built anew in memory. For one thread."""

    def __init__(
        self,
        plan: Plan[ViewT],
        keys: Iterable[tuple[Identity, ...]],
        *,
        database: ReadDatabase,
        store: EventStore,
        codec: Codec,
        progress: Progressed | None = None,
    ) -> None:
        if not plan.divisible:
            raise Invalid(f"{plan.name} has one row for all events; rebuild it whole")
        self.plan = plan
        self.keys = {key_text(key): key for key in keys}
        self._database = database
        self._store = store
        self._codec = codec
        self._progress = progress
        self._slices = {text: slice_of(text) for text in self.keys}
        self._names = codec.names(plan.events)
        self._query = self._asking()
        self._begin()

    def _begin(self) -> None:
        self._rows: dict[str, ViewT] = {}
        self._reached: dict[str, Position] = dict.fromkeys(self.keys, 0)
        self._discarded = discarded(self._store, self.plan.name)

    def _asking(self) -> Query:
        if not 0 < len(self.keys) <= ASKED_BY_KEY:
            return Query.of(types=self._names)
        return Query.from_items(item for text in self.keys for item in self.plan.query(text, self._codec).items)

    def compare(self) -> Compared:
        """The rows as they are and as they should be, at one moment. `Busy` where the table never stands still for that long."""
        for _ in range(TRIES):
            shares = self._shares()
            found = self._compared(shares)
            if self._shares() == shares:
                return found
        raise self._too_fast()

    def put(self) -> Compared:
        """Put the rows in place, all in one transaction; what they took the place of, and what they are."""
        for _ in range(TRIES):
            found = self._compared(self._shares())
            if self._database.commit(self._changes(found)):
                return found
        raise self._too_fast()

    def _too_fast(self) -> Busy:
        return Busy(
            f"the table of {self.plan.name} moved on {TRIES} times meanwhile; try again when there is less to do"
        )

    def difference(self, found: Compared, *, limit: int) -> Difference:
        """What changes for readers; `limit` is how many rows are told one by one."""
        merged = Merged(self.plan.shape, self.plan.shape)
        rows = tuple(merged.differing(iter(found.live), iter(found.anew)))
        return merged.told(self.plan.name, position_of(found), rows[:limit], SAME)

    # What there is.

    def _shares(self) -> tuple[Share, ...]:
        """The shares in which these rows are; of their leases only who holds them."""
        wanted = set(self._slices.values())
        shares = [
            Share(one.slices, one.mark, one.epoch, one.owner)
            for one in self._database.shares(self.plan.shape)
            if any(slice in one.slices for slice in wanted)
        ]
        if self.keys and not shares:
            raise Busy(f"the table of {self.plan.name} is being built anew; try again when it is there")
        head = self._store.head()
        if any(one.mark.position > head for one in shares):
            raise Unavailable(
                f"the table of {self.plan.name} is ahead of the journal, which ends at {head}; rebuild it whole"
            )
        return tuple(shares)

    def _compared(self, shares: tuple[Share, ...]) -> Compared:
        self._bring_to(shares)
        shape = self.plan.shape
        live = self._database.load(shape, [self.plan.key(key) for key in self.keys.values()])
        anew = self.plan.rows(list(self._rows.values()))
        by_key = places(shape, shape.key)
        return Compared(
            shares, *(tuple(sorted(rows, key=lambda row: [row[at] for at in by_key])) for rows in (live, anew))
        )

    def _changes(self, found: Compared) -> list[Change]:
        shape, by_key = self.plan.shape, places(self.plan.shape, self.plan.shape.key)
        anew = {tuple([row[at] for at in by_key]): row for row in found.anew}
        gone = [key for row in found.live if (key := tuple([row[at] for at in by_key])) not in anew]
        slices = {self.plan.key(key): self._slices[text] for text, key in self.keys.items()}
        return [
            Change(
                shape,
                [row for key, row in anew.items() if slices[key] in one.slices],
                one.mark,
                one.mark,
                one.slices,
                one.epoch,
                one.owner,
                removed=[key for key in gone if slices[key] in one.slices],
                fence=True,
            )
            for one in found.shares
        ]

    # Folding.

    def _bring_to(self, shares: Sequence[Share]) -> None:
        """Fold up to where the shares stand, and not beyond where a key is parked."""
        until = {text: _mark(shares, slice) for text, slice in self._slices.items()}
        for one in self._database.parked(self.plan.shape):
            if one.key in until:
                until[one.key] = min(until[one.key], one.position - 1)
        if any(until[text] < position for text, position in self._reached.items()):
            self._begin()
        try:
            self._fold(until)
        except BaseException:
            self._begin()
            raise
        self._reached = until

    def _fold(self, until: dict[str, Position]) -> None:
        goal = max(until.values(), default=0)
        since = min(self._reached.values(), default=0)
        for number, stored in enumerate(self._store.read(self._query, after=since, until=goal), 1):
            self._take(stored, until)
            if self._progress is not None and number % TOLD_EVERY == 0:
                self._progress(stored.position, goal)

    def _take(self, stored: SequencedEvent, until: dict[str, Position]) -> None:
        for key in _keys(self.plan, stored.tag_text):
            text = key_text(key)
            if not self._reached.get(text, LAST_POSITION) < stored.position <= until.get(text, 0):
                continue
            if (stored.position, text) in self._discarded:
                continue
            row = self._rows[text] if text in self._rows else self.plan.fold.new(key)
            if self._passes_over:
                taken, _ = attempt(self.plan, row, stored, self._codec)
            else:
                taken = self._evolve(row, stored)
            if taken:
                self._rows[text] = row

    @property
    def _passes_over(self) -> bool:
        return self.plan.policy.then is Then.SKIP

    def _evolve(self, row: ViewT, stored: SequencedEvent) -> bool:
        """Whether the row took anything: the event may be nothing today."""
        wanted = self.plan.fold.event_set
        try:
            mine = [event for event in self._codec.decode(stored) if type(event) in wanted]
        except Unknown as unknown:
            raise NewerSchema(f"position {stored.position}: {unknown}; upgrade the program that rebuilds") from unknown
        for event in mine:
            try:
                row.evolve(event)
            except ActumError:
                raise
            except Exception as wrong:
                raise Unavailable(
                    f"the view {self.plan.name} cannot take {event!r:.200}: {type(wrong).__name__}: {wrong}; mend its evolve"
                ) from wrong
        return bool(mine)


def _keys(plan: Plan[Any], tag_text: str) -> list[tuple[Identity, ...]]:
    return list(dict.fromkeys(plan.fold.keys(tag_text.split("\n") if tag_text else ())))


def _mark(shares: Sequence[Share], slice: int) -> Position:
    return next((one.mark.position for one in shares if slice in one.slices), 0)


def position_of(found: Compared) -> Position:
    """As of when the rows are: where the share stands that is furthest behind."""
    return min((one.mark.position for one in found.shares), default=0)

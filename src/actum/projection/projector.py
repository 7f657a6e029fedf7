"""Views follow the journal: pages of events folded in memory by key, written with the checkpoint in one transaction.

Whatever is killed when, and however many processes project the same views at once, each event counts once: a page is
written only if the checkpoint still stands where it stood when the page was read; the loser forgets what it knows and
reads anew. A view that fails is tried again by itself, and does not hold up the others.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from actum.journal.errors import Busy, NewerSchema, Unavailable, Unknown
from actum.journal.query import Query
from actum.journal.readmodel import SLICES, Change, Mark, Share, Slices
from actum.projection.care import Care
from actum.projection.enrichment import Around
from actum.projection.handling import HandledLine, Handling, Projection, line_of
from actum.projection.line import Line
from actum.projection.notes import SCRIBE, Scribe, bring_in, discarded
from actum.projection.rows import ROWS_KEPT
from actum.subscription.patience import LONGEST_PAUSE, Trouble, trouble
from actum.subscription.sharing import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actum.journal.codec import Codec
    from actum.journal.event import Event, Position, SequencedEvent
    from actum.journal.readmodel import ReadDatabase
    from actum.journal.store import EventStore
    from actum.projection.view import Plan

_LOG = logging.getLogger(__name__)

PAGE = 1000
"""How many events are folded into one transaction."""

LONGEST_PAGE = 4
"""How many pages go into one for whoever holds few of the slices, and so has few of the events of a page to fold."""

LOOK_AT_OTHERS = 0.02
"""Seconds after which one looks again how far others have come who hold shares that are behind."""

LONGEST_WAIT = 60.0
"""Seconds for which one who catches up waits for others who hold shares and do not move."""

Follows: TypeAlias = "Plan[Any] | Projection"
"""What a projector keeps up: a view, or a projection of any shape."""

Decoded: TypeAlias = "list[tuple[str, Event]]"
Progressed: TypeAlias = "Callable[[Position, Position], None]"
"""Told of progress: the position reached and the one to reach."""


class Projector:
    """Keeps the tables of some views up with a journal, a page at a call. Safe to share between threads.

    `until` bounds how far it goes: the views are then as of that position. `page` is how many events go into one
    transaction, and `kept` how many rows of a share stay in memory from one to the next, twice at the most. With an `owner`,
    it works on the shares that this worker holds; without one, on those that nobody does. `scribe` writes what goes on record
    in the journal; None for tables that are made for one look: looking puts nothing on record.
    """

    def __init__(
        self,
        store: EventStore,
        codec: Codec,
        *,
        database: ReadDatabase,
        plans: Sequence[Follows],
        until: Position | None = None,
        page: int = PAGE,
        owner: str = "",
        scribe: Scribe | None = SCRIBE,
        kept: int = ROWS_KEPT,
    ) -> None:
        self._store = store
        self._codec = codec
        self._database = database
        self._until = until
        self._page = page
        self._owner = owner
        self._scribe = scribe
        self._kept = kept
        self._plans = {plan.table: plan for plan in plans}
        self._lines: list[Line] = []
        self._others: list[Mark] = []
        self._lost: dict[str, Trouble] = {}
        self._queries: dict[tuple[str, ...], Query] = {}
        self._newest_seen: Position = 0
        self._ahead: tuple[Position | None, SequencedEvent | None] = (None, None)
        self._lock = threading.RLock()
        self._made = False
        self._prepared = False

    @property
    def position(self) -> Position:
        """Up to where every view has come, in whoever's hands."""
        marks = [*(line.mark for line in self._lines), *self._others]
        return min((mark.position for mark in marks), default=0)

    @property
    def _troubles(self) -> list[Trouble]:
        return [*self._lost.values(), *(line.trouble for line in self._lines if line.trouble is not None)]

    @property
    def trouble(self) -> Trouble | None:
        """What keeps a view from going on for the moment; None while all is well."""
        return next(iter(self._troubles), None)

    def rest(self, longest: float) -> float:
        """For how many seconds there is nothing to do at the most, unless the journal grows."""
        now = time.monotonic()
        waits = [trouble.again - now for trouble in self._troubles]
        if not self._owner and any(mark.position < self._newest_seen for mark in self._others):
            waits.append(LOOK_AT_OTHERS)
        return max(0.0, min([longest, *waits]))

    def make_tables(self) -> None:
        """Have every table there; one of another fold begins anew. Once: whoever comes later with another fold prevails."""
        with self._lock:
            for plan in self._plans.values():
                self._make(plan)
            self._made = True

    def _make(self, plan: Follows) -> None:
        if self._database.prepare(plan.shape, plan.begin):
            _LOG.info("the view %s is built from the beginning of the journal", plan.name)

    def prepare(self) -> None:
        """Know where every table stands. `Unavailable` where one does not fit the journal."""
        with self._lock:
            if not self._made:
                self.make_tables()
            self._look()
            bring_in(self._database, self._store)
            self._prepared = True

    def look_again(self) -> None:
        """Others have changed who holds what, or what stood in the way is mended: do not wait to see it."""
        with self._lock:
            self._prepared = False
            for line in self._lines:
                line.trouble = line.trouble and msgspec.structs.replace(line.trouble, again=0.0)

    def step(self) -> bool:
        """Take in one page; whether there may be more. What a view fails over stays with it, as its `trouble`."""
        with self._lock:
            if not self._plans:
                return False
            if not self._prepared or any(trouble.due for trouble in self._lost.values()):
                self.prepare()
            try:
                return self._step()
            except BaseException:
                self._forget(self._lines)
                raise

    def catch_up(self, progress: Progressed | None = None) -> Position:
        """Take in everything there is; how far the views have come. Raises what a view fails over, once the others are through.

        Where others hold shares, waits for them. `Busy` where they do not move for a minute.
        """
        deadline, reached = time.monotonic() + LONGEST_WAIT, self.position
        while self._goes_on(deadline):
            if progress is not None:
                progress(self.position, self._store.head())
            if self.position > reached:
                deadline, reached = time.monotonic() + LONGEST_WAIT, self.position
        if self.trouble is not None:
            raise self.trouble.error
        return self.position

    def _goes_on(self, deadline: float) -> bool:
        """Take a step, or wait a moment for others; whether that was of use."""
        if self.step():
            return True
        if any(line.tries_on for line in self._lines):
            time.sleep(self.rest(LOOK_AT_OTHERS))
            return True
        behind = [mark for mark in self._others if mark.position < self._newest_seen]
        if not behind:
            return False
        if time.monotonic() > deadline:
            raise Busy(
                f"others hold shares of the views, and have stood at position {behind[0].position} for "
                f"{LONGEST_WAIT:g} s; see `actum views status`"
            )
        time.sleep(LOOK_AT_OTHERS)
        return True

    def renew(self, plan: Follows) -> None:
        """Empty a view's table, to be built anew."""
        with self._lock:
            self._database.renew(plan.shape, plan.begin)
            self._forget(self._lines)

    # One page.

    def _step(self) -> bool:
        lines, bound = self._behind()
        newest = self._goal(lines, bound)
        if newest is not None and bound is None:
            self._newest_seen = newest.position
        if not lines or newest is None or newest.position <= lines[0].mark.position:
            return self._refresh()
        return self._advance(lines, newest)

    def _behind(self) -> tuple[list[Line], Position | None]:
        """The lines that are furthest behind, together, and where they meet the next ones. A line in trouble rests."""
        well = [line for line in self._lines if line.trouble is None]
        failed = next((line for line in self._lines if line.trouble is not None and line.trouble.due), None)
        if failed is not None:
            return [failed], self._until
        least = min((line.mark.position for line in well), default=0)
        further = [line.mark.position for line in well if line.mark.position > least]
        bounds = [*further, *([] if self._until is None else [self._until])]
        return [line for line in well if line.mark.position == least], min(bounds, default=None)

    def _goal(self, lines: Sequence[Line], bound: Position | None) -> SequencedEvent | None:
        """Up to where to go: what was the newest event when one last looked, where that is still ahead."""
        before, known = self._ahead
        if before != bound or known is None or not lines or known.position <= lines[0].mark.position:
            known = self._newest(bound)
            self._ahead = (bound, known)
        return known

    def _newest(self, bound: Position | None) -> SequencedEvent | None:
        return next(iter(self._store.read(Query.all(), until=bound, limit=1, backwards=True)), None)

    def _advance(self, lines: Sequence[Line], newest: SequencedEvent) -> bool:
        """Take the lines on by a page; where that fails, each by itself, so that the failing one is alone with it."""
        try:
            return self._take_in(lines, newest)
        except Busy:
            raise
        except Exception as wrong:  # noqa: BLE001 - it is logged, and told to whoever waits
            self._forget(lines)
            if len(lines) > 1:
                self.prepare()
                more = [self._advance([line], newest) for line in self._lines if line in lines]
                return any(more)
            self._stumble(lines[0], wrong)
            return self._give_up(lines[0], newest) if lines[0].gives_up else len(self._lines) > 1

    def _give_up(self, line: Line, newest: SequencedEvent) -> bool:
        """Put aside what the line fails over, or pass it over, and take in the rest of the page."""
        try:
            return self._take_in([line], newest, carefully=True)
        except Busy:
            raise
        except Exception as wrong:  # noqa: BLE001 - it is logged, and told to whoever waits
            self._forget([line])
            self._stumble(line, wrong)
            return True

    def _stumble(self, line: Line, wrong: Exception) -> None:
        before = line.trouble
        line.trouble = trouble(wrong) if before is None else before.once_more(wrong)
        if before is None or str(before.error) != str(wrong):
            _LOG.error(
                "%s stopped at position %s: %s; trying again, in %g s at the latest",
                line.where,
                line.mark.position,
                wrong,
                LONGEST_PAUSE,
                exc_info=wrong,
            )

    def _take_in(self, lines: Sequence[Line], newest: SequencedEvent, *, carefully: bool = False) -> bool:
        seen = lines[0].mark
        limit = self._page * min(LONGEST_PAGE, SLICES // max(len(line.share.slices) for line in lines))
        events = list(self._store.read(self._query(lines), after=seen.position, until=newest.position, limit=limit))
        full = len(events) == limit
        reached = Mark(events[-1].position, events[-1].id) if full else Mark(newest.position, newest.id)
        changes = self._changes(lines, events, reached, carefully=carefully)
        if not self._database.commit(changes):
            self._forget(lines)
            self.prepare()
            return True
        for line, change in zip(lines, changes, strict=True):
            line.stands_at(reached)
            if change.parked:
                line.park(one.key for one in change.parked)
        if any(change.notes for change in changes):
            bring_in(self._database, self._store)
        return full or len(lines) < len(self._lines)

    def _changes(
        self, lines: Sequence[Line], events: list[SequencedEvent], reached: Mark, *, carefully: bool
    ) -> list[Change]:
        """What to write for each line."""
        since = lines[0].mark.position
        careful = [
            carefully or line.by_hand or bool(line.discarded and line.leaves_out(after=since, until=reached.position))
            for line in lines
        ]
        decoded = [] if all(careful) else self._decode(self._concerned(lines, events))
        return [
            self._with_care(line, events, reached)
            if care
            else line.change(decoded, reached, self._database, owner=self._owner)
            for line, care in zip(lines, careful, strict=True)
        ]

    def _with_care(self, line: Line, events: list[SequencedEvent], reached: Mark) -> Change:
        """What to write where each event is looked at by itself."""
        if isinstance(line, HandledLine):
            around = Around(self._database, store=self._store, codec=self._codec)
            handling = Handling(line, around, scribe=self._scribe)
            return handling.change(events, reached, owner=self._owner)
        care = Care(line, self._codec, self._database)
        return care.change(events, reached, owner=self._owner, scribe=self._scribe)

    def _concerned(self, lines: Sequence[Line], events: list[SequencedEvent]) -> list[SequencedEvent]:
        """Those of the events that have a row in these lines; where lines have every slice, all."""
        if any(line.whole for line in lines):
            return events
        texts = {stored.tag_text for stored in events}
        concerned = {text for line in lines for text in line.rows.concerned(texts)}
        return [stored for stored in events if stored.tag_text in concerned]

    def _refresh(self) -> bool:
        """Nothing new: see whether the tables are still there and where they were. Whether there is more to do."""
        found = {
            name: self._database.shares(plan.shape) for name, plan in self._plans.items() if name not in self._lost
        }
        mine = [(name, _place(share)) for name, shares in found.items() for share in shares if self._is_mine(share)]
        apart = not self._owner and any(len(shares) > 1 and joined(shares) for shares in found.values())
        if (
            not apart
            and all(found.values())
            and mine == [(line.plan.table, _place(line.share)) for line in self._lines]
        ):
            self._others = [share.mark for shares in found.values() for share in shares if not self._is_mine(share)]
            return False
        self.prepare()
        newest = self._newest(self._until)
        return newest is not None and any(
            line.mark.position < newest.position for line in self._lines if line.trouble is None
        )

    def _query(self, lines: Sequence[Line]) -> Query:
        key = tuple(dict.fromkeys(line.plan.table for line in lines))
        query = self._queries.get(key)
        if query is None:
            types = {event for line in lines for event in line.plan.events}
            query = self._queries[key] = Query.of(types=self._codec.names(types))
        return query

    def _decode(self, events: Sequence[SequencedEvent]) -> Decoded:
        direct = self._codec.direct
        try:
            return [(stored.tag_text, direct[stored.kind](stored.data)) for stored in events]
        except (KeyError, msgspec.MsgspecError, ValueError):
            # There are older kinds among them, or one that does not fit: the slow way says what is wrong with it.
            return [(stored.tag_text, event) for stored in events for event in self._read(stored)]

    def _read(self, stored: SequencedEvent) -> tuple[Event, ...]:
        try:
            return self._codec.decode(stored)
        except Unknown as unknown:
            raise NewerSchema(f"position {stored.position}: {unknown}; upgrade the program that projects") from unknown

    # Where the tables stand.

    def _forget(self, lines: Sequence[Line]) -> None:
        """What these lines know of their rows may be wrong."""
        self._prepared = False
        self._ahead = (None, None)
        for line in lines:
            line.forget()

    def _look(self) -> None:
        """Read who holds what and where it stands, and hold that against the journal."""
        known = {(line.plan.table, line.share.slices, line.share.epoch): line for line in self._lines}
        lost, self._lost = self._lost, {}
        self._lines, self._others = [], []
        for name, plan in self._plans.items():
            try:
                shares = self._joined(plan, self._database.shares(plan.shape) or self._missing(plan))
                lines = [self._line(plan, share, known) for share in shares if self._is_mine(share)]
            except Unavailable as wrong:
                self._lose(name, wrong, lost.get(name))
                self._others += [line.mark for line in known.values() if line.plan is plan] or [Mark()]
                continue
            self._lines += lines
            self._others += [share.mark for share in shares if not self._is_mine(share)]

    def _joined(self, plan: Follows, shares: list[Share]) -> list[Share]:
        """What workers who have gone left divided, whoever keeps it alone joins again."""
        todo = [] if self._owner or len(shares) == 1 else joined(shares)
        for step in todo:
            self._database.recut(plan.table, step.seen, step.cuts, worker="", seconds=0)
        return self._database.shares(plan.shape) if todo else shares

    def _lose(self, name: str, wrong: Unavailable, before: Trouble | None) -> None:
        """A view that is not ours to keep for the moment."""
        self._lost[name] = trouble(wrong) if before is None else before.once_more(wrong)
        if before is None:
            _LOG.warning("%s", wrong)

    def _line(self, plan: Follows, share: Share, known: dict[tuple[str, Slices, int], Line]) -> Line:
        """The line of a share: as it is where we know it and it has not moved."""
        before = known.get((plan.table, share.slices, share.epoch))
        if before is not None and before.mark == share.mark:
            return before
        self._check_fits(plan, share.mark)
        parked = frozenset(one.key for one in self._database.parked(plan.shape))
        line = line_of(plan, share, parked=parked, discarded=discarded(self._store, plan.name), kept=self._kept)
        line.trouble = None if before is None else before.trouble
        return line

    def _is_mine(self, share: Share) -> bool:
        return share.owner == self._owner if self._owner else not share.held

    def _missing(self, plan: Follows) -> list[Share]:
        """The table is not there any more, or it is somebody else's now."""
        name = plan.shape.name or plan.table
        others = [each.shape for each in self._database.tables() if name in (each.shape.name, each.shape.table)]
        if others:
            raise Unavailable(
                f"the table {plan.table} of the view {plan.name} was taken away by somebody; version "
                f"{others[0].version} of the view is there: begin the rebuild anew, or upgrade this program"
            )
        self._make(plan)
        return self._database.shares(plan.shape)

    def _check_fits(self, plan: Follows, mark: Mark) -> None:
        if mark.position == 0:
            return
        where = f"the view {plan.name} in {self._database.address}"
        stored = next(iter(self._store.read(Query.all(), after=mark.position - 1, limit=1)), None)
        if stored is None:
            raise Unavailable(
                f"{where} stands at position {mark.position}, ahead of the journal, which ends at {self._store.head()}: "
                "was an older copy of the journal put back? Rebuild the view, or delete the read database"
            )
        if stored.id != mark.event:
            raise Unavailable(
                f"{where} was built from another event at position {mark.position} than the journal has: "
                "was an older copy of the journal put back? Rebuild the view, or delete the read database"
            )


def _place(share: Share) -> tuple[Slices, Mark, int]:
    return share.slices, share.mark, share.epoch

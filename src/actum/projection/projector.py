"""Views follow the journal: pages of events folded in memory by key, written with the checkpoint in one transaction.

Whatever is killed when, and however many processes project the same views at once, each event counts once: what was folded is
written only if the checkpoint still stands where it stood when it was read; the loser forgets what it knows and
reads anew. A view that fails is tried again by itself, and does not hold up the others.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from actum.journal.errors import Busy
from actum.journal.query import Query
from actum.projection.care import Care
from actum.projection.enrichment import Around
from actum.projection.handling import HandledLine, Handling
from actum.projection.holdings import Follows, Holdings
from actum.projection.notes import SCRIBE, Scribe, bring_in
from actum.projection.rows import ROWS_KEPT
from actum.projection.stretch import PAGE, Pages, Stretch
from actum.subscription.patience import Trouble, trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actum.journal.codec import Codec
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.readmodel import Change, Mark, ReadDatabase
    from actum.journal.store import EventStore
    from actum.projection.line import Line

_LOG = logging.getLogger(__name__)

LOOK_AT_OTHERS = 0.02
"""Seconds after which one looks again how far others have come who hold shares that are behind."""

LONGEST_WAIT = 60.0
"""Seconds for which one who catches up waits for others who hold shares and do not move."""

Progressed: TypeAlias = "Callable[[Position, Position], None]"
"""Told of progress: the position reached and the one to reach."""

FoldsOn: TypeAlias = "Callable[[int], bool]"
"""Told how many events are folded, and not written: whether to fold another page before they are."""


class Projector:
    """Keeps the tables of some views up with a journal, a page at a call. Safe to share between threads.

    `until` bounds how far it goes: the views are then as of that position. `page` is how many events are folded at once, and
    go into one transaction unless `folds_on`, told how many it has come to, wants another page before the changed rows are
    written. `kept` is how many rows of a share stay in memory from one to the next, twice at the most. With an `owner`,
    it works on the shares that this worker holds; without one, on those that nobody does. `scribe` writes what goes on record
    in the journal; None for tables that are made for one look: looking puts nothing on record. `views` is where handlers look
    into views, where that is not the `database`.
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
        folds_on: FoldsOn | None = None,
        views: ReadDatabase | None = None,
    ) -> None:
        self._store = store
        self._codec = codec
        self._database = database
        self._views = database if views is None else views
        self._until = until
        self._owner = owner
        self._scribe = scribe
        self._idle = not plans
        self._held = Holdings(store, database, plans, owner=owner, kept=kept)
        self._pages = Pages(store, codec, page=page)
        self._folds_on = folds_on
        self._folded: Position = 0  # How far more than one page is folded for what is to be written; 0 where it is one.
        self._page_by_page: Position = 0  # Up to there no more than one is: something failed.
        self._newest_seen: Position = 0
        self._ahead: tuple[Position | None, SequencedEvent | None] = (None, None)
        self._lock = threading.RLock()
        self._made = False
        self._prepared = False

    @property
    def position(self) -> Position:
        """Up to where every view has come, in whoever's hands."""
        return self._held.position

    @property
    def trouble(self) -> Trouble | None:
        """What keeps a view from going on for the moment; None while all is well."""
        return next(iter(self._held.troubles), None)

    @property
    def tries_on(self) -> bool:
        """Whether a view fails, and will give up what it fails over once it has tried a few times more."""
        return any(line.tries_on for line in self._held.lines)

    def rest(self, longest: float) -> float:
        """For how many seconds there is nothing to do at the most, unless the journal grows."""
        now = time.monotonic()
        waits = [trouble.again - now for trouble in self._held.troubles]
        if not self._owner and any(mark.position < self._newest_seen for mark in self._held.others):
            waits.append(LOOK_AT_OTHERS)
        return max(0.0, min([longest, *waits]))

    def make_tables(self) -> None:
        """Have every table there; one of another fold begins anew. Once: whoever comes later with another fold prevails."""
        with self._lock:
            self._held.make_tables()
            self._made = True

    def prepare(self) -> None:
        """Know where every table stands. `Unavailable` where one does not fit the journal."""
        with self._lock:
            if not self._made:
                self.make_tables()
            self._held.look()
            bring_in(self._database, self._store)
            self._prepared = True

    def up_to(self, position: Position) -> None:
        """Go as far as that from now on."""
        with self._lock:
            self._until, self._ahead = position, (None, None)

    def look_again(self) -> None:
        """Others have changed who holds what, or what stood in the way is mended: do not wait to see it."""
        with self._lock:
            self._prepared = False
            for line in self._held.lines:
                line.trouble = line.trouble and msgspec.structs.replace(line.trouble, again=0.0)

    def step(self) -> bool:
        """Take in one page; whether there may be more. What a view fails over stays with it, as its `trouble`."""
        with self._lock:
            if self._idle:
                return False
            if not self._prepared or any(trouble.due for trouble in self._held.lost):
                self.prepare()
            try:
                return self._step()
            except BaseException:
                self._forget(self._held.lines)
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
        if self.tries_on:
            time.sleep(self.rest(LOOK_AT_OTHERS))
            return True
        behind = [mark for mark in self._held.others if mark.position < self._newest_seen]
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
            self._forget(self._held.lines)

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
        well = [line for line in self._held.lines if line.trouble is None]
        failed = next((line for line in self._held.lines if line.trouble is not None and line.trouble.due), None)
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
        """Take the lines on; where that fails, page by page and each by itself, so that the failing one is alone with it."""
        try:
            return self._take_in(lines, newest)
        except Busy:
            raise
        except Exception as wrong:  # noqa: BLE001 - it is logged, and told to whoever waits
            self._forget(lines)
            if self._folded > self._page_by_page:
                self._page_by_page = self._folded
                return True
            if len(lines) > 1:
                self.prepare()
                more = [self._advance([line], newest) for line in self._held.lines if line in lines]
                return any(more)
            self._stumble(lines[0], wrong)
            return self._give_up(lines[0], newest) if lines[0].gives_up else len(self._held.lines) > 1

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
        before, policy = line.trouble, line.plan.policy
        attempts = 1 if before is None else before.attempts + 1
        line.trouble = trouble(wrong, attempts=attempts, first=policy.pause, longest=policy.longest)
        if before is None or str(before.error) != str(wrong):
            _LOG.error(
                "%s stopped at position %s: %s; trying again, in %g s at the latest",
                line.where,
                line.mark.position,
                wrong,
                policy.longest,
                exc_info=wrong,
            )

    def _take_in(self, lines: Sequence[Line], newest: SequencedEvent, *, carefully: bool = False) -> bool:
        self._folded = 0
        stretch = self._pages.next(lines, newest, after=lines[0].mark.position)
        careful = [carefully or _wants_care(line, stretch) for line in lines]
        self._fold([line for line, care in zip(lines, careful, strict=True) if not care], stretch)
        if not any(careful):
            stretch = self._folded_on(lines, stretch, newest)
        whole = self._pages.whole(stretch, lines) if any(careful) else []
        changes = [
            self._with_care(line, whole, stretch.reached) if care else line.change(stretch.reached, owner=self._owner)
            for line, care in zip(lines, careful, strict=True)
        ]
        if not self._database.commit(changes):
            self._forget(lines)
            self.prepare()
            return True
        for line, change in zip(lines, changes, strict=True):
            line.stands_at(stretch.reached)
            if change.parked:
                line.park(one.key for one in change.parked)
        if any(change.notes for change in changes):
            bring_in(self._database, self._store)
        return stretch.full or len(lines) < len(self._held.lines)

    def _folded_on(self, lines: Sequence[Line], stretch: Stretch, newest: SequencedEvent) -> Stretch:
        """Fold pages behind that one, as long as there is room, that is wanted and none needs care; the last one."""
        events = len(stretch.events)
        while stretch.full and stretch.reached.position >= self._page_by_page and self._wants_more(lines, events):
            further = self._pages.next(lines, newest, after=stretch.reached.position)
            if any(_wants_care(line, further) for line in lines):
                break
            self._folded = further.reached.position
            self._fold(lines, further)
            stretch, events = further, events + len(further.events)
        return stretch

    def _wants_more(self, lines: Sequence[Line], events: int) -> bool:
        return self._folds_on is not None and not any(line.rows.full for line in lines) and self._folds_on(events)

    def _fold(self, lines: Sequence[Line], stretch: Stretch) -> None:
        for line, named in zip(lines, self._pages.named(stretch, lines), strict=True):
            line.fold(named)

    def _with_care(self, line: Line, events: list[SequencedEvent], reached: Mark) -> Change:
        """What to write where each event is looked at by itself."""
        if isinstance(line, HandledLine):
            around = Around(self._views, store=self._store, codec=self._codec)
            handling = Handling(line, around, scribe=self._scribe)
            return handling.change(events, reached, owner=self._owner)
        care = Care(line, self._codec)
        return care.change(events, reached, owner=self._owner, scribe=self._scribe)

    def _refresh(self) -> bool:
        """Nothing new: see whether the tables are still there and where they were. Whether there is more to do."""
        if not self._held.changed():
            return False
        self.prepare()
        newest = self._newest(self._until)
        return newest is not None and any(
            line.mark.position < newest.position for line in self._held.lines if line.trouble is None
        )

    def _forget(self, lines: Sequence[Line]) -> None:
        """What these lines know of their rows may be wrong."""
        self._prepared = False
        self._ahead = (None, None)
        for line in lines:
            line.forget()


def _wants_care(line: Line, stretch: Stretch) -> bool:
    return line.wants_care(after=stretch.after, until=stretch.reached.position)

"""Views follow the journal: pages of events folded in memory by key, written with the checkpoint in one transaction.

Whatever is killed when, and however many processes project the same views at once, each event counts once: a page is
written only if the checkpoint still stands where it stood when the page was read; the loser forgets what it knows and
reads anew.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from actum.journal.errors import ActumError, NewerSchema, Unavailable, Unknown
from actum.journal.query import Query
from actum.journal.readmodel import Change, Mark
from actum.projection.rows import Rows
from actum.projection.view import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actum.journal.codec import Codec
    from actum.journal.event import Event, Position, SequencedEvent
    from actum.journal.readmodel import ReadDatabase, Row
    from actum.journal.store import EventStore

_LOG = logging.getLogger(__name__)

PAGE = 1000
"""How many events are folded into one transaction."""

Decoded: TypeAlias = "list[tuple[str, Event]]"
Progressed: TypeAlias = "Callable[[Position, Position], None]"
"""Told of progress: the position reached and the one to reach."""


class _Line:
    """One view and where it stands."""

    __slots__ = ("mark", "plan", "rows")

    def __init__(self, plan: Plan[Any]) -> None:
        self.plan = plan
        self.rows: Rows[Any] = Rows(plan)
        self.mark = Mark()


class Projector:
    """Keeps the tables of some views up with a journal, a page at a call. Safe to share between threads.

    `until` bounds how far it goes: the views are then as of that position. `page` is how many events go into one
    transaction.
    """

    def __init__(
        self,
        store: EventStore,
        codec: Codec,
        *,
        database: ReadDatabase,
        plans: Sequence[Plan[Any]],
        until: Position | None = None,
        page: int = PAGE,
    ) -> None:
        self._store = store
        self._codec = codec
        self._database = database
        self._until = until
        self._page = page
        self._lines = {plan.table: _Line(plan) for plan in plans}
        self._queries: dict[tuple[str, ...], Query] = {}
        self._lock = threading.RLock()
        self._made = False
        self._prepared = False

    @property
    def position(self) -> Position:
        """Up to where every view has come."""
        return min((line.mark.position for line in self._lines.values()), default=0)

    def make_tables(self) -> None:
        """Have every table there; one of another fold begins anew. Once: whoever comes later with another fold prevails."""
        with self._lock:
            for line in self._lines.values():
                self._make(line)
            self._made = True

    def _make(self, line: _Line) -> None:
        if self._database.prepare(line.plan.shape):
            _LOG.info("the view %s is built from the beginning of the journal", line.plan.name)

    def prepare(self) -> None:
        """Know where every table stands. `Unavailable` where one does not fit the journal."""
        with self._lock:
            if not self._made:
                self.make_tables()
            for line in self._lines.values():
                self._look(line)
            self._prepared = True

    def step(self) -> bool:
        """Take in one page; whether there may be more."""
        with self._lock:
            if not self._lines:
                return False
            if not self._prepared:
                self.prepare()
            try:
                return self._step()
            except BaseException:
                self._prepared = False
                raise

    def catch_up(self, progress: Progressed | None = None) -> Position:
        """Take in everything there is; how far the views have come."""
        more = True
        while more:
            more = self.step()
            if progress is not None:
                progress(self.position, self._store.head())
        return self.position

    def renew(self, plan: Plan[Any]) -> None:
        """Empty a view's table, to be built anew."""
        with self._lock:
            self._database.renew(plan.shape)
            self._prepared = False

    # One page.

    def _step(self) -> bool:
        lines, bound = self._behind()
        seen = lines[0].mark
        newest = self._newest(bound)
        if newest is None or newest.position <= seen.position:
            return self._refresh(lines)
        events = list(
            self._store.read(self._query(lines), after=seen.position, until=newest.position, limit=self._page)
        )
        full = len(events) == self._page
        reached = Mark(events[-1].position, events[-1].id) if full else Mark(newest.position, newest.id)
        decoded = self._decode(events)
        changes = [Change(line.plan.shape, self._fold(line, decoded), line.mark, reached) for line in lines]
        if not self._database.commit(changes):
            self.prepare()
            return True
        for line in lines:
            line.mark = reached
            line.rows.age()
        return full or len(lines) < len(self._lines)

    def _behind(self) -> tuple[list[_Line], Position | None]:
        """The views that are furthest behind, together, and where they meet the next ones."""
        least = min(line.mark.position for line in self._lines.values())
        lines = [line for line in self._lines.values() if line.mark.position == least]
        further = [line.mark.position for line in self._lines.values() if line.mark.position > least]
        bounds = [*further, *([] if self._until is None else [self._until])]
        return lines, min(bounds, default=None)

    def _newest(self, bound: Position | None) -> SequencedEvent | None:
        return next(iter(self._store.read(Query.all(), until=bound, limit=1, backwards=True)), None)

    def _refresh(self, lines: Sequence[_Line]) -> bool:
        """Nothing new: see whether the tables are still there and where they were. Whether there is more to do."""
        if all(self._database.mark(line.plan.shape) == line.mark for line in lines):
            return False
        self.prepare()
        newest = self._newest(self._until)
        return newest is not None and self.position < newest.position

    def _query(self, lines: Sequence[_Line]) -> Query:
        key = tuple(line.plan.table for line in lines)
        query = self._queries.get(key)
        if query is None:
            types = {event for line in lines for event in line.plan.fold.events}
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

    def _fold(self, line: _Line, decoded: Decoded) -> list[Row]:
        """The changed rows of one view."""
        fold = line.plan.fold
        wanted = fold.event_set
        mine = [pair for pair in decoded if type(pair[1]) in wanted]
        texts = {text for text, _ in mine}
        rows = line.rows.find(texts, self._database)
        event: Any = None
        try:
            for text, event in mine:
                for row in rows[text]:
                    row.evolve(event)
        except Exception as wrong:
            if isinstance(wrong, ActumError):
                raise
            raise Unavailable(
                f"the view {line.plan.name} cannot take {event!r:.200}: {type(wrong).__name__}: {wrong}; mend its evolve"
            ) from wrong
        changed = {id(row): row for text in texts for row in rows[text]}
        return line.plan.rows(list(changed.values()))

    # Where the tables stand.

    def _look(self, line: _Line) -> None:
        """Read the table's checkpoint and hold it against the journal."""
        mark = self._database.mark(line.plan.shape) or self._missing(line)
        self._check_fits(line, mark)
        line.mark = mark
        line.rows.forget(empty=mark.position == 0)

    def _missing(self, line: _Line) -> Mark:
        """The table is not there any more, or it is somebody else's now."""
        if line.plan.table in self._database.marks():
            raise Unavailable(
                f"the view {line.plan.name} is kept by another version of this program now; "
                "stop this one, or give the new one a table or a read database of its own"
            )
        self._make(line)
        return Mark()

    def _check_fits(self, line: _Line, mark: Mark) -> None:
        if mark.position == 0:
            return
        where = f"the view {line.plan.name} in {self._database.address}"
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

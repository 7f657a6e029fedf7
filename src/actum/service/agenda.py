"""What is going on in processes, as tables of the read database: instances, timers and effects, and what is due when.

Views like any other: deleted, they come back the same. `due` is empty where there is nothing to do, and indexed, so that
finding what is due takes as long as there is something due.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Literal, TypeVar
from uuid import UUID

from actum.process.agenda import DueEffect, DueInstance
from actum.process.naming import TIMERS, EffectId, InstanceId, TimerId
from actum.process.record import (
    Discarded,
    EffectBegun,
    EffectDiscarded,
    EffectDone,
    EffectFailed,
    EffectRequested,
    EffectRetried,
    Parked,
    Reacted,
    Retried,
    Served,
    TimerCancelled,
    TimerFired,
    TimerSet,
    Waiting,
)
from actum.projection.projector import Projector
from actum.projection.table import Table
from actum.projection.view import View, ViewT, plan_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from actum.journal.codec import Codec
    from actum.journal.readmodel import ReadDatabase
    from actum.journal.store import EventStore
    from actum.process.agenda import Mine

RowT = TypeVar("RowT", "ProcessRow", "TimerRow", "EffectRow")

AT_A_TIME = 256
"""How many rows are looked at where the first ones are others' to see to."""

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""When something is due that is due now."""


class ProcessRow(View, table="actum_processes", indexed=("due", "heard")):
    """One instance of a process: `open`, `parked` or `ended`; when it was last heard of, and what is parked."""

    instance: InstanceId
    process: str = ""
    status: Literal["open", "parked", "ended"] = "open"
    reactions: int = 0
    began: datetime | None = None
    heard: datetime | None = None
    """When what it last reacted to was recorded; empty once it has ended."""
    parked_at: int | None = None
    """The position of the event that is parked."""
    waiting: int = 0
    error: str | None = None
    due: datetime | None = None
    has_ended: bool = False

    def evolve(self, event: Reacted | Parked | Waiting | Served | Retried | Discarded) -> None:
        """See `State.evolve`."""
        match event:
            case Reacted():
                self._react(event)
            case Parked():
                self.process, self.error, self.due = event.process, event.error, event.again
                self.parked_at = event.position
            case Waiting():
                self.waiting += 1
            case Retried():
                self.due = AT_ONCE
            case Served() | Discarded():
                self._release()
        self._name_status()

    def _react(self, event: Reacted) -> None:
        self.process = event.process
        self.reactions += 1
        self.began = self.began or event.when
        self.has_ended = self.has_ended or event.ended
        self.heard = None if self.has_ended else event.when

    def _release(self) -> None:
        """What was parked is out of the way; what waits behind it is next."""
        self.error = None
        self.parked_at, self.due = (self.parked_at, AT_ONCE) if self.waiting else (None, None)
        self.waiting = max(self.waiting - 1, 0)

    def _name_status(self) -> None:
        self.status = "parked" if self.parked_at is not None else "ended" if self.has_ended else "open"


class TimerRow(View, table="actum_timers", indexed=("due",)):
    """One timer: `set`, `fired`, `cancelled`, or `parked` where it cannot fire; of an instance, of a schedule, or of its own."""

    timer: TimerId
    name: str = ""
    status: Literal["set", "fired", "cancelled", "parked"] = "set"
    due: datetime | None = None
    instance: str | None = None
    schedule: str | None = None
    then: str | None = None
    """What it stands for."""

    def evolve(self, event: TimerSet | TimerFired | TimerCancelled | Parked) -> None:
        """See `State.evolve`."""
        match event:
            case TimerSet():
                self.name, self.due = event.name, event.due
                self.instance, self.schedule = event.instance, event.schedule
                then = event.command or event.event
                self.then = then.kind if then else None
            case TimerFired():
                self.status, self.due = "fired", None
            case TimerCancelled():
                self.status, self.due = "cancelled", None
            case Parked():
                self.status, self.due = "parked", None


class EffectRow(View, table="actum_effects", indexed=("due",)):
    """One effect: what asked for it, at which attempt it is, and what is known of it.

    `requested`, `calling`, `unknown` (nobody knows whether it was had), `failed` (it was not), `done` or `discarded`. A
    call that has been going on for longer than its lease is unknown, too: see `is_unknown`.
    """

    effect: EffectId
    request_type: str = ""
    request: UUID | None = None
    position: int = 0
    status: Literal["requested", "calling", "unknown", "failed", "done", "discarded"] = "requested"
    attempt: int = 0
    worker: str | None = None
    until: datetime | None = None
    error: str | None = None
    due: datetime | None = None

    def evolve(
        self, event: EffectRequested | EffectBegun | EffectDone | EffectFailed | EffectRetried | EffectDiscarded
    ) -> None:
        """See `State.evolve`."""
        match event:
            case EffectRequested():
                self.request_type, self.request = event.request_type, event.request
                self.position, self.due = event.position, AT_ONCE
            case EffectBegun():
                self.status, self.attempt, self.worker = "calling", event.attempt, event.worker
                self.until = self.due = event.until
            case EffectDone():
                self.status, self.due, self.error = "done", None, None
            case EffectFailed():
                self.status, self.error = "failed" if event.undone else "unknown", event.error
                self.due = event.again
            case EffectRetried():
                self.status, self.due = "requested", AT_ONCE
            case EffectDiscarded():
                self.status, self.due = "discarded", None

    def is_unknown(self, now: datetime) -> bool:
        """Whether nobody knows, at that time, whether it was had."""
        return self.status == "unknown" or (self.status == "calling" and self.until is not None and self.until <= now)


ROWS: tuple[type[View], ...] = (ProcessRow, TimerRow, EffectRow)

_WHOSE: dict[type[View], str] = {ProcessRow: "process", EffectRow: "request_type"}
"""Where a row says by whom it is seen to."""

_STATUS = {"calling": "begun", "unknown": "failed"}


class Agenda:
    """What is due, from the tables: see `actum.process.agenda.Agenda`.

    `names` are those of the processes and effects that there are, `schedules` those of the schedules: what is left of others, or
    set by a newer program for itself, is due to nobody here.
    """

    def __init__(
        self,
        store: EventStore,
        codec: Codec,
        *,
        database: ReadDatabase,
        names: Collection[str],
        schedules: Collection[str],
    ) -> None:
        self._database = database
        self._names = list(names)
        self._schedules = frozenset(schedules)
        self._projector = Projector(store, codec, database=database, plans=[plan_of(row) for row in ROWS])
        self._projector.make_tables()

    def catch_up(self) -> None:
        """Take in everything that is in the journal."""
        self._projector.catch_up()

    def table(self, row: type[ViewT]) -> Table[ViewT]:
        """One of the tables."""
        return Table(row, self._database)

    def timers(self, now: datetime, limit: int, *, mine: Mine) -> list[UUID]:
        """See `actum.process.agenda.Agenda.timers`."""
        return [row.timer for row in self._some(self._due(TimerRow, now), limit, mine)]

    def instances(self, now: datetime, limit: int, *, mine: Mine) -> list[DueInstance]:
        """See `actum.process.agenda.Agenda.instances`."""
        return [DueInstance(row.instance, row.process) for row in self._some(self._due(ProcessRow, now), limit, mine)]

    def effects(self, now: datetime, limit: int, *, mine: Mine) -> list[DueEffect]:
        """See `actum.process.agenda.Agenda.effects`."""
        return [
            DueEffect(
                effect=row.effect,
                request_type=row.request_type,
                position=row.position,
                status=_STATUS.get(row.status, row.status),
                attempt=row.attempt,
                undone=row.status == "failed",
            )
            for row in self._some(self._due(EffectRow, now), limit, mine)
        ]

    def next(self, *, after: datetime, mine: Mine) -> datetime | None:
        """See `actum.process.agenda.Agenda.next`."""
        first = (
            self._first(ProcessRow, after, mine),
            self._first(TimerRow, after, mine),
            self._first(EffectRow, after, mine),
        )
        return min((due for due in first if due is not None), default=None)

    def _first(self, row: type[RowT], after: datetime, mine: Mine) -> datetime | None:
        rows = self._seen_to(row).where("due", ">", after).order("due")
        return next((one.due for one in self._some(rows, 1, mine)), None)

    def _some(self, rows: Table[RowT], limit: int, mine: Mine) -> Iterator[RowT]:
        """The first so many of those that are mine."""
        found = (row for row in _little_by_little(rows, limit) if self._takes(row) and mine(*_whose(row)))
        return islice(found, limit)

    def _takes(self, row: View) -> bool:
        """Whether it is no turn of a schedule that only another program has."""
        return not isinstance(row, TimerRow) or row.schedule is None or row.schedule in self._schedules

    def _due(self, row: type[RowT], now: datetime) -> Table[RowT]:
        return self._seen_to(row).where("due", "<=", now).order("due")

    def _seen_to(self, row: type[RowT]) -> Table[RowT]:
        table = self.table(row)
        return table.where(_WHOSE[row], "in", self._names) if row in _WHOSE else table


def _little_by_little(rows: Table[RowT], first: int) -> Iterator[RowT]:
    """All rows, but most often the first ones are enough."""
    page = rows.page(limit=first)
    yield from page
    while page.next is not None:
        page = rows.page(limit=AT_A_TIME, after=page.next)
        yield from page


def _whose(row: View) -> tuple[str, str]:
    """Under which name it is followed, and what it is called."""
    match row:
        case ProcessRow():
            return row.process, row.instance
        case EffectRow():
            return row.request_type, str(row.effect)
        case TimerRow():
            return TIMERS, str(row.timer)
        case _:
            raise TypeError(row)

"""Verifying a journal offline: whether what is stored is what was committed to, and whether each decision could be taken.

Each leaf is computed again from the stored bytes; decisions are held against the events themselves as they go by, in
one pass in order of position and with flat memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, TypeAlias

from actum.audit.court import Court
from actum.audit.report import Finding, Report
from actum.journal.errors import Corrupted
from actum.journal.event import Position
from actum.journal.store import Indexed, leaf_of

if TYPE_CHECKING:
    from actum.journal.event import SequencedEvent
    from actum.journal.store import JournalStore

Progress: TypeAlias = Callable[[int], None]
"""Is told now and then up to which position everything is looked at."""

PAGE = 1000
"""How often progress is reported, in events; and how many are read one by one after one that cannot be read."""


def verify(
    store: JournalStore,
    *,
    decisions: bool = False,
    handlers: Collection[str] | None = None,
    progress: Progress = lambda position: None,
) -> Report:
    """Look at every event up to the head: its leaf, its place, its time, and whether the index has it.

    With `decisions`, at every decision as well.
    A decision must rest on a condition that held, its events must be there and name its command, and every event that
    names a command must belong to the decision on it. `handlers` are the names of the rules there are, without versions.
    What was cut off at the end of a journal leaves no trace in it but for decisions: keep the head elsewhere.
    """
    head = store.head()
    report = Report(store.origin, head)
    court = Court(store, report, handlers) if decisions else None
    order = _Order(report)
    for event in _readable(store, report):
        if event is None:
            order.pass_over()
            continue
        order.check(event)
        if court is not None:
            court.hear(event)
        report.events += 1
        if event.position % PAGE == 0:
            progress(event.position)
    order.finish()
    _check_index(store, report)
    if court is not None:
        court.rise()
    progress(head)
    return report


def _readable(store: JournalStore, report: Report) -> Iterator[SequencedEvent | None]:
    """Every event, and None for one that cannot be read. After a damaged page, one event at a time for a while."""
    position, alone_until = 0, 0
    while position < report.head:
        alone, before = position < alone_until, position
        try:
            for event in store.read(after=position, until=report.head, limit=1 if alone else None):
                yield event
                position = event.position
            if not alone or position == before:
                return
        except Corrupted as wrong:
            if alone:
                position += 1
                report.add(Finding(position, "row", "an event that can be read", str(wrong)))
                yield None
            else:
                alone_until = position + PAGE


def _check_index(store: JournalStore, report: Report) -> None:
    """Only where the events can be read: an index of what is damaged says nothing."""
    hole = store.hole() if report.sound and isinstance(store, Indexed) else None
    if hole is not None:
        found = "none; write it anew with `actum journal reindex`"
        report.add(Finding(hole, "index", "an entry for each of the event's tags", found))


class _Order:
    """Looks at one event after the other: is it the next, is it later, is it what was committed to?"""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._position = 0
        self._recorded: int | None = None

    def check(self, event: SequencedEvent) -> None:
        """Compare the event with its leaf and with the event before it."""
        if event.position != self._position + 1:
            self._missing(self._position + 1, event.position)
        if self._recorded is not None and event.recorded < self._recorded:
            self._add(event, "recorded", f"{self._recorded} or later, as of the event before", str(event.recorded))
        self._position, self._recorded = event.position, event.recorded
        computed = _leaf(event, self._report.origin)
        if computed != event.leaf:
            self._add(event, "leaf", f"{computed.hex()}, computed from what is stored", event.leaf.hex())

    def pass_over(self) -> None:
        """There is an event, and it cannot be read."""
        self._position += 1

    def finish(self) -> None:
        """Whether the last one was the last."""
        if self._position < self._report.head:
            self._missing(self._position + 1, self._report.head + 1)

    def _missing(self, first: Position, behind: Position) -> None:
        names = f"position {first}" if behind == first + 1 else f"positions {first} to {behind - 1}"
        self._report.add(Finding(first, "position", f"an event at {names}", "none"))

    def _add(self, event: SequencedEvent, what: str, expected: str, found: str) -> None:
        self._report.add(Finding(event.position, what, expected, found))


def _leaf(event: SequencedEvent, origin: str) -> bytes:
    try:
        return leaf_of(event, origin)
    except UnicodeEncodeError:
        return b""

"""A journal copied into another store, whatever either of them is: same positions, ids, times, leaves and decisions.

What is copied is written as the lines of an archive would be, and hashed; then the copy is read back and hashed likewise.
So a copy is either the same to the byte, or an error. Copying again brings what is new since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actum.audit.archive import BATCH, Lines, Manifest, checked, with_decisions
from actum.journal.errors import Corrupted, Invalid

if TYPE_CHECKING:
    from actum.audit.verify import Progress
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.store import DecisionRecord, JournalStore


def copy_journal(source: JournalStore, target: JournalStore, *, progress: Progress = lambda position: None) -> Manifest:
    """Have in `target` all that `source` has now. The target is empty, or a beginning of the same journal.

    Raises `Invalid` where it is neither, before anything is written, and `Corrupted` where an event is not what was
    committed to, or where the copy, read back, is not the same. Whoever is interrupted copies again: it goes on after
    the target's head.
    """
    head, there = source.head(), target.head()
    if there and target.origin != source.origin:
        raise Invalid(f"the target is the journal {target.origin}, not {source.origin}; copy into a journal of its own")
    if there > head:
        raise Invalid(
            f"the target ends at position {there}, behind the source, which ends at {head}; was it the other way?"
        )
    wanted = _fill(source, target, head=head, there=there, progress=progress)
    found = manifest_of(target, until=head)
    if found != wanted:
        raise Corrupted(
            f"the copy is not the same: expected the hash {wanted.sha256}, found {found.sha256}; "
            "run `actum verify` on both, and copy into a fresh journal"
        )
    return wanted


def manifest_of(store: JournalStore, *, until: Position) -> Manifest:
    """How many events and decisions a journal has up to a position, and the hash of the archive that they would make."""
    lines = Lines(store.origin)
    for event, record in with_decisions(store, until):
        lines.add(checked(event, store.origin), record)
    return lines.manifest


def _fill(
    source: JournalStore, target: JournalStore, *, head: Position, there: Position, progress: Progress
) -> Manifest:
    """Write what is missing, in whole decisions; the hash of everything."""
    lines, compared = Lines(source.origin), target.read(until=there)
    events: list[SequencedEvent] = []
    decisions: list[DecisionRecord] = []
    for event, record in with_decisions(source, head):
        lines.add(checked(event, source.origin), record)
        if event.position <= there:
            _compare(next(compared), event)
            continue
        events.append(event)
        whole = record is None or record.last == event.position
        if record is not None and whole:
            decisions.append(record)
        if whole and len(events) >= BATCH:
            progress(target.restore(source.origin, events, decisions))
            events, decisions = [], []
    if events:
        progress(target.restore(source.origin, events, decisions))
    return lines.manifest


def _compare(found: SequencedEvent, event: SequencedEvent) -> None:
    if found.leaf != event.leaf:
        raise Invalid(f"the target has another event at position {event.position}; copy into a journal of its own")

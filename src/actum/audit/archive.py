"""A journal as a file that any tool can read, and that fills another journal to the byte.

An archive is read twice: first every line is verified, from the first to the hash at the end, and nothing is written;
then the journal is filled in whole batches. Whoever is interrupted imports again, and it goes on after the head.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from actum.audit import lines
from actum.audit.lines import DecisionLine, EventLine, Header, Trailer
from actum.journal.errors import Corrupted, Invalid, NewerSchema
from actum.journal.store import checked_continuation, leaf_of

if TYPE_CHECKING:
    from actum.audit.verify import Progress
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.store import DecisionRecord, JournalStore

BATCH = 1000
"""How many events are restored in one transaction, about."""


class Manifest(msgspec.Struct, frozen=True):
    """What an archive holds, and its hash: the SHA-256 of all lines before the last."""

    origin: str
    events: int
    decisions: int
    sha256: str


def export_archive(store: JournalStore, file: BinaryIO, *, progress: Progress = lambda position: None) -> Manifest:
    """Write everything up to the head into `file`. `Corrupted` at the first event that is not what was committed to."""
    head = store.head()
    writing = Lines(store.origin, file)
    for event, record in with_decisions(store, head):
        writing.add(checked(event, store.origin), record)
        if event.position % BATCH == 0:
            progress(event.position)
    progress(head)
    if writing.events != head:
        raise Corrupted(f"the journal ends at {head} and has {writing.events} events; run `actum verify`")
    return writing.finish()


def with_decisions(store: JournalStore, head: Position) -> Iterator[tuple[SequencedEvent, DecisionRecord | None]]:
    """Every event up to the head, and the decision that it belongs to."""
    records = store.decisions()
    record = next(records, None)
    for event in store.read(until=head):
        while record is not None and record.last < event.position:
            record = next(records, None)
        yield event, record if record is not None and record.first <= event.position else None


def checked(event: SequencedEvent, origin: str) -> SequencedEvent:
    """The event itself; `Corrupted` where it is not what was committed to."""
    if leaf_of(event, origin) != event.leaf:
        raise Corrupted(
            f"the event at position {event.position} is not what was committed to; "
            "run `actum verify`, restore from another copy"
        )
    return event


class Lines:
    """The lines of an archive, hashed and counted on their way into a file, or nowhere."""

    def __init__(self, origin: str, file: BinaryIO | None = None) -> None:
        self.events = 0
        self._decisions = 0
        self._origin = origin
        self._file = file
        self._hash = sha256()
        self._line(Header(lines.FORMAT, origin))

    def add(self, event: SequencedEvent, record: DecisionRecord | None) -> None:
        """The next event, which belongs to that decision; behind its last one stands the decision."""
        self._line(lines.line_of(event, continues=record is not None and event.position < record.last))
        self.events += 1
        if record is not None and event.position == record.last:
            self._line(lines.decision_line_of(record))
            self._decisions += 1

    def _line(self, line: lines.Line) -> None:
        written = lines.write(line)
        self._hash.update(written)
        if self._file is not None:
            self._file.write(written)

    @property
    def manifest(self) -> Manifest:
        """What there is so far."""
        return Manifest(self._origin, self.events, self._decisions, self._hash.hexdigest())

    def finish(self) -> Manifest:
        """The last line."""
        manifest = self.manifest
        if self._file is not None:
            self._file.write(lines.write(Trailer(manifest.events, manifest.decisions, manifest.sha256)))
        return manifest


def examine_archive(file: BinaryIO, *, progress: Progress = lambda position: None) -> Manifest:
    """Read a whole archive and verify every line of it. `Invalid` or `Corrupted` says which line is wrong, and how."""
    reading = _Reading(file)
    header = reading.header()
    recorded, position = 0, 0
    for line in reading.body():
        if isinstance(line, EventLine):
            event = lines.event_of(line)
            try:
                checked_continuation(header.origin, [event], [], onto=header.origin, head=position, recorded=recorded)
            except (Invalid, Corrupted) as wrong:
                raise type(wrong)(f"line {reading.number}: {wrong}") from wrong
            position, recorded = event.position, event.recorded
            if position % BATCH == 0:
                progress(position)
        else:
            record = lines.decision_of(line)
            if record.count < 1 or record.first < 1 or record.last != position:
                raise Invalid(
                    f"line {reading.number}: a decision of {record.count} events from position {record.first} on, found "
                    f"behind position {position}; the lines are not in the order in which they were written"
                )
    progress(position)
    return reading.manifest(header.origin)


def import_archive(
    store: JournalStore,
    file: BinaryIO,
    *,
    examined: Manifest | None = None,
    progress: Progress = lambda position: None,
) -> Manifest:
    """Fill the journal with what the archive holds and the journal does not; `file` must be able to go back to its start.

    The journal is empty, or a beginning of the same one: then what is there is compared and the rest is added. Raises
    before anything is written where the archive is not whole (`Invalid`, `Corrupted`) or does not fit (`Invalid`).
    `examined` is what `examine_archive` has just said of this file, where somebody asked.
    """
    file.seek(0)
    manifest = examined or examine_archive(file)
    head = store.head()
    if head and store.origin != manifest.origin:
        raise Invalid(
            f"this is the journal {store.origin}, the archive is of {manifest.origin}; import into a journal of its own"
        )
    file.seek(0)
    reading = _Reading(file)
    reading.header()
    _fill(store, manifest, reading, head, progress)
    if manifest != reading.manifest(manifest.origin):
        raise Invalid("the archive changed while it was read; import it again")
    return manifest


def _fill(store: JournalStore, manifest: Manifest, reading: _Reading, head: Position, progress: Progress) -> None:
    there = store.read(until=head)
    events: list[SequencedEvent] = []
    decisions: list[DecisionRecord] = []
    whole = True
    for line in reading.body():
        if isinstance(line, DecisionLine):
            record = lines.decision_of(line)
            if record.last > head:
                decisions.append(record)
            continue
        if whole and len(events) >= BATCH:
            progress(store.restore(manifest.origin, events, decisions))
            events, decisions = [], []
        whole = not line.continues
        event = lines.event_of(line)
        if event.position > head:
            events.append(event)
        elif next(there).leaf != event.leaf:
            raise Invalid(
                f"the journal has another event at position {event.position}; import into a journal of its own"
            )
    if events:
        progress(store.restore(manifest.origin, events, decisions))


class _Reading:
    """Lines as they come out of a file, hashed and counted, the first and the last known for what they are."""

    def __init__(self, file: BinaryIO) -> None:
        self.number = 0
        self._file = file
        self._hash = sha256()
        self._counts = [0, 0]
        self._trailer: Trailer | None = None

    def header(self) -> Header:
        """The first line. `Invalid` for a file that is no archive, `NewerSchema` for one of a newer format."""
        line = self._next()
        if not isinstance(line, Header) or not line.format.startswith("actum/archive/"):
            raise Invalid("the file does not begin like an archive; name a file that `actum export` wrote")
        if line.format != lines.FORMAT:
            raise NewerSchema(
                f"the archive has the format {line.format}, this actum reads {lines.FORMAT}; upgrade actum"
            )
        return line

    def body(self) -> Iterator[EventLine | DecisionLine]:
        """All lines between the first and the last."""
        while True:
            line = self._next()
            match line:
                case EventLine():
                    self._counts[0] += 1
                    yield line
                case DecisionLine():
                    self._counts[1] += 1
                    yield line
                case Trailer():
                    self._trailer = line
                    return
                case Header():
                    raise Invalid(f"line {self.number} begins a second archive; import one at a time")

    def manifest(self, origin: str) -> Manifest:
        """What was read, once it is all read. `Invalid` where it is not what was written."""
        trailer = self._trailer
        assert trailer is not None
        if self._file.readline():
            raise Invalid(f"something stands behind line {self.number}, the last of the archive; export it again")
        digest = self._hash.hexdigest()
        if (trailer.events, trailer.decisions) != tuple(self._counts):
            raise Invalid(
                f"expected {trailer.events} events and {trailer.decisions} decisions, found {self._counts[0]} and "
                f"{self._counts[1]}; the archive is not whole, export it again"
            )
        if trailer.sha256 != digest:
            raise Corrupted(
                f"expected the hash {trailer.sha256}, found {digest}; the archive was altered, export it again"
            )
        return Manifest(origin, trailer.events, trailer.decisions, digest)

    def _next(self) -> lines.Line:
        read = self._file.readline()
        self.number += 1
        if not read:
            raise Invalid(f"the archive ends before line {self.number}: it is truncated; export it again")
        line = lines.read(read, number=self.number)
        if not isinstance(line, Trailer):
            self._hash.update(read)
        return line

"""The court: whether each decision could be taken when it was taken, heard in one pass over the events.

Only the newest events' tags are kept, so memory stays flat; a decision that looks further back than these is one
question to the store.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from actum.audit.report import Finding, Report
from actum.decision.command import digest_of
from actum.journal.errors import Corrupted
from actum.journal.event import Kind, Position
from actum.journal.query import Query

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from actum.journal.event import SequencedEvent
    from actum.journal.query import AppendCondition, QueryItem
    from actum.journal.store import DecisionRecord, JournalStore

KEPT = 65536
"""How many events a decision may look back without a question to the store."""


class _Caused(msgspec.Struct):
    """What the metadata says of the command."""

    command: UUID | None = None


class _Answer(msgspec.Struct):
    """What a refusal, or a decision that changed nothing, says of its command."""

    command: str
    said: msgspec.Raw


_CAUSED = msgspec.json.Decoder(_Caused)
_ANSWER = msgspec.json.Decoder(_Answer)


class Court:
    """Hears the events in order, and of each decision whether it could be taken when it was."""

    def __init__(self, store: JournalStore, report: Report, handlers: Collection[str] | None) -> None:
        self._store = store
        self._report = report
        self._handlers = handlers
        self._unknown: set[str] = set()
        self._recent = Recent()
        self._records = self._legible()
        self._next = next(self._records, None)
        self._open: DecisionRecord | None = None

    def _legible(self) -> Iterator[DecisionRecord]:
        try:
            yield from self._store.decisions()
        except Corrupted as wrong:
            self._report.add(Finding(0, "decision", "records that can be read", str(wrong)))

    def hear(self, event: SequencedEvent) -> None:
        """The next event: decisions that begin with it are judged by what came before it."""
        while self._next is not None and self._next.first <= event.position:
            self._begin(self._next, event)
            self._next = next(self._records, None)
        self._attribute(event)
        self._recent.add(event)

    def rise(self) -> None:
        """The end: decisions whose events never came."""
        if self._open is not None and self._open.last > self._report.head:
            self._absent(self._open)
        while self._next is not None:
            self._report.decisions += 1
            self._absent(self._next)
            self._next = next(self._records, None)

    def _begin(self, record: DecisionRecord, event: SequencedEvent) -> None:
        self._report.decisions += 1
        if record.count < 1 or record.first < 1:
            self._add(record, "one event or more", f"{record.count} from position {record.first} on")
        elif record.first < event.position:
            self._add(record, f"its first event at position {record.first}", "none, or another decision's")
        elif self._open is not None and record.first <= self._open.last:
            self._add(record, f"events of its own, after position {self._open.last}", f"its first at {record.first}")
        self._open = record
        self._check_condition(record)
        self._check_answer(record, event)
        self._check_handler(record)

    def _check_condition(self, record: DecisionRecord) -> None:
        condition = record.condition
        if condition is None:
            return
        if condition.after >= record.first:
            self._add(record, f"to have looked before position {record.first}", f"a look at position {condition.after}")
            return
        collision = self._collision(condition, record.first)
        if collision:
            self._add(
                record,
                f"no event that matches its condition after position {condition.after}",
                f"one at position {collision}",
            )

    def _collision(self, condition: AppendCondition, first: Position) -> Position:
        """Where an event stands that matches the condition and comes before the decision; 0 where there is none."""
        query = condition.fail_if_events_match
        if query.is_all:
            return first - 1 if first - 1 > condition.after else 0
        suspects = tuple(item for item in query.items if self._recent.may_match(item, condition.after))
        if not suspects:
            return 0
        if condition.after >= self._recent.floor:
            return self._recent.match(Query(suspects), condition.after)
        found = self._store.read(Query(suspects), after=condition.after, until=first - 1, limit=1)
        return next((event.position for event in found), 0)

    def _check_answer(self, record: DecisionRecord, event: SequencedEvent) -> None:
        """A refusal keeps the command as it was given: it must be the one that was decided."""
        if event.type not in ("actum.refused", "actum.unchanged") or event.position != record.first:
            return
        try:
            answer = _ANSWER.decode(event.data)
            name, _, version = answer.command.rpartition("@")
            digest = digest_of(Kind(name, int(version)), bytes(answer.said))
        except (msgspec.DecodeError, ValueError):
            digest = b""
        if digest != record.digest:
            self._add(record, f"the digest {digest.hex()} of the command as it was given", record.digest.hex())

    def _check_handler(self, record: DecisionRecord) -> None:
        name = record.handler.rpartition("@")[0]
        if self._handlers is not None and name not in self._handlers and record.handler not in self._unknown:
            self._unknown.add(record.handler)
            self._report.unknown_handlers.append(record.handler)

    def _attribute(self, event: SequencedEvent) -> None:
        """Whose command is this event's, and is it the decision's?"""
        command = _command_of(event)
        record = self._open
        if record is not None and record.first <= event.position <= record.last:
            if command != record.command:
                self._report.add(
                    Finding(
                        event.position,
                        "command",
                        f"{record.command.hex()}, whose decision it belongs to",
                        "none" if command is None else command.hex(),
                    )
                )
        elif command is not None:
            self._report.add(
                Finding(event.position, "decision", f"a record of the decision on {command.hex()}", "none")
            )

    def _absent(self, record: DecisionRecord) -> None:
        self._add(
            record,
            f"events from position {record.first} to {record.last}",
            f"a journal that ends at {self._report.head}",
        )

    def _add(self, record: DecisionRecord, expected: str, found: str) -> None:
        self._report.add(Finding(record.first, f"decision on {record.command.hex()}", expected, found))


def _command_of(event: SequencedEvent) -> bytes | None:
    try:
        caused = _CAUSED.decode(event.metadata_bytes)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return None if caused.command is None else caused.command.bytes


class Recent:
    """Where each tag and each type was last seen: exact for the newest `KEPT` events, and honest about the others."""

    def __init__(self) -> None:
        self.floor: Position = 0
        self._types: dict[str, Position] = {}
        self._tags: dict[str, Position] = {}
        self._seen: deque[tuple[Position, str, tuple[str, ...]]] = deque()

    def add(self, event: SequencedEvent) -> None:
        """The next event; the oldest is forgotten."""
        tags = event.tags
        self._types[event.type] = event.position
        for tag in tags:
            self._tags[tag] = event.position
        self._seen.append((event.position, event.type, tags))
        if len(self._seen) > KEPT:
            self.floor, _, gone = self._seen.popleft()
            for tag in gone:
                if self._tags.get(tag) == self.floor:
                    del self._tags[tag]

    def may_match(self, item: QueryItem, after: Position) -> bool:
        """Whether an event after that position may be what the item asks for; False is certain."""
        if item.types and all(self._types.get(type, 0) <= after for type in item.types):
            return False
        if after < self.floor:
            return True
        return all(self._tags.get(tag, 0) > after for tag in item.tags)

    def match(self, query: Query, after: Position) -> Position:
        """The newest event after that position, not before the floor, that the query asks for; 0 where there is none."""
        for position, type, tags in reversed(self._seen):
            if position <= after:
                return 0
            if query.matches(type, tags):
                return position
        return 0

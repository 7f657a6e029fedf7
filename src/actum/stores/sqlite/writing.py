"""The one connection that writes: turns, conditions, group commit, and the index that follows behind."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn

import apsw
import msgspec

from actum.journal.errors import Corrupted, Invalid, OutcomeUnknown, ReadOnly, Unavailable
from actum.journal.merkle import leaf
from actum.journal.store import Appended, Collided, DecisionRecord, Repeated, checked_continuation
from actum.stores.sqlite import tag_index
from actum.stores.sqlite.file import identity, translated
from actum.stores.sqlite.interning import Kinds, Names, json_of, record_of, shape_of
from actum.stores.sqlite.statements import many, statements
from actum.stores.sqlite.window import Window

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from actum.journal.clock import Clock, Microseconds
    from actum.journal.event import EventData, Position, SequencedEvent
    from actum.journal.query import AppendCondition, Query
    from actum.journal.store import Append, DecisionKey, Outcome
    from actum.stores.sqlite.doorbell import Doorbell

_SQL = statements("queries.sql")

INDEX_BEHIND = 1024
"""How many events the index may lag behind before the one who crosses the bound writes it."""

WINDOW_SIZE = 8192
"""How many of the newest events are kept in memory, at least."""

_AT_ONCE = (64, 16, 4, 1)
_INSERT = {size: many("INSERT INTO events", "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", size) for size in _AT_ONCE}
_INSERT_DECISIONS = {size: many("INSERT INTO decisions", "(?, ?, ?, ?, ?, ?, ?, ?)", size) for size in _AT_ONCE}


class _Batch:
    """What one transaction is about to write."""

    def __init__(self, head: Position, recorded: Microseconds) -> None:
        self.head = head
        self.recorded = recorded
        self.rows: list[tuple[Any, ...]] = []
        self.tags: set[str] = set()
        self.decisions: list[tuple[Any, ...]] = []
        self.decided: dict[bytes, DecisionRecord] = {}
        self.turned_down: list[Append] = []


class Writer:
    """Keeps the window, the names and the lock; every write of this process goes through here, one turn at a time."""

    def __init__(
        self,
        connection: apsw.Connection,
        path: Path,
        *,
        origin: str,
        clock: Clock,
        bell: Doorbell | None,
        timeout: float,
    ) -> None:
        self.connection = connection
        self.lock = threading.RLock()
        self.kinds = Kinds()
        self.origin = origin
        self.indexed: Position = 0
        self.window = Window()
        self._path = path
        self._name, self._log = str(path), f"{path}-wal"
        self._identity, self._log_identity = identity(self._name), identity(self._log)
        self._clock = clock
        self._bell = bell
        self._timeout = timeout
        self._recorded: Microseconds = 0
        self._handlers = Names("handlers", "add_handler")
        self._shapes = Names("shapes", "add_shape")
        self._fresh = False
        self._closed = False
        self._version = -1

    # Catching up with what other processes wrote.

    def catch_up(self) -> Position:
        """Bring the window up to the file's head, which is the answer. The lock is held by the caller."""
        row = self.connection.execute(_SQL["head"]).fetchone()
        if row is None:
            if self.window.head:
                self._replaced(0)
            self._fresh = self._fresh or not self.kinds.refresh(self.connection)
            return 0
        head, recorded, indexed = row
        if head == self.window.head and self._fresh:
            return int(head)
        if head < self.window.head:
            self._replaced(head)
        self._read_window(head, int(indexed))
        self._recorded, self._fresh = recorded, True
        return int(head)

    def _replaced(self, head: Position) -> NoReturn:
        raise Corrupted(
            f"{self._path} ended at {self.window.head} before and ends at {head} now: it was overwritten while it was open; "
            "close it in every process, put back what belongs there, and open it again"
        )

    def _read_window(self, head: Position, indexed: Position) -> None:
        newest = self.kinds.refresh(self.connection)
        if self.window.head == 0:
            # Somebody may have restored another journal into this one while it was empty.
            self.origin = str(self.connection.execute(_SQL["describe"], ("origin",)).get)
        if not self._fresh or head - self.window.head > WINDOW_SIZE:
            self.window = Window(indexed)
            self.window.newest_of = newest
        kinds = self.kinds.by_number()
        for _, kind, tags in self.connection.execute(_SQL["recent"], (self.window.head, head)):
            self.window.add(kinds[kind].type, tuple(tags.split("\n")) if tags else ())
        self.indexed = indexed
        self.window.turn_over(WINDOW_SIZE, indexed=indexed)

    # Turns.

    def check_in_place(self) -> None:
        """`Unavailable` where the names now stand for other files than those that are open: what is written would be lost."""
        if identity(self._name) != self._identity:
            raise Unavailable(
                f"{self._path} was moved, deleted or replaced while it was open; nothing was written: "
                "put back the file that belongs there and open it again"
            )

    def _check_log_in_place(self) -> None:
        if identity(self._log) != self._log_identity:
            raise Unavailable(
                f"{self._log} was moved, deleted or replaced while the journal was open; nothing was written: close the "
                "journal in every process, whereby what the log held is saved, and open it again"
            )

    @contextmanager
    def turn(self) -> Generator[Position, None, None]:
        """Alone with the file, in one transaction, caught up; the head before it is the answer.

        Commits at the end. Whatever goes wrong, the file and the window are as before, and waiters are not woken.
        """
        with self.lock, translated(self._path):
            if self._closed:
                raise closed(self._path)
            if self._bell is None:
                raise ReadOnly(f"{self._path} was opened for reading only; open it for writing")
            self._bell.take_turn(self._timeout)
            try:
                self.check_in_place()
                self._check_log_in_place()
                self.connection.execute("BEGIN IMMEDIATE")
                head = self.window.head
                try:
                    if not self._fresh or self.connection.data_version() != self._version:
                        head = self.catch_up()
                    yield head
                    self.connection.execute("COMMIT")
                    self._version = self.connection.data_version()
                except BaseException as wrong:
                    self._take_back(head, wrong)
                    raise
                if self.window.head > head:
                    self._bell.ring()
            finally:
                self._bell.end_turn()

    def _take_back(self, head: Position, wrong: BaseException) -> None:
        newest = self.window.head
        if head < self.window.floor:
            self.window = Window()  # A long append has made it let go of what would be needed.
        else:
            self.window.take_back(head)
        self._handlers.forget()
        self._shapes.forget()
        self._fresh = False
        if self.connection.in_transaction:
            with suppress(apsw.Error):
                self.connection.execute("ROLLBACK")
        elif newest > head and isinstance(wrong, apsw.Error):
            self._find_out(newest, wrong)

    def _find_out(self, newest: Position, wrong: apsw.Error) -> None:
        """The engine ended the transaction by itself: is the last event there, and if not, can it still come back?

        A commit whose sync failed may lie in the log whole, for the next recovery to find; another commit in its place
        sees to it that it does not.
        """
        try:
            row = self.connection.execute(_SQL["newest"]).fetchone()
            there = row is not None and (row[0] or 0) >= newest
            if not there:
                self.connection.execute(_SQL["write_description"], ("failed_commit", os.urandom(8).hex()))
        except apsw.Error:
            if isinstance(wrong, apsw.FullError):
                return  # What makes a commit valid is written last, and there was no room even before.
            raise OutcomeUnknown(
                f"{self._path} failed in the middle of a commit ({wrong}); repeat the call with the same command id"
            ) from wrong
        if there:
            raise OutcomeUnknown(
                f"{self._path} reported {wrong} on a commit that can be read back; "
                "repeat the call with the same command id"
            ) from wrong

    # Appending.

    def append(self, batch: Sequence[Append]) -> list[Outcome]:
        """See `EventStore.append`.

        A command that was decided before is rare: that no two decisions have one command is left to the table's key,
        and only where it objects is the batch begun again, knowing which commands those are.
        """
        try:
            return self._append(batch, asking=False)
        except apsw.ConstraintError:
            return self._append(batch, asking=True)

    def _append(self, batch: Sequence[Append], *, asking: bool) -> list[Outcome]:
        with self.turn() as head:
            now = max(self._recorded, self._clock.now())
            work = _Batch(head, now)
            work.decided = self._already_decided(batch) if asking else {}
            outcomes = [self._settle(entry, work) for entry in batch]
            self._write(work)
            if self.window.head - self.indexed > INDEX_BEHIND:
                self.write_index()
        if work.rows:
            self._recorded = now
        return outcomes

    def _settle(self, entry: Append, work: _Batch) -> Outcome:
        decision = entry.decision
        if decision is not None and decision.command in work.decided:
            work.turned_down.append(entry)
            return Repeated(work.decided[decision.command])
        if entry.condition is not None:
            collided = self._collision(entry, entry.condition, work)
            if collided is not None:
                work.turned_down.append(entry)
                return self._repeated(decision) or collided
        first = self.window.head + 1
        evidence = self._evidence(entry, work)
        for event in entry.events:
            work.rows.append(self._row(event, work.recorded))
            work.tags.update(event.tags)
        if decision is not None:
            record = DecisionRecord(
                decision.command, decision.digest, decision.handler, evidence, first, len(entry.events)
            )
            work.decided[decision.command] = record
            work.decisions.append(self._decision_row(record))
        return Appended(first, self.window.head, work.recorded)

    def _evidence(self, entry: Append, work: _Batch) -> AppendCondition | None:
        """The condition as it will still hold when it is verified: a sequel has seen the earlier events of its batch."""
        condition = entry.condition
        if condition is None or entry.decision is None or not entry.sequel or self.window.head == work.head:
            return condition
        query = condition.fail_if_events_match
        if query.items and all(item.tags and item.tags.isdisjoint(work.tags) for item in query.items):
            return condition
        seen = self.window.find(query, work.head, self.window.head)
        return msgspec.structs.replace(condition, after=seen[-1]) if seen else condition

    def _repeated(self, decision: DecisionKey | None) -> Repeated | None:
        """What a command collides with may be what it led to itself, the first time."""
        row = decision and self.connection.execute(_SQL["decision"], (decision.command,)).fetchone()
        return Repeated(record_of(row)) if row else None

    def _row(self, event: EventData, recorded: Microseconds) -> tuple[Any, ...]:
        number = self.kinds.number(self.connection, event.type, event.version)
        position = self.window.add(event.type, event.tags)
        tags = "\n".join(event.tags)
        committed = leaf(
            self.origin,
            position=position,
            id=event.id,
            type=event.type,
            version=event.version,
            recorded=recorded,
            effective=event.effective,
            tags=tags,
            metadata=event.metadata,
            data=event.data,
            salt=event.salt,
        )
        return (
            position, number, event.id, recorded, event.effective, tags, event.data, event.metadata, event.salt, committed,
        )  # fmt: skip

    def _decision_row(self, record: DecisionRecord) -> tuple[Any, ...]:
        handler = self._handlers.number(self.connection, record.handler)
        shape = tags = after = None
        if record.condition is not None:
            text, tags = shape_of(record.condition.fail_if_events_match)
            shape, after = self._shapes.number(self.connection, text), record.condition.after
        return record.command, record.digest, handler, shape, tags, after, record.first, record.count

    def _already_decided(self, batch: Sequence[Append]) -> dict[bytes, DecisionRecord]:
        commands = [entry.decision.command for entry in batch if entry.decision is not None]
        if not commands:
            return {}
        asked = json_of([command.hex() for command in commands])
        found = map(record_of, self.connection.execute(_SQL["decided"], (asked,)))
        return {record.command: record for record in found}

    def _write(self, work: _Batch) -> None:
        _insert(self.connection, _INSERT, work.rows)
        _insert(self.connection, _INSERT_DECISIONS, work.decisions)

    # Conditions.

    def _collision(self, entry: Append, condition: AppendCondition, work: _Batch) -> Collided | None:
        after, query = condition.after, condition.fail_if_events_match
        if after > work.head:
            raise Invalid(f"a condition looks after position {after}, but the journal ends at {work.head}")
        if entry.sequel:
            for earlier in work.turned_down:
                for event in earlier.events:
                    if query.matches(event.type, event.tags):
                        return Collided(0, event.type, event.tags, after)
        until = work.head if entry.sequel else self.window.head
        position = self.newest_match(query, after, until)
        if position == 0:
            return None
        type, tags = self._words_at(position)
        return Collided(position, type, tags, after)

    def newest_match(self, query: Query, after: Position, until: Position) -> Position:
        """The position of an event in (after, until] that matches, 0 where there is none. The lock is held."""
        floor = self.window.floor
        if after >= until:
            return 0
        if found := self.window.find(query, max(after, floor), until):
            return found[-1]
        if after >= floor:
            return 0
        return self._older_match(query, after, min(until, floor))

    def _older_match(self, query: Query, after: Position, until: Position) -> Position:
        """The same, before the window: with the index for items with tags, by kind for the others."""
        if query.is_all:
            return until
        untagged = frozenset(type for item in query.items if not item.tags for type in item.types)
        if any(self.window.newest_of.get(type, 0) > after for type in untagged):
            numbers = self.kinds.numbers(self.connection, untagged)
            row = self.connection.execute(_SQL["read_kinds_backwards"], (after, until, 1, numbers)).fetchone()
            if row is not None:
                return int(row[0])
        tagged = [item for item in query.items if item.tags]
        if not tagged:
            return 0
        return self._match_by_index(type(query)(tuple(tagged)), after, until)

    def _match_by_index(self, query: Query, after: Position, until: Position) -> Position:
        asked = tag_index.expressions(query)
        while until > after:
            found = tag_index.find(self.connection, asked, after=after, until=until, limit=256, backwards=True)
            for position in found:
                if query.matches(*self._words_at(position)):
                    return position
            until = found[-1] - 1 if len(found) == 256 else after
        return 0

    def _words_at(self, position: Position) -> tuple[str, tuple[str, ...]]:
        if position > self.window.floor:
            return self.window.at(position)
        for _, kind, tags in self.connection.execute(_SQL["recent"], (position - 1, position)):
            return self.kinds.kinds(self.connection, kind)[kind].type, tuple(tags.split("\n")) if tags else ()
        self._missing(position)

    def _missing(self, position: Position) -> NoReturn:
        raise Corrupted(
            f"{self._path}: there is no event at position {position}, and there must be; restore from a backup"
        )

    # The index that follows behind.

    def write_index(self) -> None:
        """Bring the index up to the head, inside the caller's turn, and let the oldest of the window go."""
        head = self.window.head
        tag_index.add(self.connection, self.window.entries(self.indexed))
        marks = json_of(self._newest_by_kind(head))
        self.connection.execute(_SQL["mark_kinds"], (marks,))
        self.connection.execute(_SQL["write_description"], ("indexed", str(head)))
        self.indexed = head
        self.window.turn_over(WINDOW_SIZE, indexed=head)

    def _newest_by_kind(self, head: Position) -> list[tuple[int, Position]]:
        """A kind's newest position; that of its type does for all its versions."""
        newest = self.window.newest_of
        return [(number, min(newest.get(kind.type, 0), head)) for number, kind in self.kinds.by_number().items()]

    # Restoring.

    def restore(self, origin: str, events: Sequence[SequencedEvent], decisions: Sequence[DecisionRecord]) -> Position:
        """See `Archive.restore`."""
        with self.turn() as head:
            checked_continuation(origin, events, decisions, onto=self.origin, head=head, recorded=self._recorded)
            _insert(self.connection, _INSERT, [self._restored_row(event) for event in events])
            try:
                _insert(self.connection, _INSERT_DECISIONS, [self._decision_row(record) for record in decisions])
            except apsw.ConstraintError as wrong:
                raise Invalid(
                    f"a command of these decisions is decided in {self._path} already; restore into an empty journal"
                ) from wrong
            if origin != self.origin:
                self.connection.execute(_SQL["write_description"], ("origin", origin))
            if self.window.head - self.indexed > INDEX_BEHIND:
                self.write_index()
        self.origin = origin
        if events:
            self._recorded = events[-1].recorded
        return self.window.head

    def _restored_row(self, event: SequencedEvent) -> tuple[Any, ...]:
        number = self.kinds.number(self.connection, event.type, event.version)
        self.window.add(event.type, event.tags)
        return (
            event.position, number, event.id, event.recorded, event.effective, event.tag_text, event.data,
            event.metadata_bytes, event.salt, event.leaf,
        )  # fmt: skip

    def close(self) -> None:
        """Give everything back."""
        with self.lock:
            self._closed = True
            self.connection.close()
            if self._bell is not None:
                self._bell.close()


def _insert(connection: apsw.Connection, inserts: dict[int, str], rows: list[tuple[Any, ...]]) -> None:
    """Write the rows in few steps: each step of the engine gives up the interpreter's lock and must win it back."""
    if len(rows) == 1:
        connection.execute(inserts[1], rows[0])
        return
    start = 0
    for size, sql in inserts.items():
        while len(rows) - start >= size:
            connection.execute(sql, tuple(chain.from_iterable(rows[start : start + size])))
            start += size


def closed(path: Path) -> Unavailable:
    """What is said of a journal that was closed."""
    return Unavailable(f"{path} is closed; open it again")

"""The one connection that writes: turns, group commit, and the index that follows behind."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import apsw

from actum.journal.errors import OutcomeUnknown, ReadOnly, Unavailable
from actum.journal.store import Appended, DecisionRecord, Repeated
from actum.stores.shapes import record_of
from actum.stores.sqlite import tag_index
from actum.stores.sqlite.conditions import Conditions
from actum.stores.sqlite.file import identity, translated
from actum.stores.sqlite.interning import json_of
from actum.stores.sqlite.known import WINDOW_SIZE, Known
from actum.stores.sqlite.rows import Rows
from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from actum.journal.clock import Clock, Microseconds
    from actum.journal.event import EventData, Position
    from actum.journal.store import Append, DecisionKey, Outcome
    from actum.stores.sqlite.doorbell import Doorbell

_SQL = statements("sqlite/queries.sql")

INDEX_BEHIND = 1024
"""How many events the index may lag behind before the one who crosses the bound writes it."""


class _Batch:
    """What one transaction is about to write, and whom it has turned down."""

    __slots__ = ("decided", "decisions", "events", "head", "turned_down")

    def __init__(self, head: Position) -> None:
        self.head = head
        self.events: list[EventData] = []
        self.decisions: list[DecisionRecord] = []
        self.decided: dict[bytes, DecisionRecord] = {}
        self.turned_down: list[Append] = []


class Writer:
    """Keeps the lock; every write of this process goes through here, one turn at a time."""

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
        self.known = Known(connection, path, origin=origin)
        self.rows = Rows(self.known)
        self._conditions = Conditions(self.known)
        self._path = path
        self._name, self._log = str(path), f"{path}-wal"
        self._identity, self._log_identity = identity(self._name), identity(self._log)
        self._clock = clock
        self._bell = bell
        self._timeout = timeout
        self._turns = 0
        self._closed = False

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
    def alone(self) -> Generator[None, None, None]:
        """Nobody else writes until the end, neither a thread of this process nor another process."""
        with self.lock, translated(self._path):
            bell = self._take_turn()
            try:
                yield
            finally:
                self._end_turn(bell)

    def _take_turn(self) -> Doorbell:
        if self._closed:
            raise closed(self._path)
        if self._bell is None:
            raise ReadOnly(f"{self._path} was opened for reading only; open it for writing")
        if self._turns == 0:
            self._bell.take_turn(self._timeout)
        self._turns += 1
        return self._bell

    def _end_turn(self, bell: Doorbell) -> None:
        self._turns -= 1
        if self._turns == 0:
            bell.end_turn()

    @contextmanager
    def turn(self) -> Generator[Position, None, None]:
        """Alone with the file, in one transaction, caught up; the head before it is the answer.

        Commits at the end. Whatever goes wrong, the file and the window are as before, and waiters are not woken.
        """
        with self.lock, translated(self._path):
            bell = self._take_turn()
            try:
                self.check_in_place()
                self._check_log_in_place()
                self.connection.execute("BEGIN IMMEDIATE")
                head = self.known.window.head
                try:
                    head = self.known.catch_up_in_turn()
                    yield head
                    self.connection.execute("COMMIT")
                    self.known.written()
                except BaseException as wrong:
                    self._take_back(head, wrong)
                    raise
                if self.known.window.head > head:
                    bell.ring()
            finally:
                self._end_turn(bell)

    def _take_back(self, head: Position, wrong: BaseException) -> None:
        newest = self.known.window.head
        self.known.take_back(head)
        self.rows.forget()
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

    def now(self) -> Microseconds:
        """The time at which the next event would be recorded, as far as is known here."""
        return max(self.known.recorded, self._clock.now())

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
            recorded = max(self.known.recorded, self._clock.now())
            work = _Batch(head)
            work.decided = self._already_decided(batch) if asking else {}
            outcomes = [self._settle(entry, work, recorded) for entry in batch]
            self.rows.write_events(work.events, first=head + 1, recorded=recorded)
            self.rows.write_decisions(work.decisions)
            self.write_index_behind()
        if work.events:
            self.known.recorded = recorded
        return outcomes

    def _settle(self, entry: Append, work: _Batch, recorded: int) -> Outcome:
        decision, condition, window = entry.decision, entry.condition, self.known.window
        if decision is not None and decision.command in work.decided:
            work.turned_down.append(entry)
            return Repeated(work.decided[decision.command])
        if condition is not None:
            collided = self._conditions.collision(entry, condition, head=work.head, turned_down=work.turned_down)
            if collided is not None:
                work.turned_down.append(entry)
                return self._repeated(decision) or collided
        events, first = entry.events, window.head + 1
        if decision is not None:
            evidence = self._conditions.evidence(entry, work.head)
            record = DecisionRecord(decision.command, decision.digest, decision.handler, evidence, first, len(events))
            work.decided[decision.command] = record
            work.decisions.append(record)
        for event in events:
            window.add(event.type, event.tags)
        work.events += events
        return Appended(first, window.head, recorded)

    def _repeated(self, decision: DecisionKey | None) -> Repeated | None:
        """What a command collides with may be what it led to itself, the first time."""
        row = decision and self.connection.execute(_SQL["decision"], (decision.command,)).fetchone()
        return Repeated(record_of(row)) if row else None

    def _already_decided(self, batch: Sequence[Append]) -> dict[bytes, DecisionRecord]:
        commands = [entry.decision.command for entry in batch if entry.decision is not None]
        if not commands:
            return {}
        asked = json_of([command.hex() for command in commands])
        found = map(record_of, self.connection.execute(_SQL["decided"], (asked,)))
        return {record.command: record for record in found}

    # The index that follows behind.

    def write_index_behind(self) -> None:
        """Bring the index up to the head, inside the caller's turn, where it is too far behind."""
        known = self.known
        head = known.window.head
        if head - known.indexed <= INDEX_BEHIND:
            return
        tag_index.add(self.connection, known.indexed + 1, known.window.tags_after(known.indexed))
        marks = json_of(self._newest_by_kind(head))
        self.connection.execute(_SQL["mark_kinds"], (marks,))
        self.connection.execute(_SQL["write_description"], ("indexed", str(head)))
        known.indexed = head
        known.window.turn_over(WINDOW_SIZE, indexed=head)

    def _newest_by_kind(self, head: Position) -> list[tuple[int, Position]]:
        """A kind's newest position; that of its type does for all its versions."""
        newest = self.known.window.newest_of
        return [(number, min(newest.get(kind.type, 0), head)) for number, kind in self.known.kinds.by_number().items()]

    def close(self) -> None:
        """Give everything back."""
        with self.lock:
            self._closed = True
            self.connection.close()
            if self._bell is not None:
                self._bell.close()


def closed(path: Path) -> Unavailable:
    """What is said of a journal that was closed."""
    return Unavailable(f"{path} is closed; open it again")

"""Turns: alone with the file, in one transaction; whatever goes wrong in it is taken back."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import apsw

from actum.journal.errors import OutcomeUnknown, ReadOnly, Unavailable
from actum.stores.sqlite.file import closed, identity, translated
from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType

    from actum.journal.event import Position
    from actum.stores.sqlite.doorbell import Doorbell
    from actum.stores.sqlite.known import Known
    from actum.stores.sqlite.rows import Rows

_SQL = statements("sqlite/queries.sql")


class Turns:
    """Keeps the lock; everything that this process writes to the journal is written in a turn, one at a time."""

    def __init__(self, known: Known, rows: Rows, *, bell: Doorbell | None, timeout: float) -> None:
        self.lock = threading.RLock()
        self.said = translated(known.path)
        self.next = _Turn(self)
        """The next turn, for whoever holds the lock: `turn` for all others."""
        self._known = known
        self._rows = rows
        self._path = known.path
        self._name, self._log = str(known.path), f"{known.path}-wal"
        self._identities = identity(self._name), identity(self._log)
        self._bell = bell
        self._timeout = timeout
        self._taken = 0
        self._closed = False

    @contextmanager
    def turn(self) -> Generator[Position, None, None]:
        """Alone with the file, in one transaction, caught up; the head before it is the answer.

        Commits at the end. Whatever goes wrong, the file and the window are as before, and waiters are not woken.
        """
        with self.lock, self.said, self.next as head:
            yield head

    @contextmanager
    def alone(self) -> Generator[None, None, None]:
        """Nobody else writes until the end, neither a thread of this process nor another process."""
        with self.lock, self.said:
            self.take()
            try:
                yield
            finally:
                self.give_back()

    def take(self) -> None:
        """Wait until no other process has its turn. To say it again within a turn does no harm."""
        if self._closed:
            raise closed(self._path)
        if self._bell is None:
            raise ReadOnly(f"{self._path} was opened for reading only; open it for writing")
        if self._taken == 0:
            self._bell.take_turn(self._timeout)
        self._taken += 1

    def give_back(self) -> None:
        """Let the next process have its turn."""
        self._taken -= 1
        if self._taken == 0 and self._bell is not None:
            self._bell.end_turn()

    def begin(self) -> Position:
        """Begin a transaction that writes, and catch up in it."""
        if (identity(self._name), identity(self._log)) != self._identities:
            self._check_in_place()
        known = self._known
        known.execute("BEGIN IMMEDIATE")
        head = known.window.head
        try:
            return known.catch_up_in_turn()
        except BaseException as wrong:
            self.take_back(head, wrong)
            raise

    def commit(self, head: Position) -> None:
        """What was done since `head` is true from now on; who waits for it is woken."""
        known = self._known
        try:
            known.execute("COMMIT")
            known.written()
        except BaseException as wrong:
            self.take_back(head, wrong)
            raise
        if known.window.head > head and self._bell is not None:
            self._bell.ring()

    def take_back(self, head: Position, wrong: BaseException) -> None:
        """Nothing was done since `head`."""
        known = self._known
        newest = known.window.head
        known.take_back(head)
        self._rows.forget()
        if known.connection.in_transaction:
            with suppress(apsw.Error):
                known.connection.execute("ROLLBACK")
        elif newest > head and isinstance(wrong, apsw.Error):
            self._find_out(newest, wrong)

    def _find_out(self, newest: Position, wrong: apsw.Error) -> None:
        """The engine ended the transaction by itself: is the last event there, and if not, can it still come back?

        A commit whose sync failed may lie in the log whole, for the next recovery to find; another commit in its place
        sees to it that it does not.
        """
        connection = self._known.connection
        try:
            row = connection.execute(_SQL["newest"]).fetchone()
            there = row is not None and (row[0] or 0) >= newest
            if not there:
                connection.execute(_SQL["write_description"], ("failed_commit", os.urandom(8).hex()))
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

    def check_in_place(self) -> None:
        """`Unavailable` where the name now stands for another file than the one that is open: what is written would be lost."""
        if identity(self._name) != self._identities[0]:
            raise Unavailable(
                f"{self._path} was moved, deleted or replaced while it was open; nothing was written: "
                "put back the file that belongs there and open it again"
            )

    def _check_in_place(self) -> None:
        """The same for the file and for its log."""
        self.check_in_place()
        if identity(self._log) != self._identities[1]:
            raise Unavailable(
                f"{self._log} was moved, deleted or replaced while the journal was open; nothing was written: close the "
                "journal in every process, whereby what the log held is saved, and open it again"
            )

    def close(self) -> None:
        """Take no more turns."""
        self._closed = True
        if self._bell is not None:
            self._bell.close()


class _Turn:
    """`with` it is a turn. The lock is held; one object does, since there are never two turns at once."""

    __slots__ = ("_head", "_turns")

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._head = 0

    def __enter__(self) -> Position:
        turns = self._turns
        turns.take()
        try:
            self._head = turns.begin()
        except BaseException:
            turns.give_back()
            raise
        return self._head

    def __exit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        turns = self._turns
        try:
            if wrong is None:
                turns.commit(self._head)
            else:
                turns.take_back(self._head, wrong)
        finally:
            turns.give_back()

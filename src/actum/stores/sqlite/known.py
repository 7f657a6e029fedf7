"""What this process knows of the file: its newest events, its kinds, how far its index reaches. Caught up when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from actum.journal.errors import Corrupted
from actum.stores.sqlite.interning import Kinds
from actum.stores.statements import statements
from actum.stores.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import apsw

    from actum.journal.clock import Microseconds
    from actum.journal.event import Position

_SQL = statements("sqlite/queries.sql")

WINDOW_SIZE = 8192
"""How many of the newest events are kept in memory, at least."""


class Known:
    """Read on the writer's connection, whose lock is held by whoever calls."""

    def __init__(self, connection: apsw.Connection, path: Path, *, origin: str) -> None:
        self.connection = connection
        self.execute: Callable[..., object] = connection.cursor().execute
        """For what answers no rows: to make a cursor for it each time costs as much as a small statement."""
        self.path = path
        self.origin = origin
        self.kinds = Kinds()
        self.window = Window()
        self.indexed: Position = 0
        self.recorded: Microseconds = 0
        self._fresh = False
        self._version = -1

    def catch_up(self) -> Position:
        """Bring the window up to the file's head, which is the answer."""
        row = self.connection.execute(_SQL["head"]).fetchone()
        version = self.connection.data_version()
        if row is None:
            if self.window.head:
                self._replaced(0)
            self._fresh = self._fresh or not self.kinds.refresh(self.connection)
            return 0
        head, recorded, indexed = row
        if head < self.window.head:
            self._replaced(head)
        if head > self.window.head or not self._fresh:
            self._read_window(head, int(indexed))
            self.recorded, self._fresh = recorded, True
        self.indexed, self._version = int(indexed), version
        return int(head)

    def is_whole(self) -> bool:
        """Whether all is known that the file held when this connection last looked into it: to be had without another look."""
        return self._fresh and self.connection.data_version() == self._version

    def catch_up_in_turn(self) -> Position:
        """The same inside a transaction that writes: where nobody else has written since, without asking."""
        return self.window.head if self.is_whole() else self.catch_up()

    def written(self) -> None:
        """Everything in the file up to here is known."""
        self._version = self.connection.data_version()

    def take_back(self, head: Position) -> None:
        """What was added beyond `head` was not written after all: forget it, and look at the file the next time."""
        if head < self.window.floor:
            self.window = Window()  # A long append has made it let go of what would be needed.
        else:
            self.window.take_back(head)
        self.indexed = min(self.indexed, head)  # An empty file does not say how far its index reaches.
        self._fresh = False

    def _replaced(self, head: Position) -> NoReturn:
        raise Corrupted(
            f"{self.path} ended at {self.window.head} before and ends at {head} now: it was overwritten while it was open; "
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
        kinds, add = self.kinds.by_number(), self.window.add
        for _, kind, tags in self.connection.execute(_SQL["recent"], (self.window.head, head)):
            add(kinds[kind].type, tuple(tags.split("\n")) if tags else ())
        self.window.turn_over(WINDOW_SIZE, indexed=indexed)

"""A target of somebody's own: amounts by position in a file of SQLite, with the mark beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import apsw

from actum.journal.readmodel import Mark
from actum.journal.recorded import Recorded


class Shelf:
    """Raises each of its `troubles` once: those of the second kind when all is done."""

    def __init__(self, path: Path) -> None:
        self._db = apsw.Connection(str(path))
        self._db.execute("CREATE TABLE IF NOT EXISTS stands (id INTEGER PRIMARY KEY, position INTEGER, event BLOB)")
        self._db.execute("CREATE TABLE IF NOT EXISTS taken (position INTEGER, owner TEXT)")
        self._db.execute("INSERT OR IGNORE INTO stands VALUES (1, 0, x'')")
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.pages: list[int] = []

    def reached(self) -> Mark:
        return Mark(*self._db.execute("SELECT position, event FROM stands").get)

    def take(self, events: Sequence[Recorded], *, seen: Mark, reached: Mark) -> bool:
        if self.before:
            raise self.before.pop()
        with self._db:
            move = "UPDATE stands SET position = ?, event = ? WHERE position = ? AND event = ?"
            self._db.execute(move, (reached.position, reached.event, seen.position, seen.event))
            if self._db.changes() == 0:
                return False
            for recorded in events:
                self._db.execute("INSERT INTO taken VALUES (?, ?)", (recorded.position, recorded.event.owner))
        self.pages.append(len(events))
        if self.after:
            raise self.after.pop()
        return True

    def taken(self) -> list[tuple[int, str]]:
        return list(self._db.execute("SELECT * FROM taken ORDER BY rowid"))

"""Logs in files that do not grow for ever: what a piece says, appended, and turned over at a size."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 5_000_000
"""Bytes of a log before it is turned over."""

KEPT = 3
"""How many older ones are kept, as `….log.1` to `….log.3`."""


class Log:
    """One log. What cannot be written, on a full disk for one, is lost: a log never stops what it is about."""

    def __init__(self, path: Path, *, largest: int = LARGEST, kept: int = KEPT) -> None:
        self.path = path
        self._largest = largest
        self._kept = kept

    def write(self, said: bytes) -> None:
        """Append it."""
        try:
            with self.path.open("ab") as file:
                file.write(said)
                full = file.tell() >= self._largest
            if full:
                self._turn_over()
        except OSError:
            return

    def _turn_over(self) -> None:
        for number in range(self._kept, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))

    def _numbered(self, number: int) -> Path:
        return self.path if number == 0 else self.path.with_name(f"{self.path.name}.{number}")

    def last(self, lines: int) -> list[str]:
        """The last lines, also of the one before where this one has not so many."""
        found: list[str] = []
        for number in range(self._kept + 1):
            if len(found) >= lines or not self._numbered(number).exists():
                continue
            text = self._numbered(number).read_text(encoding="utf-8", errors="replace")
            found = [*text.splitlines(), *found]
        return found[-lines:]

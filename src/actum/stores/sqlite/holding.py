"""Holding a file so that nobody else writes it: what a backup, a person or a fault does, done on purpose."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import apsw

from actum.journal.errors import Busy

if TYPE_CHECKING:
    from pathlib import Path


class Held:
    """The file, held until it is let go. Readers go on. `Busy` where it is not free within `timeout` seconds."""

    def __init__(self, path: str | Path, *, timeout: float = 60.0) -> None:
        self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        until = time.monotonic() + timeout
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except apsw.BusyError:
                if time.monotonic() > until:
                    self._connection.close()
                    raise Busy(f"{path} was not free for {timeout:g} s; see who writes it") from None
                time.sleep(0.001)
            else:
                return

    def let_go(self) -> None:
        """Have others write it again."""
        with suppress(apsw.Error):
            self._connection.execute("ROLLBACK")
        self._connection.close()

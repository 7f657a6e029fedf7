"""The files of a security: of who is known, of who came, and the key that seals cookies. Their owner's alone to read."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def private(journal: str | Path) -> str | Path:
    """The journal's address. Where it is a file that is not there yet, it is made empty, for its owner only: what SQLite then
    puts beside it has the same rights. Whatever keeps it from being made, whoever opens it will say.
    """
    if journal != "memory:" and "://" not in str(journal):
        with suppress(OSError):
            os.close(os.open(journal, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    return journal

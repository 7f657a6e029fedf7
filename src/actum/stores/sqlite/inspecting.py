"""How large a file of ours is, and what of it is waste. Looked at from outside: nothing is made and nothing is locked."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from actum.journal.errors import Unavailable
from actum.journal.inspection import Inspection, Part
from actum.journal.store import Durability
from actum.stores.sqlite.file import connect, translated
from actum.stores.statements import statements

if TYPE_CHECKING:
    from actum.stores.sqlite.file import Layout

_SQL = statements("sqlite/inspecting.sql")

_LARGE_LOG = 64 * 1024 * 1024
"""Bytes of a log that has not been written back: somebody reads for long, or nobody ever closes."""


def inspect_file(path: Path, layout: Layout) -> Inspection:
    """What there is in the file. `Unavailable` where there is none, `NotAJournal` for something else."""
    if not path.exists():
        raise Unavailable(f"there is nothing at {path}; check the path")
    with closing(
        connect(path, writes=False, durability=Durability.POWER_LOSS, cache_kib=1024, timeout=10)
    ) as connection:
        version = layout.recognise(connection, path)
        with translated(path):
            size, free, page = connection.execute(_SQL["size"]).get
    parts = [Part(path.name, size, waste=free // page)]
    parts += [Part(beside.name, beside.stat().st_size) for beside in (_beside(path, "-wal"),) if beside.exists()]
    log = sum(part.bytes for part in parts[1:])
    notes = (
        [f"the log {path.name}-wal has {log:,} bytes: somebody has been reading for long"] if log > _LARGE_LOG else []
    )
    return Inspection(
        engine=f"SQLite {apsw.sqlite_lib_version()}",
        layout=version,
        newest=len(layout.migrations),
        bytes=sum(part.bytes for part in parts),
        reusable=free,
        parts=tuple(parts),
        notes=tuple(notes),
    )


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)

"""One SQLite file: opened, recognised, brought up to date, and its driver's errors said in actum's words."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import apsw

from actum.journal.errors import Busy, Corrupted, NewerSchema, NotAJournal, ReadOnly, StorageFull, Unavailable
from actum.journal.store import Durability
from actum.stores.statements import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from actum.journal.errors import ActumError

_SYNCHRONOUS = {Durability.POWER_LOSS: "FULL", Durability.LOSES_LAST_COMMITS_WITH_POWER: "NORMAL"}

_RECOGNISE = "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id, pragma_user_version"


class translated:  # noqa: N801 - reads as a verb: `with translated(path):`
    """What the driver says of `path`, said as one of actum's errors, the driver's own kept as its cause."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        said = None if wrong is None else _in_our_words(wrong, self._path)
        if said is not None:
            raise said from wrong


def _in_our_words(wrong: BaseException, path: Path) -> ActumError | None:
    """The error to raise instead; None for one that is not the driver's, or that says how a table was declared."""
    full = f"the disk of {path} is full; nothing of this call was written, make room and repeat it"
    match wrong:
        case apsw.BusyError() | apsw.LockedError():
            return Busy(f"another program has kept {path} locked; find out which holds it, then try again")
        case apsw.FullError():
            return StorageFull(full)
        case apsw.ReadOnlyError() | apsw.PermissionsError():
            return ReadOnly(_unwritable(path))
        case apsw.NotADBError():
            return NotAJournal(f"{path} is not an SQLite file; name another path")
        case apsw.CorruptError():
            return Corrupted(f"{path} is damaged: {wrong}; run `actum verify`, restore from a backup")
        case UnicodeDecodeError():
            return Corrupted(f"{path} holds text that is none: {wrong}; run `actum verify`, restore from a backup")
        case apsw.CantOpenError():
            return _not_opened(path)
        case apsw.IOError() | apsw.NoMemError():
            if "disk is full" in str(wrong) or ("disk I/O" in str(wrong) and _is_full(path)):
                return StorageFull(full)
            failed = Unavailable(f"{path}: the storage failed: {wrong}; look at the system's log")
            return _not_opened(path) if path.is_dir() else failed
        case apsw.ConnectionClosedError() | apsw.CursorClosedError():
            return Unavailable(f"{path} is closed; open it again")
        case _:
            return None


def _unwritable(path: Path) -> str:
    """Also for who only reads: the notes that readers and writers leave each other lie beside the file."""
    return (
        f"{path} cannot be written; give this user the right to write it and its folder, or copy it to where that is so"
    )


def _is_full(path: Path) -> bool:
    try:
        room = os.statvfs(path.parent)
    except OSError:
        return False
    return room.f_bavail * room.f_frsize < 65536


def _not_opened(path: Path) -> Unavailable:
    if path.parent.is_dir() and not path.is_dir() and not os.access(path.parent, os.W_OK):
        return ReadOnly(_unwritable(path))
    return Unavailable(f"{path} cannot be opened: {_why_not(path)}")


def _why_not(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}; make it first"
    if path.is_dir():
        return "it is a folder; name a file in it"
    if not os.access(path if path.exists() else path.parent, os.R_OK):
        return "this user may not read it"
    return "the system would not open it; does it exist, may this user write it and its folder?"


def closed(path: Path) -> Unavailable:
    """What is said of a journal that was closed."""
    return Unavailable(f"{path} is closed; open it again")


def identity(path: str) -> tuple[int, int]:
    """What tells this file from another of the same name: (0, 0) where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - asked at every turn to write
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def connect(
    path: Path, *, writes: bool, durability: Durability, cache_kib: int, timeout: float, layout: Layout | None = None
) -> apsw.Connection:
    """A connection in WAL mode. A writing one makes the file where there is none, and leaves one of another `layout` as it is."""
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE if writes else apsw.SQLITE_OPEN_READONLY
    flags |= 0 if str(path).startswith("file:") else apsw.SQLITE_OPEN_URI  # So that others can be attached to be read.
    with translated(path):
        connection = apsw.Connection(str(path), flags=flags)
    try:
        with translated(path):
            connection.set_busy_timeout(int(timeout * 1000))
            # One plan whatever is bound: else FTS5's own statements are prepared anew at every other look into the index.
            connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
            connection.execute(f"PRAGMA cache_size = -{cache_kib}")
            if layout is not None:
                layout.recognise(connection, path)
            if writes:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
                connection.execute("PRAGMA fullfsync = ON")
                connection.execute("PRAGMA checkpoint_fullfsync = ON")
    except BaseException:
        connection.close()
        raise
    return connection


class Layout:
    """What kind of file it is: the mark by which it is known and the migrations that made it, oldest first."""

    def __init__(self, mark: int, what: str, migrations: Sequence[str]) -> None:
        self.mark = mark
        self.what = what
        self.migrations = migrations

    def recognise(self, connection: apsw.Connection, path: Path) -> int:
        """The version of the file's layout, 0 where it is empty. Raises for a file that is something else or newer."""
        with translated(path):
            # In one statement: another process may be making the file at this moment.
            mark, version, tables = connection.execute(_RECOGNISE).get
        if tables and mark != self.mark:
            raise NotAJournal(f"{path} is an SQLite file, but no {self.what} of actum; name another path")
        if version > len(self.migrations):
            raise NewerSchema(
                f"{path} has layout {version}, this actum knows layouts up to {len(self.migrations)}; upgrade actum"
            )
        return int(version) if tables else 0

    def bring_up_to_date(self, connection: apsw.Connection, path: Path) -> bool:
        """Run the migrations that are missing, safe when several processes start at once; whether the file is new."""
        if self.recognise(connection, path) == len(self.migrations):
            return False
        with translated(path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                version = self.recognise(connection, path)
                for number, file in enumerate(self.migrations[version:], version + 1):
                    connection.execute(text_of(file))
                    connection.execute(f"PRAGMA application_id = {self.mark}; PRAGMA user_version = {number}")
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
        return version == 0

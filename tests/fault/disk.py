"""A disk that can be told to fail, and that knows what a power cut could leave of it: an SQLite VFS in Python.

It passes everything on to the platform's own VFS and keeps a log of every write, truncation, sync and deletion of every
file. From the log it builds the disk as it may look after a power cut at any point: whatever was synced is there; of
what was not, any sectors may be there and any may not, in any order. It has no shared memory, so connections through
it are made exclusive: one at a time.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import apsw

SECTOR = 512

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Op:
    """One thing that was asked of the disk. `offset` is the new size of a truncation, and whether a deletion is synced."""

    what: str
    file: str
    offset: int = 0
    data: bytes = b""


@dataclass
class Fault:
    """What goes wrong with the operations from the one numbered `at`, `lasts` of them, once armed.

    `performed`: the operation is carried out and fails nevertheless, as a sync may whose data did reach the disk.
    """

    code: int
    at: int
    lasts: int = 1
    performed: bool = False
    whats: frozenset[str] = frozenset({"write", "sync", "truncate"})
    seen: int = 0
    landed: int = 0

    def strikes(self, op: Op) -> bool:
        """Whether it hits this operation; counts."""
        if op.what not in self.whats:
            return False
        self.seen += 1
        hit = self.at <= self.seen < self.at + self.lasts
        self.landed += hit
        return hit


@dataclass
class Disk:
    """The log of everything that was asked, and the fault that is armed, if one is."""

    log: list[Op] = field(default_factory=list)
    fault: Fault | None = None

    def do(self, op: Op, really: Callable[[], None]) -> None:
        """Carry it out, unless the fault strikes."""
        struck = self.fault is not None and self.fault.strikes(op)
        if not struck or (self.fault is not None and self.fault.performed):
            really()
            self.log.append(op)
        if struck and self.fault is not None:
            raise apsw.exception_for(self.fault.code)


class _File(apsw.VFSFile):
    def __init__(self, beneath: str, name: object, flags: list[int], disk: Disk) -> None:
        super().__init__(beneath, name, flags)
        self._name = Path(name.filename() if isinstance(name, apsw.URIFilename) else str(name)).name
        self._disk = disk

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - the driver's name
        self._disk.do(Op("write", self._name, offset, bytes(data)), lambda: super(_File, self).xWrite(data, offset))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.do(Op("truncate", self._name, size), lambda: super(_File, self).xTruncate(size))

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.do(Op("sync", self._name), lambda: super(_File, self).xSync(flags))


class _Vfs(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._beneath = apsw.vfs_names()[0]
        super().__init__(f"failing-{next(_numbers)}", self._beneath, makedefault=True)

    def xOpen(self, name: object, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        if name is None or not flags[0] & (
            apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_WAL
        ):
            return apsw.VFSFile(self._beneath, name, flags)
        return _File(self._beneath, name, flags, self._disk)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802, FBT001
        self._disk.do(Op("delete", Path(name).name, int(sync)), lambda: super(_Vfs, self).xDelete(name, sync))


@contextmanager
def failing_disk(*, checkpoint_pages: int = 1000) -> Iterator[Disk]:
    """While this lasts, every database that this process opens lies on a disk of ours, and one alone can open it."""
    disk = Disk()
    vfs = _Vfs(disk)

    def alone(connection: apsw.Connection) -> None:
        connection.execute(
            f"PRAGMA locking_mode = EXCLUSIVE; PRAGMA wal_autocheckpoint = {checkpoint_pages}"
        ).fetchall()

    apsw.connection_hooks.append(alone)
    try:
        yield disk
    finally:
        apsw.connection_hooks.remove(alone)
        vfs.unregister()


@contextmanager
def ordinary_disk() -> Iterator[None]:
    """While this lasts, inside `failing_disk`, new connections are on the platform's own disk again."""
    failing, ordinary, *_ = apsw.vfs_names()
    hooks, apsw.connection_hooks[:] = apsw.connection_hooks[:], []
    apsw.set_default_vfs(ordinary)
    try:
        yield
    finally:
        apsw.set_default_vfs(failing)
        apsw.connection_hooks[:] = hooks


class _Platter:
    """One file: the bytes that a power cut cannot take, and what was asked since."""

    def __init__(self, durable: bytes | None = None) -> None:
        self.durable = bytearray(durable or b"")
        self.pending: list[Op] = []
        self.is_new = durable is None

    def sync(self) -> None:
        for op in self.pending:
            _apply(self.durable, op)
        self.pending.clear()

    def after_the_cut(self, random: Random, kept: float) -> bytes:
        image = bytearray(self.durable)
        for op in self.pending:
            for part in _sectors(op):
                if random.random() < kept:
                    _apply(image, part)
        return bytes(image)


def _sectors(op: Op) -> Iterator[Op]:
    if op.what != "write":
        yield op
        return
    start, end = op.offset, op.offset + len(op.data)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        yield Op("write", op.file, start, op.data[start - op.offset : stop - op.offset])
        start = stop


def _apply(image: bytearray, op: Op) -> None:
    if op.what == "truncate":
        del image[op.offset :]
        return
    if len(image) < op.offset:
        image.extend(bytes(op.offset - len(image)))
    image[op.offset : op.offset + len(op.data)] = op.data


class PowerCuts:
    """The disks that may be left when the power goes at points of a log, the points asked for in rising order."""

    def __init__(self, log: list[Op], *, before: dict[str, bytes] | None = None) -> None:
        self._log = log
        self._done = 0
        self._platters = {name: _Platter(data) for name, data in (before or {}).items()}
        self._deleted: dict[str, _Platter] = {}

    def at(self, point: int, random: Random) -> dict[str, bytes]:
        """The files after a cut between the operations `point` - 1 and `point` of the log."""
        for op in self._log[self._done : point]:
            self._perform(op)
        self._done = point
        kept = random.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        # A deletion whose folder was not yet synced may be undone.
        back = {name: platter for name, platter in self._deleted.items() if random.random() < 0.5}
        return {name: platter.after_the_cut(random, kept) for name, platter in (back | self._platters).items()}

    def _perform(self, op: Op) -> None:
        if op.what == "delete":
            gone = self._platters.pop(op.file, None)
            if gone is not None and not op.offset:
                self._deleted[op.file] = gone
            return
        platter = self._platters.setdefault(op.file, _Platter())
        self._deleted.pop(op.file, None)
        if op.what == "sync":
            platter.sync()
            if platter.is_new and op.file.endswith(("-journal", "-wal")):
                # SQLite syncs the folder with the first sync of a new log, and what was deleted before stays deleted.
                self._deleted.clear()
            platter.is_new = False
        else:
            platter.pending.append(op)


def lay_out(files: dict[str, bytes], folder: Path) -> Path:
    """Write the files into an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def pick_up(folder: Path) -> dict[str, bytes]:
    """The files as they are: what a killed process leaves."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".db-shm"}

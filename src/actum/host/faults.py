"""What can go wrong with a running system, done on purpose, and mended again."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from actum.service.consequences import DISK, JOURNAL, READ_DATABASE
from actum.service.opening import in_postgres
from actum.stores.sqlite.holding import Held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from actum.service.control import Control
    from actum.service.system import Place, System

WAYS = ("stop", "kill", "pause")
"""The ways in which a service is off."""


class Fault(Protocol):
    """Something that can strike a piece, and be mended."""

    @property
    def piece(self) -> str:
        """What it strikes."""
        ...

    @property
    def way(self) -> str:
        """How."""
        ...

    @property
    def passes(self) -> bool:
        """Whether what it strikes may go on all the same: it mends itself, or there is still some room in a full disk's files."""
        ...

    async def strike(self) -> None:
        """Have it go wrong."""
        ...

    async def mend(self) -> None:
        """Have it be well again; until it is."""
        ...


class Off:
    """A service is stopped, killed or paused."""

    passes = False

    def __init__(self, control: Control, piece: str, way: str) -> None:
        self._control = control
        self.piece = piece
        self.way = way

    async def strike(self) -> None:
        """See `Fault.strike`."""
        control = self._control
        verbs = {"stop": control.stop, "kill": control.kill, "pause": control.pause}
        await asyncio.to_thread(verbs[self.way], self.piece)

    async def mend(self) -> None:
        """See `Fault.mend`."""
        await asyncio.to_thread(self._control.resume if self.way == "pause" else self._control.start, self.piece)


class Deleted:
    """A read database is deleted under the feet of those who write and read it. It comes back by itself."""

    way = "delete"
    passes = True

    def __init__(self, context: str, place: Place) -> None:
        self.piece = f"{context}/{READ_DATABASE}"
        self._path = Path(place.read_database)

    async def strike(self) -> None:
        """See `Fault.strike`."""
        await asyncio.to_thread(self._delete)

    def _delete(self) -> None:
        for ending in ("", "-wal", "-shm"):
            Path(f"{self._path}{ending}").unlink(missing_ok=True)

    async def mend(self) -> None:
        """See `Fault.mend`."""


class Unwritable:
    """A journal cannot be written: its file is somebody else's for the while, as when a backup or a person holds on to it."""

    way = "lock"
    passes = False

    def __init__(self, context: str, place: Place) -> None:
        self.piece = f"{context}/{JOURNAL}"
        self._path = place.journal
        self._held: Held | None = None

    async def strike(self) -> None:
        """See `Fault.strike`."""
        self._held = await asyncio.to_thread(Held, self._path)

    async def mend(self) -> None:
        """See `Fault.mend`."""
        if self._held is not None:
            await asyncio.to_thread(self._held.let_go)


class Filled:
    """The disk of the data folder is full: a file takes all the room there is."""

    piece = DISK
    way = "fill"
    passes = True

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "host" / "ballast"

    async def strike(self) -> None:
        """See `Fault.strike`."""
        await asyncio.to_thread(self._fill)

    def _fill(self) -> None:
        with self._ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(65536))
        with self._ballast.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(512))

    async def mend(self) -> None:
        """See `Fault.mend`."""
        self._ballast.unlink(missing_ok=True)


LARGEST_FILLED = 512 * 1024 * 1024
"""Bytes of a disk that is filled at the most: nobody's real disk."""


def may_be_filled(folder: Path) -> bool:
    """Whether the folder is on a disk of its own that is small enough to be filled without harm to anybody."""
    room = os.statvfs(folder)
    return room.f_blocks * room.f_frsize <= LARGEST_FILLED


def faults_of(
    system: System,
    places: Mapping[str, Place],
    control: Control,
    *,
    ways: Sequence[str],
    only: Sequence[str] = (),
    quick: bool = False,
) -> Iterator[Fault]:
    """Every service in every way, or `quick` in one of them, in turn; where journals lie in files, also what services need.
    `only` names some of them.
    """
    named = [service.name for service in system.services if not only or service.name in only]
    for turn, name in enumerate(named):
        yield from (Off(control, name, way) for way in (ways[turn % len(ways) :][:1] if quick else ways))
    for context, place in places.items():
        if in_postgres(place.journal):
            continue
        needs: list[Fault] = [Unwritable(context, place)]
        if system.app(context).views:
            needs.append(Deleted(context, place))
        yield from (fault for fault in needs if not only or fault.piece in only)

"""The data folder of a system: its journals, and beside them what the host keeps: logs, ports, and how to reach it."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from actum.journal.errors import Busy, Invalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


PRIVATE = 0o077
"""The umask of whatever works on a data folder: what it makes is its owner's alone."""


class Reached(msgspec.Struct, frozen=True):
    """Where the control door of a running host is, and the token that opens it. Kept so that only its owner can read it."""

    system: str
    url: str
    token: str
    gateway: str
    pid: int


class Folder:
    """A data folder, made where there is none."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def make(self) -> Folder:
        """Have it there; what is made is for its owner only."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.path / "host").mkdir(mode=0o700, exist_ok=True)
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except OSError as wrong:
            raise Unavailable(
                f"{self.path} cannot be made: {wrong.strerror}; say another folder with --data"
            ) from wrong
        return self

    @property
    def logs(self) -> Path:
        """The folder of the logs."""
        return self.path / "host" / "logs"

    def log(self, piece: str) -> Path:
        """The log of a piece."""
        return self.logs / f"{piece.replace('/', '.')}.log"

    @property
    def _reached(self) -> Path:
        return self.path / "host" / "control.json"

    @contextmanager
    def held(self) -> Iterator[None]:
        """One host at a time. `Busy` where another one runs on this folder; a killed one leaves no lock behind."""
        self.make()
        with (self.path / "host" / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy(
                    f"another host runs on {self.path} already: see `actum ps --data {self.path}`, or say another folder"
                ) from None
            yield

    def publish(self, reached: Reached) -> None:
        """Say where the control door is, to this user and nobody else."""
        beside = self._reached.with_suffix(".new")
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(reached))
        beside.replace(self._reached)

    def withdraw(self) -> None:
        """Nothing runs here any more."""
        self._reached.unlink(missing_ok=True)

    def reached(self) -> Reached:
        """Where the control door is. `Unavailable` where nothing runs."""
        try:
            return msgspec.json.decode(self._reached.read_bytes(), type=Reached)
        except FileNotFoundError:
            raise Unavailable(f"nothing runs on {self.path}: begin with `actum up`") from None
        except PermissionError as wrong:
            raise Unavailable(f"{self._reached} is another user's: whoever began it can control it") from wrong
        except msgspec.DecodeError as wrong:
            raise Unavailable(f"{self._reached} cannot be read: {wrong}; stop what runs and begin anew") from wrong

    # Ports.

    def ports(self) -> dict[str, int]:
        """The ports that pieces had last time."""
        try:
            return msgspec.json.decode((self.path / "host" / "ports.json").read_bytes(), type=dict[str, int])
        except (FileNotFoundError, msgspec.DecodeError):
            return {}

    def keep_ports(self, ports: dict[str, int]) -> None:
        """Remember them for the next time."""
        (self.path / "host" / "ports.json").write_bytes(msgspec.json.format(msgspec.json.encode(ports), indent=1))


def default_folder(system: str) -> Path:
    """The data folder of a system where none is named."""
    return Path(f"{system}.data")


def running_folder() -> Path:
    """The data folder here on which a host runs. `Invalid` where that is not clear."""
    found = sorted(path.parent.parent for path in Path().glob("*.data/host/control.json"))
    if not found:
        raise Unavailable("nothing runs in this folder: begin with `actum up`, or say --data")
    if len(found) > 1:
        raise Invalid(f"several systems run in this folder: say --data, one of {', '.join(map(str, found))}")
    return found[0]

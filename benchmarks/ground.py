"""The files that are measured on: journals with the same history, made once a run through the doors everyone uses."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import apsw
import msgspec

from actum.journal.clock import SYSTEM_IDS
from actum.journal.event import Event
from actum.journal.store import Append
from actum.stores.sqlite.database import SqliteStore
from benchmarks import raw
from benchmarks.bank import bank, history

T = TypeVar("T")
BATCH = 1000


class Ground(NamedTuple):
    """Where a run works and how much it does."""

    folder: Path
    rounds: int
    quick: bool
    long: bool = False

    def size(self, full: int, quick: int) -> int:
        """How many, in this run."""
        return quick if self.quick else full

    def new(self, name: str) -> Path:
        """A file that is not there yet."""
        for old in self.folder.glob(f"{name}*"):
            old.unlink()
        return self.folder / name

    def journal(self, events: int) -> Path:
        """A journal with that many events, the same for all sections: copy it to write to it."""
        path = self.folder / f"journal-{events}.actum"
        if not path.exists():
            half = self.new("half-made")
            fill(half, events // 10)
            for part in self.folder.glob("half-made*"):
                part.rename(self.folder / part.name.replace("half-made", path.name))
        return path

    def raw_journal(self, events: int) -> Path:
        """The raw program's file with the very same events."""
        path = self.folder / f"raw-{events}.db"
        if not path.exists():
            half = self.new("half-made")
            fill_raw(half, events // 10)
            half.rename(path)
        return path

    def copy(self, path: Path, name: str) -> Path:
        """A copy to write to."""
        mine = self.new(name)
        shutil.copyfile(path, mine)
        with mine.open("rb") as copied:
            os.fsync(copied.fileno())  # Else whoever first waits for the disk waits for the whole copy.
        return mine


def chunks(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """The items, so many at a time."""
    left = iter(items)
    while chunk := tuple(islice(left, size)):
        yield chunk


def fill(path: Path, accounts: int) -> None:
    """Ten events an account, through the store's own door."""
    add(path, history(accounts))


def add(path: Path, events: Iterable[tuple[str, str, Event]]) -> None:
    """Append such events likewise."""
    store, codec = SqliteStore(path), bank.codec
    for chunk in chunks(events, BATCH):
        store.append(Append(tuple(codec.encode(event, ids=SYSTEM_IDS, metadata=raw.METADATA) for _, _, event in chunk)))
    store.close()
    settle(path)


def fill_raw(path: Path, accounts: int, *, indexed: bool = True) -> None:
    """The same by hand. The index is made in its own order, which is the best that can be done for it."""
    connection = raw.connect(path)
    connection.execute(raw.SCHEMA)
    encode = msgspec.json.encode
    with connection:
        connection.executemany(raw.INSERT, (_row(*one, encode(one[2])) for one in history(accounts)))
        if indexed:
            connection.executemany(raw.INDEX, sorted(_entries(accounts)))
    connection.close()
    settle(path)


def _row(account: str, teller: str, event: Event, data: bytes) -> tuple[object, ...]:
    type, id = event.__kind__.type, SYSTEM_IDS.new()
    tags = f"account:{account}\nteller:{teller}"
    return None, type, id, 1_700_000_000_000_000, None, tags, data, raw.METADATA, raw.SALT, raw.LEAF


def _entries(accounts: int) -> Iterator[tuple[str, int]]:
    for position, (account, teller, _) in enumerate(history(accounts), 1):
        yield f"account:{account}", position
        yield f"teller:{teller}", position


def settle(path: Path) -> None:
    """Bring everything from the write-ahead log into the file."""
    connection = apsw.Connection(str(path))
    connection.execute("SELECT count(*) FROM sqlite_schema").get  # noqa: B018 - only then it knows that there is a log
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    connection.close()

"""A disk that is really full: a file system of a few megabytes, filled to the last byte."""

from __future__ import annotations

from pathlib import Path

from actum.journal.errors import StorageFull
from actum.journal.event import data_of
from actum.journal.query import Query
from actum.journal.store import Append, Appended, Repeated
from actum.stores.sqlite.database import SqliteStore
from actum.testing.builders import an_append, an_event
from tests.fault.elsewhere import NO_SMALL_DISK, found_on_small_disk, mount_small_disk

MEGABYTE = 1024 * 1024
JOURNAL = "journal.db"


def numbered(number: int, size: int = 40) -> Append:
    """A batch of its own, some 20 kB."""
    events = (an_event("Written", f"batch:{number}", data=b"x" * 400) for _ in range(size))
    return an_append(*events, unless=Query.of(tags=[f"batch:{number}"]), command=f"{number}")


def fill_up(folder: Path, *, leave: int = 0) -> Path:
    """Write a file until there is no more room, but for `leave` bytes."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(0, file.tell() - leave))
    return ballast


def write_until_full(store: SqliteStore, kept: list[Append]) -> Append:
    """Append batch after batch; the one that found no room."""
    while True:
        append = numbered(len(kept))
        try:
            store.append(append)
        except StorageFull as full:
            assert "is full; nothing of this call was written, make room and repeat it" in str(full)
            return append
        kept.append(append)


def check(store: SqliteStore, kept: list[Append]) -> None:
    """Exactly these batches are there."""
    assert [data_of(event) for event in store.read()] == [event for append in kept for event in append.events]


def full_and_free_again(folder: Path) -> object:
    """Everything there is to see on a full disk."""
    if not mount_small_disk(folder, 10 * MEGABYTE):
        return NO_SMALL_DISK
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(6 * MEGABYTE))
    store, kept = SqliteStore(folder / JOURNAL), list[Append]()
    turned_away = [write_until_full(store, kept) for _ in range(3)]
    check(store, kept)
    long = numbered(-1, 20_000)
    turned_away.append(_too_long(store, long))
    ballast.unlink()
    assert isinstance(store.append(turned_away[0])[0], Appended)
    assert isinstance(store.append(turned_away[0])[0], Repeated)
    kept.append(turned_away[0])
    check(store, kept)
    store.close()
    again = SqliteStore(folder / JOURNAL)
    check(again, kept)
    again.append(numbered(len(kept)))
    return len(kept), len(turned_away)


def _too_long(store: SqliteStore, long: Append) -> Append:
    try:
        store.append(long)
    except StorageFull:
        return long
    raise AssertionError("expected no room for eight megabytes")


def bell_without_room(folder: Path) -> object:
    """There is room for the commit, in a log that is used again, and none for the first byte of the doorbell."""
    if not mount_small_disk(folder, 3 * MEGABYTE):
        return NO_SMALL_DISK
    store = SqliteStore(folder / JOURNAL)
    store.append(numbered(0))
    for _ in range(3):
        store._writer.connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
    (folder / f"{JOURNAL}-bell").unlink()
    fill_up(folder)
    other = SqliteStore(folder / JOURNAL)
    (outcome,) = other.append(an_append(an_event("Written", "small:1")))
    assert isinstance(outcome, Appended)
    assert store.head() == outcome.last
    return (folder / f"{JOURNAL}-bell").stat().st_blocks


def test_a_full_disk_is_said_clearly_loses_nothing_and_the_store_works_again_when_there_is_room(tmp_path: Path):
    kept, turned_away = found_on_small_disk(full_and_free_again, tmp_path)
    print(f"{turned_away} appends found no room, {kept} batches were acknowledged")
    assert kept > 10
    assert turned_away == 4


def test_a_commit_is_acknowledged_even_where_there_is_no_room_to_ring_the_bell(tmp_path: Path):
    assert found_on_small_disk(bell_without_room, tmp_path) == 0, "inconclusive: there was room to ring"


def test_a_journal_cannot_be_made_on_a_full_disk_and_the_error_says_so(tmp_path: Path):
    assert found_on_small_disk(make_on_full_disk, tmp_path) == "StorageFull"


def make_on_full_disk(folder: Path) -> str:
    """What is said where there is no room at all."""
    if not mount_small_disk(folder, MEGABYTE // 4):
        return NO_SMALL_DISK
    fill_up(folder)
    try:
        SqliteStore(folder / JOURNAL)
    except StorageFull as full:
        assert "is full" in str(full)
        return type(full).__name__
    raise AssertionError("expected no room")

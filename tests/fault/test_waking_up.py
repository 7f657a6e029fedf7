"""What one process writes, another hears of at once; and where it cannot be told, it looks by itself and misses nothing."""

from __future__ import annotations

import statistics
import time
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from actum.journal.bell import Bell
from actum.stores.sqlite.database import SqliteStore
from actum.stores.sqlite.doorbell import LOOK_ANYWAY, SleepingWatcher, watcher
from actum.testing.builders import fill
from tests.fault.elsewhere import PATIENCE, process

JOURNAL = "journal.db"
MANY = 100


def write_when_asked(say: Connection, path: Path) -> None:
    """Append an event for each word, and say at what moment that was done."""
    with closing(SqliteStore(path)) as store:
        say.send("ready")
        while say.recv() == "more":
            fill(store, 1)
            say.send(time.monotonic())


def delays(store: SqliteStore, bell: Bell, *, many: int) -> list[float]:
    """How many seconds after each append of another process it was known here; every one of them is."""
    heard: list[float] = []
    with process(write_when_asked, store.path) as (_, other):
        assert other.recv() == "ready"
        for position in range(1, many + 1):
            other.send("more")
            assert bell.wait(position, timeout=PATIENCE), f"position {position} was never heard of"
            now = time.monotonic()
            heard.append(now - other.recv())
        other.send("enough")
    assert store.head() == many
    print(f"median {statistics.median(heard) * 1000:.2f} ms, longest {max(heard) * 1000:.2f} ms")
    return heard


def test_another_process_is_woken_rather_than_left_to_look(tmp_path: Path):
    bell = Bell()
    with closing(SqliteStore(tmp_path / JOURNAL)) as store:
        store.watch(bell.ring)
        assert statistics.median(delays(store, bell, many=100)) < LOOK_ANYWAY / 2


@pytest.mark.parametrize("watched", [False, True], ids=["before it was watched", "while it was watched"])
def test_where_the_doorbell_is_deleted_every_event_is_still_heard_of(tmp_path: Path, *, watched: bool):
    bell = Bell()
    with closing(SqliteStore(tmp_path / JOURNAL)) as store:
        if watched:
            store.watch(bell.ring)
        (tmp_path / f"{JOURNAL}-bell").unlink()
        store.watch(bell.ring)
        delays(store, bell, many=30)


def test_a_file_that_cannot_be_watched_is_looked_at_instead(tmp_path: Path):
    assert isinstance(watcher(tmp_path / "nothing there"), SleepingWatcher)

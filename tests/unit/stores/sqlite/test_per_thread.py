"""Threads come and go, and leave no open files behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from actum.stores.sqlite.database import SqliteStore
from actum.stores.sqlite.search import SqliteSearch
from actum.stores.sqlite.tables import SqliteTables

ORIGIN = "ab" * 16


def of_journal(folder: Path) -> tuple[Callable[[], object], Callable[[], None]]:
    store = SqliteStore(folder / "journal.db")
    return store.head, store.close


def of_views(folder: Path) -> tuple[Callable[[], object], Callable[[], None]]:
    tables = SqliteTables(folder / "views.db", origin=ORIGIN)
    return tables.marks, tables.close


def of_search(folder: Path) -> tuple[Callable[[], object], Callable[[], None]]:
    search = SqliteSearch(folder / "search.db", origin=ORIGIN)
    return search.mark, search.close


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def in_a_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@pytest.mark.parametrize("opened", [of_journal, of_views, of_search])
def test_connections_of_threads_that_have_ended_are_closed(
    tmp_path: Path, opened: Callable[[Path], tuple[Callable[[], object], Callable[[], None]]]
):
    read, close = opened(tmp_path)
    read()
    in_a_thread(read)
    files = open_files()
    for _ in range(20):
        in_a_thread(read)
    assert open_files() < files + 20
    read()
    close()

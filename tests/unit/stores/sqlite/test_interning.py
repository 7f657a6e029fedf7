"""The numbered tables of names, looked up by many threads at once."""

from __future__ import annotations

import threading
from pathlib import Path

import apsw

from actum.stores.sqlite.database import SqliteStore
from actum.stores.sqlite.interning import Kinds
from actum.testing.builders import an_append, an_event

KINDS = 200


def test_readers_meet_every_new_kind_whole_while_others_look_them_up_too(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "journal.db")
    done = threading.Event()
    wrong: list[BaseException] = []

    def read() -> None:
        after = 0
        while not done.is_set() or after < KINDS:
            try:
                for event in store.read(after=after):
                    assert event.type == f"Kind{event.position}"
                    after = event.position
            except BaseException as error:  # noqa: BLE001 - told to the test
                wrong.append(error)
                return

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(1, KINDS + 1):
        store.append(an_append(an_event(f"Kind{number}")))
    done.set()
    for reader in readers:
        reader.join()
    store.close()
    assert wrong == []


def test_what_a_reader_has_just_read_is_not_taken_from_it_by_one_with_an_older_view(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    store = SqliteStore(path)
    store.append(an_append(an_event("Old")))
    older, newer = apsw.Connection(str(path)), apsw.Connection(str(path))
    older.execute("BEGIN")
    assert older.execute("SELECT count(*) FROM kinds").get == 1
    store.append(an_append(an_event("New")))
    kinds = Kinds()
    read = kinds.read_again(newer)
    assert kinds.read_again(older).keys() == {1}
    assert read.keys() == {1, 2}
    store.close()

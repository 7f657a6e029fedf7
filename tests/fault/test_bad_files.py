"""Whatever lies where the journal should be, and whatever is done to it: a clear error, and nothing acknowledged lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import apsw
import pytest

from actum.journal.errors import Corrupted, Invalid, NewerSchema, NotAJournal, ReadOnly, Unavailable
from actum.journal.event import SequencedEvent, data_of
from actum.journal.query import Query
from actum.journal.store import leaf_of
from actum.stores.sqlite.database import SqliteStore
from actum.testing.builders import an_append, an_event, fill
from tests.fault.elsewhere import become_nobody, elsewhere

JOURNAL = "journal.db"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal lies, or should."""
    return tmp_path / JOURNAL


def refusal(path: Path, kind: type[Exception], **options: bool) -> str:
    """What is said on opening; what is there must be left as it is."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(kind) as caught:
        SqliteStore(path, timeout=0.2, **options)
    assert type(caught.value) is kind
    assert (path.read_bytes() if path.is_file() else None) == before
    assert not path.with_name(path.name + "-bell").exists()
    return str(caught.value)


# What is no journal.


@pytest.mark.parametrize("content", ["xy", "Dear diary,\n", "x" * 4096, "SQLite format 3\0" + "y" * 9000, "\0" * 512])
def test_a_file_of_something_else_is_no_journal_and_is_left_as_it_is(path: Path, content: str):
    path.write_text(content, encoding="ascii")
    assert refusal(path, NotAJournal) == f"{path} is not an SQLite file; name another path"


def test_another_sqlite_database_is_no_journal_and_is_left_as_it_is(path: Path):
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    assert refusal(path, NotAJournal) == f"{path} is an SQLite file, but no journal of actum; name another path"


def test_an_empty_file_becomes_a_journal_but_not_for_a_reader(path: Path):
    path.touch()
    assert "is empty: no journal was made there yet" in refusal(path, Unavailable, read_only=True)
    with closing(SqliteStore(path)) as store:
        assert fill(store, 1) == 1


def test_a_folder_is_no_journal(path: Path):
    path.mkdir()
    for read_only in (False, True):
        assert "it is a folder; name a file in it" in refusal(path, Unavailable, read_only=read_only)


def test_a_missing_folder_is_named(path: Path):
    deep = path / "there" / "is" / JOURNAL
    assert f"there is no folder {deep.parent}; make it first" in refusal(deep, Unavailable)


def test_a_missing_journal_is_not_made_for_a_reader(path: Path):
    assert refusal(path, Unavailable, read_only=True) == f"there is no journal at {path}; check the path"
    assert not path.exists()


@pytest.mark.parametrize("name", ["", "a\0b", ":memory:"])
def test_a_path_that_is_none_is_refused(name: str):
    with pytest.raises(Invalid, match="expected the path of a file, found"):
        SqliteStore(name)


def test_a_device_is_no_journal():
    with pytest.raises(Unavailable):
        SqliteStore("/dev/null/journal.db")


def test_a_journal_of_a_newer_actum_is_left_to_it(path: Path):
    SqliteStore(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA user_version = 99")
    path.with_name(JOURNAL + "-bell").unlink()
    said = refusal(path, NewerSchema)
    assert said == f"{path} has layout 99, this actum knows layouts up to 1; upgrade actum"


# What may not be written.


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that a user without rights can reach, as the test's own cannot be."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def _as_nobody(path: Path) -> tuple[str, str, int]:
    """What a user who may only read is told, and how much of the journal is there for him."""
    become_nobody()
    try:
        with closing(SqliteStore(path, timeout=0.2)) as store:
            store.append(an_append(an_event()))
    except ReadOnly as wrong:
        said = type(wrong).__name__, str(wrong)
    with closing(SqliteStore(path, read_only=True)) as store:
        return *said, len(list(store.read()))


def test_a_folder_that_cannot_be_written_is_said_to_be_so(open_to_all: Path):
    store = SqliteStore(open_to_all / JOURNAL)
    fill(store, 3)
    open_to_all.chmod(0o555)
    kind, text, _ = elsewhere(_as_nobody, open_to_all / JOURNAL)
    assert kind == "ReadOnly"
    assert "cannot be written; give this user the right to write" in text
    assert str(open_to_all) in text
    assert fill(store, 1) == 4
    store.close()


def test_a_file_that_cannot_be_written_is_said_to_be_so_and_can_be_read(open_to_all: Path):
    path = open_to_all / JOURNAL
    store = SqliteStore(path)
    fill(store, 3)
    for file in open_to_all.iterdir():
        file.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    open_to_all.chmod(0o777)
    kind, text, seen = elsewhere(_as_nobody, path)
    assert (kind, seen) == ("ReadOnly", 3)
    assert text == (
        f"{path} cannot be written; give this user the right to write it and its folder, or copy it to where that is so"
    )
    store.close()


def _as_nobody_who_makes_one(path: Path) -> str:
    become_nobody()
    with pytest.raises(ReadOnly) as caught:
        SqliteStore(path, timeout=0.2)
    return str(caught.value)


def test_a_folder_in_which_no_journal_can_be_made_is_said_to_be_so(open_to_all: Path):
    open_to_all.chmod(0o555)
    text = elsewhere(_as_nobody_who_makes_one, open_to_all / JOURNAL)
    assert f"{open_to_all / JOURNAL} cannot be written; give this user the right to write it and its folder" in text


def test_a_journal_opened_for_reading_says_so_when_it_is_written(path: Path):
    with closing(SqliteStore(path)) as store:
        fill(store, 2)
    with closing(SqliteStore(path, read_only=True)) as reader:
        with pytest.raises(ReadOnly, match="was opened for reading only; open it for writing"):
            reader.append(an_append(an_event()))
        assert len(list(reader.read())) == 2


# What was damaged.


def known(path: Path, count: int = 400) -> list[SequencedEvent]:
    """A closed journal of so many events, and what stands in it."""
    with closing(SqliteStore(path)) as store:
        for start in range(0, count, 20):
            events = (
                an_event("Happened", f"thing:{n}", data=f"the event {n}".encode() * 20)
                for n in range(start, start + 20)
            )
            store.append(an_append(*events))
        return list(store.read())


def read_as_far_as_it_goes(path: Path, events: list[SequencedEvent]) -> str:
    """Read the journal: either an error that names the file, or events, each of which is what was stored or is found out."""
    try:
        with closing(SqliteStore(path)) as store:
            found = list(store.read())
            if found == events:
                return "unharmed"
            assert any(leaf_of(event, store.origin) != event.leaf for event in found) or len(found) < len(events)
            return "found out by the commitments"
    except (Corrupted, NotAJournal, Unavailable) as wrong:
        assert str(path) in str(wrong)
        return type(wrong).__name__


def test_flipped_bytes_are_an_error_or_are_found_out_by_the_commitments(path: Path, seed: int):
    random, events = Random(seed), known(path)
    original = path.read_bytes()
    outcomes: dict[str, int] = {}
    for _ in range(60):
        place = random.randrange(len(original))
        damaged = bytearray(original)
        damaged[place : place + 16] = random.randbytes(16)
        path.write_bytes(damaged)
        _without_company(path)
        said = read_as_far_as_it_goes(path, events)
        outcomes[said] = outcomes.get(said, 0) + 1
    print(outcomes)
    assert outcomes.get("found out by the commitments", 0) + outcomes.get("Corrupted", 0) > 5, "inconclusive"


def test_a_corrupted_page_is_said_to_be_so(path: Path):
    known(path)
    pages = path.stat().st_size // 4096
    with path.open("r+b") as file:
        for page in range(pages // 3, pages // 3 + 8):
            file.seek(page * 4096)
            file.write(b"\xa5" * 4096)
    said = r"is damaged: .*; run `actum verify`, restore from a backup"
    with pytest.raises(Corrupted, match=said), closing(SqliteStore(path)) as store:
        list(store.read())


def test_a_truncated_journal_is_said_to_be_so(path: Path):
    known(path)
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
    with pytest.raises(Corrupted, match="is damaged: "), closing(SqliteStore(path)) as store:
        list(store.read())


def _without_company(path: Path) -> None:
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _copy_into(source: Path, target: Path) -> None:
    old, new = apsw.Connection(str(source)), apsw.Connection(str(target))
    with closing(old), closing(new), new.backup("main", old, "main") as copying:
        copying.step()


# What was done to it while it was open.


def replaced(path: Path) -> None:
    """Another journal is moved to its place."""
    other = path.with_name("other.db")
    with closing(SqliteStore(other)) as store:
        fill(store, 50)
    other.replace(path)


def deleted(path: Path) -> None:
    """It is gone."""
    path.unlink()


def moved(path: Path) -> None:
    """It has another name now."""
    path.rename(path.with_name("moved.db"))


@pytest.mark.parametrize("harm", [replaced, deleted, moved])
def test_a_journal_that_is_no_longer_in_its_place_is_not_written_to(path: Path, harm: Callable[[Path], None]):
    store = SqliteStore(path)
    fill(store, 5, "thing:1")
    harm(path)
    for _ in range(2):
        with pytest.raises(
            Unavailable, match="was moved, deleted or replaced while it was open; nothing was written: "
        ):
            store.append(an_append(an_event()))
    assert [event.position for event in store.read()] == [1, 2, 3, 4, 5]
    store.close()


def test_a_journal_that_was_moved_away_and_put_back_goes_on(path: Path):
    with closing(SqliteStore(path)) as store:
        fill(store, 5)
        moved(path)
        with pytest.raises(Unavailable):
            fill(store, 1)
        path.with_name("moved.db").rename(path)
        assert fill(store, 1) == 6


def test_what_was_acknowledged_before_the_log_was_deleted_is_saved_by_closing(path: Path):
    store = SqliteStore(path)
    fill(store, 5, "thing:1")
    events = [data_of(event) for event in store.read()]
    path.with_name(JOURNAL + "-wal").unlink()
    with pytest.raises(
        Unavailable, match=r"-wal was moved, deleted or replaced while the journal was open; .*close the"
    ):
        store.append(an_append(an_event()))
    store.close()
    with closing(SqliteStore(path)) as again:
        assert [data_of(event) for event in again.read()] == events
        assert len(list(again.read(Query.of(tags=["thing:1"])))) == 5
        assert fill(again, 1) == 6


def test_a_journal_overwritten_by_a_shorter_one_is_noticed(path: Path):
    known(path.with_name("short.db"), 20)
    with closing(SqliteStore(path)) as store:
        fill(store, 50)
        store._writer.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        _copy_into(path.with_name("short.db"), path)
        with pytest.raises(
            Corrupted, match="ended at 50 before and ends at 20 now: it was overwritten while it was open"
        ):
            store.append(an_append(an_event()))

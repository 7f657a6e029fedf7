"""A file looked at from outside: what it has, what of it is waste; and that looking makes nothing."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from actum.journal.errors import NotAJournal, Unavailable
from actum.stores.sqlite.database import JOURNAL, SqliteStore
from actum.stores.sqlite.inspecting import inspect_file
from actum.testing.builders import fill


def test_a_journal_is_as_large_as_its_files(tmp_path: Path):
    path = tmp_path / "journal"
    store = SqliteStore(path)
    fill(store, 500)
    found = inspect_file(path, JOURNAL)
    assert found.engine == f"SQLite {apsw.sqlite_lib_version()}"
    assert found.layout == found.newest == len(JOURNAL.migrations)
    assert found.bytes == sum(part.bytes for part in found.parts)
    assert [part.name for part in found.parts] == ["journal", "journal-wal"]
    store.close()
    after = inspect_file(path, JOURNAL)
    assert after.bytes == path.stat().st_size + (
        path.with_name("journal-wal").stat().st_size if len(after.parts) > 1 else 0
    )
    assert after.reusable == 0


def test_what_was_deleted_can_be_used_again(tmp_path: Path):
    path = tmp_path / "journal"
    SqliteStore(path).close()
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("CREATE TABLE large AS SELECT randomblob(400000) AS data")
        connection.execute("DROP TABLE large")
    found = inspect_file(path, JOURNAL)
    assert found.reusable > 400_000
    assert found.parts[0].waste > 90


def test_looking_makes_nothing_and_something_else_is_named(tmp_path: Path):
    with pytest.raises(Unavailable, match="nothing at"):
        inspect_file(tmp_path / "nowhere", JOURNAL)
    assert list(tmp_path.iterdir()) == []
    with closing(apsw.Connection(str(tmp_path / "diary"))) as connection:
        connection.execute("CREATE TABLE diary (day)")
    with pytest.raises(NotAJournal):
        inspect_file(tmp_path / "diary", JOURNAL)

"""Whoever listens goes on listening."""

from __future__ import annotations

import threading
from pathlib import Path

from actum.stores.sqlite.database import SqliteStore
from actum.testing.builders import an_append


def test_a_trouble_that_passes_does_not_end_the_listening(tmp_path: Path):
    journal, away, heard = tmp_path / "journal.db", tmp_path / "away.db", threading.Event()
    store = SqliteStore(journal)
    assert store.head() == 0
    journal.rename(away)
    store.watch(lambda head: heard.set())
    assert store._watching is not None
    store._watching.join(0.3)  # So long at the least the file is not where it should be.
    away.rename(journal)
    other = SqliteStore(journal)
    other.append(an_append())
    assert heard.wait(10)
    other.close()
    store.close()

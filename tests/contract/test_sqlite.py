"""The embedded journal, held to everything: it lasts, and several processes share it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from actum.stores.sqlite.database import SqliteStore
from actum.testing.contract import DurableContract, EventStoreContract, Opener, SharedContract


class TestSqliteStore(DurableContract, SharedContract, EventStoreContract):
    """As it is opened by default: what is acknowledged survives a power loss."""

    def opener(self, folder: Path) -> Opener:
        return partial(SqliteStore, folder / "journal.db")

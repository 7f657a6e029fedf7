"""The journal on a server, held to everything, on the oldest and the newest PostgreSQL there is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from actum.stores.postgres.database import PostgresStore
from actum.testing.contract import DurableContract, EventStoreContract, Opener, SharedContract
from actum.testing.postgres import with_journal
from tests.servers import VERSIONS, fresh_database, named


class TestPostgresStore(DurableContract, SharedContract, EventStoreContract):
    """Each test has a journal of its own, all of them in one database: they share nothing, not even a lock."""

    database: str

    @pytest.fixture(autouse=True, scope="class", params=VERSIONS, ids=named)
    @staticmethod
    def on(request: pytest.FixtureRequest) -> Iterator[None]:
        with fresh_database(request.param) as database:
            request.cls.database = database
            yield

    def opener(self, folder: Path) -> Opener:
        name = f"test_{sha256(bytes(folder)).hexdigest()[:24]}"
        return partial(PostgresStore, with_journal(self.database, name))

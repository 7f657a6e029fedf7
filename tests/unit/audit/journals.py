"""Journals to examine, and a hand that alters their files behind actum's back."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import apsw

from actum.journal.metadata import Metadata
from actum.journal.query import Query
from actum.stores.sqlite.database import SqliteStore
from actum.testing.builders import an_append, an_event, command_id

FOO = Query.of(types=["Moved"], tags=["foo:1"])
COMMAND = "c"


def metadata_of(command: str) -> bytes:
    """The metadata of an event that this command caused."""
    return Metadata(actor="teller", command_id=UUID(bytes=command_id(command)), command_type="Move").encode()


def a_journal(path: Path) -> SqliteStore:
    """Six events, of which a decision made the fourth and fifth; it rests on the second."""
    store = SqliteStore(path)
    store.append(an_append(an_event("Opened", "foo:1", data=b'{"who":"L\xc3\xa9a"}', effective=10**15)))
    store.append(an_append(an_event("Moved", "foo:1")), an_append(an_event("Moved", "bar:1")))
    moved = [an_event("Moved", "foo:1", metadata=metadata_of(COMMAND)) for _ in range(2)]
    store.append(an_append(*moved, unless=FOO, after=2, command=COMMAND))
    store.append(an_append(an_event("Closed", "bar:1", data=b"\xff\x00")))
    return store


def alter(path: Path, sql: str, *values: object) -> None:
    """Do what nobody should."""
    connection = apsw.Connection(str(path))
    connection.execute(sql, values)  # type: ignore[arg-type]
    connection.close()

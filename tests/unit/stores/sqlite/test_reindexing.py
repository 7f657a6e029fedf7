"""An index with a hole lets conditions pass that collide: it comes from nothing that we do, is found, and is written anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from actum.audit.verify import verify
from actum.journal.errors import OutcomeUnknown
from actum.journal.event import Position
from actum.journal.query import Query
from actum.journal.store import Append, Appended, Collided
from actum.stores.memory import MemoryStore
from actum.stores.sqlite import tag_index
from actum.stores.sqlite.database import SqliteStore
from actum.stores.sqlite.writing import INDEX_BEHIND
from actum.testing.builders import an_append, an_event, fill, positions

HERS = Query.of(tags=["email:ann"])


def another_ann(store: SqliteStore) -> object:
    (outcome,) = store.append(an_append(an_event("Signed", "email:ann"), unless=HERS))
    return outcome


def batch(size: int) -> Append:
    return an_append(*(an_event("Imported", f"row:{number}") for number in range(size)))


def fill_by_append(store: SqliteStore) -> None:
    store.append(batch(2 * INDEX_BEHIND))


def fill_by_restore(store: SqliteStore) -> None:
    source = MemoryStore()
    source.append(batch(2 * INDEX_BEHIND))
    store.restore(source.origin, list(source.read()), [])


@pytest.mark.parametrize("way", [fill_by_append, fill_by_restore])
def test_a_first_commit_that_fails_leaves_no_hole_behind(tmp_path: Path, way: Callable[[SqliteStore], None]):
    path = tmp_path / "journal"
    store = SqliteStore(path)
    store._writer.connection.set_commit_hook(lambda: True)  # The engine takes the commit back.
    with pytest.raises(OutcomeUnknown):
        way(store)
    store._writer.connection.set_commit_hook(None)
    assert isinstance(another_ann(store), Appended)
    fill(store, 3 * INDEX_BEHIND, "filler:1")
    assert verify(store).findings == []
    store.close()
    store = SqliteStore(path)
    assert isinstance(another_ann(store), Collided)
    store.close()


def cut(path: Path, position: Position, tag: str) -> None:
    """Take one entry out of the index."""
    connection = apsw.Connection(str(path))
    entry = (position, tag_index.token(tag))
    connection.execute("INSERT INTO tag_index (tag_index, rowid, tokens) VALUES ('delete', ?, ?)", entry)
    connection.close()


def with_ann_at(position: Position, path: Path) -> SqliteStore:
    """A journal of some thousand events, all but the newest indexed, hers at a position."""
    store = SqliteStore(path)
    fill(store, position - 1, "filler:1")
    assert isinstance(another_ann(store), Appended)
    fill(store, 5 * INDEX_BEHIND, "filler:1")
    store.close()
    cut(path, position, "email:ann")
    return SqliteStore(path)


def test_a_hole_in_the_middle_is_found_and_the_index_written_anew(tmp_path: Path):
    store = with_ann_at(2500, tmp_path / "journal")
    assert isinstance(store.append(an_append(unless=HERS, after=0))[0], Appended)
    (finding,) = verify(store).findings
    assert (finding.position, finding.what) == (2500, "index")
    assert store.reindex() == store.head()
    assert verify(store).sound
    assert positions(store.read(HERS)) == [2500]
    assert isinstance(another_ann(store), Collided)
    store.append(an_append(an_event("Signed", "email:bob")))
    assert store.hole() is None
    store.close()


def test_a_hole_at_the_beginning_is_mended_by_whoever_opens_the_journal_to_write(tmp_path: Path):
    store = with_ann_at(1, tmp_path / "journal")
    assert isinstance(another_ann(store), Collided)
    assert verify(store).sound
    store.close()

"""The index only proposes: two tags that share a token are told apart by the events' own tags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import pytest

from actum.journal.query import Query
from actum.journal.store import Appended, Collided
from actum.stores.sqlite import tag_index
from actum.stores.sqlite.database import SqliteStore
from actum.stores.sqlite.known import WINDOW_SIZE
from actum.testing.builders import an_append, an_event, positions

MINE, OTHER = Query.of(tags=["account:mine"]), Query.of(tags=["account:other"])


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    """A journal in which the first event is indexed under a token that another tag has, and is long out of the window."""
    store = SqliteStore(tmp_path / "journal.db")
    store.append(an_append(an_event("Opened", "account:mine")))
    filler = [an_event("Filled", f"filler:{number}") for number in range(3 * WINDOW_SIZE)]
    for start in range(0, len(filler), 2000):
        store.append(an_append(*filler[start : start + 2000]))
    with store._writer.turn():
        tag_index.add(store._writer.connection, 1, [("account:other",)])
    assert store._writer.known.window.floor > 1
    return store


def test_tokens_are_64_bits_of_the_tag_s_hash() -> None:
    assert tag_index.token("account:mine") == "3657a1b8b39e1160"


def test_a_reader_does_not_take_a_neighbour_of_the_same_token(store: SqliteStore) -> None:
    assert positions(store.read(MINE)) == [1]
    assert positions(store.read(OTHER)) == []
    assert positions(store.read(OTHER, backwards=True)) == []
    assert positions(store.read(MINE | OTHER)) == [1]
    assert [positions(found) for found in store.load([OTHER, MINE], after=[0, 0])[1]] == [[], [1]]


def test_a_condition_does_not_collide_with_a_neighbour_of_the_same_token(store: SqliteStore) -> None:
    (written,) = store.append(an_append(an_event("Opened", "account:other"), unless=OTHER))
    assert isinstance(written, Appended)
    (collided,) = store.append(an_append(an_event("Opened", "account:mine"), unless=MINE))
    assert isinstance(collided, Collided)
    assert collided.position == 1


def test_a_load_is_one_look_into_the_index_for_which_nothing_is_prepared_anew(store: SqliteStore) -> None:
    steps: list[Any] = []
    store._writer.connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, steps.append)
    for number in range(30):
        assert len(store.load([Query.of(tags=[f"filler:{number}"])], after=[0])[1][0]) == 1
    ours = [step["sql"].partition("\n")[0] for step in steps if not step["sql"].startswith(("PRAGMA", "SELECT pgno"))]
    assert len(ours) == 30
    assert len(set(ours)) == 1
    assert sum(step["stmt_status"]["SQLITE_STMTSTATUS_REPREPARE"] for step in steps) == 0


def test_a_limit_is_filled_with_what_really_matches(store: SqliteStore) -> None:
    store.append(an_append(an_event("Opened", "account:other"), an_event("Opened", "account:other")))
    head = store.head()
    assert positions(store.read(OTHER, limit=1)) == [head - 1]
    assert positions(store.read(OTHER, limit=1, backwards=True)) == [head]


def test_what_the_index_once_had_nothing_of_is_found_when_it_has(store: SqliteStore) -> None:
    """That there is nothing is remembered, and only up to where it was looked."""
    new = Query.of(tags=["account:new"])

    def loaded() -> list[str]:
        (found,) = store.load([new], after=[0])[1]
        return [event.type for event in found]

    assert loaded() == loaded() == []
    store.append(an_append(an_event("Opened", "account:new")))
    assert loaded() == ["Opened"]
    opened = store.head()
    while store._writer.known.window.floor <= opened:
        assert loaded() == ["Opened"], "as long as it is in the window"
        store.append(an_append(*(an_event("Filled", f"filler:{number}") for number in range(2000))))
    assert loaded() == loaded() == ["Opened"], "and when it is in the index alone"

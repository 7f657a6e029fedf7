"""A journal copied from store to store is the same to the byte, or there is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from actum.audit.archive import BATCH
from actum.audit.copying import copy_journal, manifest_of
from actum.audit.verify import verify
from actum.journal.errors import Corrupted, Invalid
from actum.journal.query import Query
from actum.stores.memory import MemoryStore
from actum.stores.sqlite.database import SqliteStore
from actum.testing.builders import an_append, an_event, command_id, fill
from tests.unit.audit.journals import COMMAND, a_journal, alter


def test_a_copy_has_everything_and_answers_a_retry_with_the_first_decision(tmp_path: Path):
    with_all, copy = a_journal(tmp_path / "there"), MemoryStore()
    manifest = copy_journal(with_all, copy)
    assert (manifest.events, manifest.decisions) == (6, with_all_decisions(with_all))
    assert list(copy.read()) == list(with_all.read())
    assert list(copy.decisions()) == list(with_all.decisions())
    assert copy.decision(command_id(COMMAND)) == with_all.decision(command_id(COMMAND))
    assert verify(copy, decisions=True).sound
    back = SqliteStore(tmp_path / "back")
    assert copy_journal(copy, back) == manifest
    assert (back.origin, list(back.read())) == (with_all.origin, list(with_all.read()))
    back.close()
    with_all.close()


def with_all_decisions(store: SqliteStore) -> int:
    return len(list(store.decisions()))


def test_copying_again_brings_what_is_new_and_nothing_twice(tmp_path: Path):
    store, copy = a_journal(tmp_path / "there"), MemoryStore()
    copy_journal(store, copy)
    assert copy_journal(store, copy).events == 6
    fill(store, 2 * BATCH + 10)
    seen: list[int] = []
    assert copy_journal(store, copy, progress=seen.append).events == copy.head() == 2 * BATCH + 16
    assert seen == sorted(seen)
    assert seen[-1] == copy.head()
    store.close()


def test_a_decision_is_never_cut_in_two(tmp_path: Path):
    store, copy = MemoryStore(), SqliteStore(tmp_path / "copy")
    fill(store, BATCH - 3)
    store.append(an_append(*[an_event("Moved") for _ in range(9)], unless=Query.of(types=["Never"]), command="long"))
    fill(store, 5)
    reached: list[int] = []
    copy_journal(store, copy, progress=reached.append)
    assert reached == [BATCH + 6, BATCH + 11]
    copy.close()


def test_another_journal_is_not_copied_over(tmp_path: Path):
    store, other = a_journal(tmp_path / "there"), a_journal(tmp_path / "other")
    before = list(other.read())
    with pytest.raises(Invalid, match="the target is the journal"):
        copy_journal(store, other)
    assert list(other.read()) == before
    store.close()
    other.close()


def test_a_target_that_went_its_own_way_is_named(tmp_path: Path):
    store, copy = a_journal(tmp_path / "there"), MemoryStore()
    copy_journal(store, copy)
    fill(store, 1)
    fill(copy, 2)
    with pytest.raises(Invalid, match="behind the source"):
        copy_journal(store, copy)
    fill(store, 1)
    with pytest.raises(Invalid, match="another event at position 7"):
        copy_journal(store, copy)
    store.close()


def test_an_altered_source_is_not_copied(tmp_path: Path):
    a_journal(tmp_path / "there").close()
    alter(tmp_path / "there", "UPDATE events SET data = x'00' WHERE position = 3")
    store = SqliteStore(tmp_path / "there")
    with pytest.raises(Corrupted, match="position 3"):
        copy_journal(store, MemoryStore())
    store.close()


def test_a_copy_that_is_not_the_same_is_found_out(tmp_path: Path):
    a_journal(tmp_path / "there").close()
    store, copy = SqliteStore(tmp_path / "there"), SqliteStore(tmp_path / "copy")
    copy_journal(store, copy)
    alter(tmp_path / "copy", "UPDATE decisions SET after = 0 WHERE first = 4")
    with pytest.raises(Corrupted, match="the copy is not the same"):
        copy_journal(store, copy)
    store.close()
    copy.close()


def test_the_hash_is_that_of_the_archive_up_to_there(tmp_path: Path):
    store, copy = a_journal(tmp_path / "there"), MemoryStore()
    manifest = copy_journal(store, copy)
    fill(store, 3)
    assert manifest_of(store, until=6) == manifest
    assert manifest_of(store, until=9).sha256 != manifest.sha256
    store.close()

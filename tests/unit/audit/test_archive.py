"""A journal goes out and comes back to the byte; whatever is not whole stays out."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from actum.audit.archive import BATCH, Manifest, examine_archive, export_archive, import_archive
from actum.audit.verify import verify
from actum.journal.errors import ActumError, Corrupted, Invalid, NewerSchema
from actum.journal.store import JournalStore
from actum.stores.memory import MemoryStore
from actum.stores.sqlite.database import SqliteStore
from actum.testing.builders import an_append, an_event, fill
from tests.unit.audit.journals import FOO, a_journal, alter, metadata_of


def exported(store: JournalStore) -> bytes:
    file = io.BytesIO()
    export_archive(store, file)
    return file.getvalue()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    store = a_journal(tmp_path_factory.mktemp("there") / "journal")
    file = exported(store)
    store.close()
    return file


def signed(lines: list[bytes]) -> bytes:
    """These lines, with a last one that fits them: what somebody would make who knows the format."""
    body = b"".join(lines)
    counts = {kind: sum(b'"line":"' + kind in line for line in lines) for kind in (b"event", b"decision")}
    trailer = {
        "line": "trailer",
        "events": counts[b"event"],
        "decisions": counts[b"decision"],
        "sha256": sha256(body).hexdigest(),
    }
    return body + json.dumps(trailer).encode() + b"\n"


@pytest.mark.parametrize("here", [lambda path: MemoryStore(), SqliteStore])
def test_what_comes_back_is_what_went_out(tmp_path: Path, here: Callable[[Path], JournalStore]):
    there = a_journal(tmp_path / "there")
    store = here(tmp_path / "here")
    manifest = import_archive(store, io.BytesIO(exported(there)))
    assert list(store.read()) == list(there.read())
    assert list(store.decisions()) == list(there.decisions())
    assert (manifest.origin, manifest.events, manifest.decisions) == (there.origin, 6, 1)
    assert store.origin == there.origin
    assert exported(store) == exported(there)
    assert verify(store, decisions=True).sound
    store.close()
    there.close()


def test_an_empty_journal_goes_out_and_comes_back():
    there, here = MemoryStore(), MemoryStore()
    import_archive(here, io.BytesIO(exported(there)))
    assert here.head() == 0


def test_the_lines_say_what_they_are(archive: bytes):
    lines = [json.loads(line) for line in archive.splitlines()]
    assert [line["line"] for line in lines] == ["header", *["event"] * 5, "decision", "event", "trailer"]
    assert lines[1]["data"] == '{"who":"Léa"}'
    assert base64.b64decode(lines[7]["data64"]) == b"\xff\x00"
    assert [line.get("continues") for line in lines[4:6]] == [True, None]
    assert lines[6]["condition"] == {"items": [{"types": ["Moved"], "tags": ["foo:1"]}], "after": 2}


def test_importing_again_changes_nothing(archive: bytes):
    store = MemoryStore()
    import_archive(store, io.BytesIO(archive))
    before = exported(store)
    import_archive(store, io.BytesIO(archive))
    assert exported(store) == before


def test_an_import_goes_on_after_the_head(tmp_path: Path):
    there, here = MemoryStore(), MemoryStore()
    fill(there, 2 * BATCH + 300)
    early = exported(there)
    import_archive(here, io.BytesIO(early))
    there.append(an_append(an_event("Moved", "foo:1", metadata=metadata_of("c")), unless=FOO, command="c"))
    seen = list[int]()
    import_archive(here, io.BytesIO(exported(there)), progress=seen.append)
    assert seen == [2301]
    assert exported(here) == exported(there)


def test_an_older_archive_of_a_journal_that_went_on_is_no_harm(archive: bytes):
    store = MemoryStore()
    import_archive(store, io.BytesIO(archive))
    fill(store, 3)
    import_archive(store, io.BytesIO(archive))
    assert store.head() == 9


def test_a_batch_never_ends_within_a_decision():
    there, here = MemoryStore(), MemoryStore()
    fill(there, BATCH - 1)
    moved = [an_event("Moved", metadata=metadata_of("c")) for _ in range(3)]
    there.append(an_append(*moved, command="c"))
    fill(there, 1)
    seen = list[int]()
    import_archive(here, io.BytesIO(exported(there)), progress=seen.append)
    assert seen == [BATCH + 2, BATCH + 3]
    assert verify(here, decisions=True).sound


def test_an_altered_journal_is_not_exported(tmp_path: Path):
    a_journal(tmp_path / "journal").close()
    alter(tmp_path / "journal", "UPDATE events SET data = x'00' WHERE position = 3")
    store = SqliteStore(tmp_path / "journal")
    with pytest.raises(Corrupted, match="position 3"):
        exported(store)
    store.close()


def test_a_journal_with_a_gap_is_not_exported(tmp_path: Path):
    a_journal(tmp_path / "journal").close()
    alter(tmp_path / "journal", "DELETE FROM events WHERE position = 3")
    store = SqliteStore(tmp_path / "journal")
    with pytest.raises(Corrupted, match="has 5 events"):
        exported(store)
    store.close()


def refused(archive: bytes, store: MemoryStore | None = None) -> ActumError:
    store = store or MemoryStore()
    before = exported(store)
    with pytest.raises(ActumError) as caught:
        import_archive(store, io.BytesIO(archive))
    assert exported(store) == before, "something was written"
    return caught.value


def test_an_archive_cut_off_anywhere_stays_out(archive: bytes):
    for end in range(0, len(archive), 7):
        assert isinstance(refused(archive[:end]), Invalid)
    assert "truncated" in str(refused(archive[:-1]))


def test_an_archive_without_any_one_of_its_lines_stays_out(archive: bytes):
    lines = archive.splitlines(keepends=True)
    for missing in range(len(lines)):
        refused(b"".join(lines[:missing] + lines[missing + 1 :]))


def test_lines_in_another_order_stay_out(archive: bytes):
    lines = archive.splitlines(keepends=True)
    for number in range(len(lines) - 2):
        swapped = [*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]]
        refused(b"".join(swapped))
        refused(signed(swapped[:-1]))


def test_two_archives_in_one_file_stay_out(archive: bytes):
    assert "behind line 9" in str(refused(archive + archive))


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (b'"who', b'"whom', "line 2: the event at position 1 is not what was committed to"),
        (b'"position":3', b'"position":4', "expected the event at position 3 next"),
        (b'"tags":["bar:1"]', b'"tags":["bar:2"]', "position 3 is not"),
        (b'"data64":"/wA="', b'"data64":"/wA"', "no base64"),
        (b'"data64":"/wA="', b'"nodata":"/wA="', "both or neither"),
        (b'"salt":"', b'"salt":"zz', "hexadecimal"),
        (b'"count":2', b'"count":3', "not in the order"),
        (b'"count":2', b'"count":1', "not in the order"),
        (b'"first":4', b'"first":0', "not before it"),
        (b'"after":2', b'"after":9', "not before it"),
        (b'"after":2', b'"after":-1', "expected a position"),
        (b'"types":["Moved"],"tags":["foo:1"]', b'"types":[],"tags":[]', "at least one type"),
        (b'"line":"decision"', b'"line":"delusion"', "no line of an archive"),
        (b'"version":1', b'"version":0', "schema version"),
        (b'"type":"Moved"', b'"type":"Mo ved"', "cannot name"),
        (b"actum/archive/v1", b"actum/archive/v2", "upgrade actum"),
        (b"actum/archive/v1", b"somebody/else/v1", "actum export"),
    ],
)
def test_an_altered_line_stays_out_even_where_the_hash_was_made_to_fit(
    archive: bytes, before: bytes, after: bytes, says: str
):
    assert before in archive
    plain = refused(archive.replace(before, after, 1))
    body = archive.replace(before, after, 1).splitlines(keepends=True)[:-1]
    forged = refused(signed(body))
    assert says in str(forged)
    assert says in str(plain)


def test_a_decision_altered_without_its_hash_stays_out(archive: bytes):
    assert isinstance(refused(archive.replace(b"decide@1", b"decide@2")), Corrupted)


def test_an_archive_of_another_journal_is_not_mixed_in(archive: bytes):
    store = MemoryStore()
    fill(store, 2)
    assert "of its own" in str(refused(archive, store))


def test_an_archive_of_a_newer_format_is_known_for_that(archive: bytes):
    assert isinstance(refused(archive.replace(b"archive/v1", b"archive/v9")), NewerSchema)


def test_a_journal_that_took_another_turn_is_not_mixed_in(archive: bytes):
    there = MemoryStore()
    import_archive(there, io.BytesIO(archive))
    here = MemoryStore(origin=there.origin)
    fill(here, 2)
    assert "another event at position 1" in str(refused(archive, here))


@pytest.mark.parametrize("file", [b"", b"\n", b"{}\n", b"[]\n", b"null\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n"])
def test_a_file_that_is_something_else_is_told_so(file: bytes):
    refused(file)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_file_with_any_bytes_replaced_is_refused_in_words_or_is_the_same(archive: bytes, data: st.DataObject):
    start = data.draw(st.integers(0, len(archive) - 1))
    end = data.draw(st.integers(start, min(len(archive), start + 40)))
    other = archive[:start] + data.draw(st.binary(max_size=40)) + archive[end:]
    for file in (other, signed(other.splitlines(keepends=True)[:-1])):
        store = MemoryStore()
        try:
            manifest = import_archive(store, io.BytesIO(file))
        except ActumError:
            assert store.head() == 0
        else:
            assert store.head() == manifest.events
            assert verify(store).sound


def test_examining_says_what_an_archive_holds(archive: bytes):
    manifest = examine_archive(io.BytesIO(archive))
    assert manifest == Manifest(manifest.origin, 6, 1, json.loads(archive.splitlines()[-1])["sha256"])

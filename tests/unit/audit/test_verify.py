"""Whatever is altered in a journal's file is found, and where."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import apsw
import msgspec
import pytest

from actum.audit.report import Report
from actum.audit.verify import verify
from actum.journal.errors import Refused
from actum.journal.query import AppendCondition, Query
from actum.stores.memory import MemoryStore
from actum.stores.sqlite.database import SqliteStore
from actum.testing.builders import an_append, an_event, fill
from tests.unit.audit.journals import a_journal, alter, metadata_of
from tests.unit.decision.bank import Deposit, Open, Tidy, Withdraw, a_bank


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal"
    a_journal(path).close()
    return path


def examine(path: Path, *, decisions: bool = False) -> Report:
    store = SqliteStore(path, read_only=True)
    try:
        return verify(store, decisions=decisions)
    finally:
        store.close()


def test_a_journal_that_nobody_altered_is_sound(path: Path):
    report = examine(path, decisions=True)
    assert report.findings == []
    assert (report.events, report.decisions, report.head) == (6, 1, 6)
    assert report.sound


def test_an_empty_journal_is_sound():
    report = verify(MemoryStore(), decisions=True)
    assert (report.sound, report.events) == (True, 0)


@pytest.mark.parametrize("column", ["id", "data", "metadata", "salt", "leaf"])
@pytest.mark.parametrize("bit", [0, 7])
def test_one_flipped_bit_of_stored_bytes_is_found(path: Path, column: str, bit: int):
    connection = apsw.Connection(str(path))
    value = bytearray(connection.execute(f"SELECT {column} FROM events WHERE position = 4").get)
    connection.close()
    value[len(value) // 2] ^= 1 << bit
    alter(path, f"UPDATE events SET {column} = ? WHERE position = 4", bytes(value))
    (finding,) = examine(path).findings
    assert (finding.position, finding.what) == (4, "leaf")


@pytest.mark.parametrize("position", [1, 6])
@pytest.mark.parametrize(
    "change",
    [
        "recorded = recorded + 1",
        "effective = CASE effective WHEN 1000000000000000 THEN 1000000000000001 ELSE 0 END",
        "tags = 'foo:2'",
        "kind = 2 + (kind = 2)",
    ],
)
def test_every_other_column_is_committed_to_as_well(path: Path, position: int, change: str):
    alter(path, f"UPDATE events SET {change} WHERE position = ?", position)
    findings = examine(path).findings
    assert (position, "leaf") in [(finding.position, finding.what) for finding in findings]


def test_a_kind_that_is_renamed_is_found_at_all_its_events(path: Path):
    alter(path, "UPDATE kinds SET type = 'Moves' WHERE type = 'Moved'")
    assert [finding.position for finding in examine(path).findings] == [2, 3, 4, 5]


def test_a_kind_that_is_gone_is_found_and_the_rest_is_still_examined(path: Path):
    alter(path, "PRAGMA foreign_keys = OFF")
    alter(path, "UPDATE events SET kind = 99 WHERE position = 3")
    alter(path, "UPDATE events SET data = x'00' WHERE position = 5")
    findings = examine(path, decisions=True).findings
    assert [(finding.position, finding.what) for finding in findings] == [(3, "row"), (5, "leaf")]


def test_tags_that_are_no_text_any_more_are_found(path: Path):
    alter(path, "UPDATE events SET tags = CAST(x'666f6fff' AS TEXT) WHERE position = 2")
    assert [(finding.position, finding.what) for finding in examine(path).findings] == [(2, "row")]


def test_a_deleted_row_is_found(path: Path):
    alter(path, "DELETE FROM events WHERE position IN (2, 3)")
    (finding,) = examine(path).findings
    assert str(finding) == "position 2: position: expected an event at positions 2 to 3, found none"


def test_the_first_row_deleted_is_found(path: Path):
    alter(path, "DELETE FROM events WHERE position = 1")
    (finding,) = examine(path).findings
    assert finding.expected == "an event at position 1"


def test_two_rows_that_changed_places_are_found(path: Path):
    alter(path, "UPDATE events SET position = -1 WHERE position = 2")
    alter(path, "UPDATE events SET position = 2 WHERE position = 3")
    alter(path, "UPDATE events SET position = 3 WHERE position = -1")
    assert {finding.position for finding in examine(path).findings} == {2, 3}


def test_time_that_goes_back_is_found_even_where_leaves_agree():
    store = MemoryStore()
    fill(store, 2)
    other = MemoryStore(origin=store.origin)
    fill(other, 1)
    store._events[0], store._recorded = next(other.read()), 0
    findings = verify(store).findings
    assert [(finding.position, finding.what) for finding in findings] == [(2, "recorded")]


def test_a_journal_that_says_it_is_another_is_found(path: Path):
    alter(path, "UPDATE journal SET value = 'another' WHERE name = 'origin'")
    assert examine(path).count == 6


@pytest.mark.parametrize(
    ("forgery", "found"),
    [
        ("after = 1", "one at position 2"),
        ("after = 0", "one at position 2"),
        ("after = 4", "a look at position 4"),
        ("count = 0", "0 from position 4 on"),
        ("tags = 'bar:1'", "one at position 3"),
        ("count = 3", "none"),
        ("count = 1", "none"),
        ("count = 30", "a journal that ends at 6"),
        ("first = 6", "none"),
        ("first = 7", "a journal that ends at 6"),
        ("first = 3", "none"),
        ("command = randomblob(16)", "none"),
        ("shape = 99", "the condition of the decision at position 4 is gone; restore from a backup"),
        ("handler = 99", "none"),
    ],
)
def test_a_forged_decision_is_found(path: Path, forgery: str, found: str):
    alter(path, f"UPDATE decisions SET {forgery}")
    report = examine(path, decisions=True)
    assert not report.sound
    if forgery.startswith("command"):
        assert {finding.what for finding in report.findings} == {"command"}
    else:
        assert found in [finding.found for finding in report.findings]
    assert examine(path).sound


def test_a_deleted_decision_is_found_at_the_events_that_name_its_command(path: Path):
    alter(path, "DELETE FROM decisions")
    findings = examine(path, decisions=True).findings
    assert [(finding.position, finding.what) for finding in findings] == [(4, "decision"), (5, "decision")]


def test_events_cut_off_at_the_end_are_missed_by_their_decision(path: Path):
    alter(path, "DELETE FROM events WHERE position >= 5")
    assert examine(path).sound
    (finding,) = examine(path, decisions=True).findings
    assert finding.found == "a journal that ends at 4"


@pytest.mark.parametrize(("after", "found"), [(1, []), (0, [70_002])])
def test_a_decision_that_looks_far_back_is_examined_as_well(after: int, found: list[int]):
    store = MemoryStore()
    store.append(an_append(an_event("Moved", "foo:1")))
    fill(store, 70_000, "bar:1")
    query = Query.of(types=["Moved", "Happened"], tags=["foo:1"])
    store.append(an_append(an_event("Moved", metadata=metadata_of("one")), unless=query, after=1, command="one"))
    record = store._decided[0]
    store._decided[0] = msgspec.structs.replace(record, condition=AppendCondition(query, after))
    assert [finding.position for finding in verify(store, decisions=True).findings] == found


def test_progress_is_told_up_to_the_head():
    store, seen = MemoryStore(), list[int]()
    fill(store, 2500)
    verify(store, progress=seen.append)
    assert seen == [1000, 2000, 2500]


def test_a_sequel_may_rest_on_the_earlier_appends_of_its_batch(tmp_path: Path):
    query = Query.of(tags=["foo:1"])
    store = SqliteStore(tmp_path / "journal")
    store.append(
        *(
            an_append(an_event("Moved", "foo:1", metadata=metadata_of(name)), unless=query, command=name, sequel=True)
            for name in ("one", "two", "three")
        )
    )
    report = verify(store, decisions=True)
    store.close()
    assert (report.findings, report.decisions) == ([], 3)


def test_decisions_of_an_application_under_load_are_sound(tmp_path: Path):
    with a_bank().open(tmp_path / "journal", actor="teller") as bank:
        bank.execute(Open(account="a", email="a@example.org"))
        with ThreadPoolExecutor(16) as tellers:
            for answer in [tellers.submit(bank.execute, Deposit(account="a", amount=Decimal(1))) for _ in range(200)]:
                answer.result()
        for _ in range(2):
            with pytest.raises(Refused):
                bank.execute(Withdraw(account="a", amount=Decimal(1000)), id="too much")
        bank.execute(Tidy(account="a"))
        report = verify(bank.store, decisions=True, handlers={"deposit", "withdraw", "tidy"})
    assert report.findings == []
    assert report.decisions == 203
    assert report.unknown_handlers == ["open_account@1"]


def test_a_refusal_whose_command_was_changed_is_found():
    with a_bank().open("memory:", actor="teller") as bank:
        with pytest.raises(Refused):
            bank.execute(Withdraw(account="a", amount=Decimal(1000)))
        store = bank.store
        assert isinstance(store, MemoryStore)
        store._decided[0] = msgspec.structs.replace(store._decided[0], digest=bytes(8))
        (finding,) = verify(store, decisions=True).findings
    assert finding.found == bytes(8).hex()

"""The file of a read database: recognised, or refused with a reason; and nothing in it half done."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from actum.journal.errors import (
    ActumError,
    Busy,
    Corrupted,
    Invalid,
    NewerSchema,
    NotAJournal,
    Unavailable,
)
from actum.journal.readmodel import (
    ALL_SLICES,
    Change,
    Column,
    Cut,
    Filter,
    Kept,
    Mark,
    Order,
    Role,
    Selection,
    Shape,
    Share,
    Slices,
    Standing,
)
from actum.stores.sqlite.file import Layout
from actum.stores.sqlite.table_sql import create
from actum.stores.sqlite.tables import MEMORY, READ_DATABASE, SqliteTables
from actum.stores.statements import text_of

SHAPE = Shape(
    "things",
    (Column("id", Kept.TEXT), Column("select", Kept.INTEGER), Column("size", Kept.AMOUNT, optional=True)),
    ("id",),
    b"one",
)
ALL = Selection(orders=(Order("id"),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "views.db"


@pytest.fixture
def tables() -> Iterator[SqliteTables]:
    tables = SqliteTables(MEMORY, origin="o")
    tables.prepare(SHAPE)
    yield tables
    tables.close()


def _change(*rows: Any, seen: Mark = Mark(), reached: Mark = Mark(1, b"x"), shape: Shape = SHAPE) -> Change:  # noqa: B008
    return Change(shape, rows, seen, reached)


def test_rows_and_checkpoint_survive_closing(path: Path):
    tables = SqliteTables(path, origin="o")
    assert tables.prepare(SHAPE)
    assert tables.commit([_change(("a", 1, "1.50"), ("b", 2, None))])
    tables.close()
    again = SqliteTables(path, origin="o")
    assert not again.prepare(SHAPE)
    assert again.mark(SHAPE) == Mark(1, b"x")
    assert again.marks() == {"things": Mark(1, b"x")}
    assert again.select(SHAPE, ALL) == [("a", 1, "1.50"), ("b", 2, None)]
    again.close()


def test_a_commit_from_a_checkpoint_that_has_moved_changes_nothing():
    tables = SqliteTables(MEMORY, origin="o")
    other = Shape("others", SHAPE.columns, SHAPE.key, b"two")
    tables.prepare(SHAPE)
    tables.prepare(other)
    assert tables.commit([_change(("a", 1, None))])
    late = [_change(("z", 9, None), shape=other), _change(("a", 2, None))]
    assert not tables.commit(late)
    assert tables.select(SHAPE, ALL) == [("a", 1, None)]
    assert tables.select(other, ALL) == []
    assert tables.mark(other) == Mark()


def test_a_row_written_again_replaces_the_old_one_however_many_there_are():
    tables = SqliteTables(MEMORY, origin="o")
    tables.prepare(SHAPE)
    rows = [(f"{number:05}", number, None) for number in range(2345)]
    assert tables.commit([_change(*rows)])
    assert tables.commit(
        [_change(*[(id, number + 1, "1") for id, number, _ in rows], seen=Mark(1, b"x"), reached=Mark(2, b"y"))]
    )
    found = tables.load(SHAPE, [(id,) for id, _, _ in rows])
    assert sorted(found) == [(id, number + 1, "1") for id, number, _ in rows]
    assert tables.count(SHAPE, [Filter("select", "<=", 100)]) == 100


def test_a_key_of_several_columns_finds_its_row():
    shape = Shape(
        "pairs", (Column("a", Kept.TEXT), Column("b", Kept.INTEGER), Column("c", Kept.TEXT)), ("a", "b"), b"1"
    )
    tables = SqliteTables(MEMORY, origin="o")
    tables.prepare(shape)
    tables.commit([_change(("x", 1, "x1"), ("x", 2, "x2"), ("y", 1, "y1"), shape=shape)])
    assert sorted(tables.load(shape, [("x", 2), ("y", 1), ("y", 2)])) == [("x", 2, "x2"), ("y", 1, "y1")]


def test_a_table_of_another_fingerprint_begins_anew():
    tables = SqliteTables(MEMORY, origin="o")
    tables.prepare(SHAPE)
    tables.commit([_change(("a", 1, None))])
    changed = Shape("things", (Column("id", Kept.TEXT),), ("id",), b"two")
    assert tables.prepare(changed)
    assert tables.mark(changed) == Mark()
    assert tables.mark(SHAPE) is None
    assert not tables.commit([_change(("a", 1, None), seen=Mark(1, b"x"), reached=Mark(2, b"y"))])
    with pytest.raises(Busy, match="things is being built anew"):
        tables.select(SHAPE, ALL)


def test_a_dropped_table_is_gone_and_dropping_it_again_is_no_mistake():
    tables = SqliteTables(MEMORY, origin="o")
    tables.prepare(SHAPE)
    tables.drop("things")
    tables.drop("things")
    assert tables.marks() == {}


def _shares(tables: SqliteTables, *cuts: Cut, worker: str = "", seconds: float = 60) -> list[Share]:
    assert tables.recut("things", tables.shares(SHAPE), cuts, worker=worker, seconds=seconds)
    return tables.shares(SHAPE)


def _places(shares: list[Share]) -> list[tuple[str, str, int]]:
    return [(str(share.slices), share.owner, share.epoch) for share in shares]


def test_a_new_table_has_one_share_that_nobody_holds(tables: SqliteTables):
    assert tables.shares(SHAPE) == [Share(ALL_SLICES, Mark())]
    assert tables.shares(Shape("things", SHAPE.columns, SHAPE.key, b"another")) == []


def test_a_share_is_taken_split_merged_and_given_up_each_time_under_another_epoch(tables: SqliteTables):
    tables.commit([_change()])
    (taken,) = _shares(tables, Cut(ALL_SLICES, "w"), worker="w")
    assert (taken.mark, taken.owner, taken.epoch, taken.held) == (Mark(1, b"x"), "w", 1, True)
    assert 50 < taken.left <= 60
    halves = _shares(tables, Cut(Slices(0, 511), "w"), Cut(Slices(512, 1023)), worker="w")
    assert _places(halves) == [("0-511", "w", 2), ("512-1023", "", 2)]
    assert [share.mark for share in halves] == [Mark(1, b"x")] * 2
    assert [share.held for share in halves] == [True, False]
    assert _places(_shares(tables, Cut(ALL_SLICES), worker="w")) == [("0-1023", "", 3)]


def test_only_neighbours_at_one_mark_that_are_as_they_were_seen_can_be_changed(tables: SqliteTables):
    low, high = seen = _shares(tables, Cut(Slices(0, 511)), Cut(Slices(512, 1023)))
    for shares, cuts in [
        ([high, low], [Cut(ALL_SLICES)]),
        ([low], [Cut(Slices(0, 500))]),
        ([low, high], [Cut(Slices(0, 5)), Cut(Slices(7, 1023))]),
        ([], []),
    ]:
        with pytest.raises(Invalid, match="expected neighbouring shares and cuts of the same slices"):
            tables.recut("things", shares, cuts, worker="w", seconds=60)
    change = Change(SHAPE, [], Mark(), Mark(1, b"x"), low.slices, low.epoch)
    assert tables.commit([change])
    assert not tables.recut("things", seen, [Cut(ALL_SLICES)], worker="w", seconds=60)
    assert tables.mark(SHAPE) == Mark()
    assert tables.commit([Change(SHAPE, [], Mark(), Mark(1, b"x"), high.slices, high.epoch)])
    assert tables.mark(SHAPE) == Mark(1, b"x")
    assert tables.recut("things", seen, [Cut(ALL_SLICES)], worker="w", seconds=60)
    assert not tables.recut("things", seen, [Cut(ALL_SLICES)], worker="w", seconds=60)


def test_what_another_holds_is_taken_only_when_their_lease_has_run_out(tables: SqliteTables):
    held = _shares(tables, Cut(ALL_SLICES, "one"), worker="one")
    assert not tables.recut("things", held, [Cut(ALL_SLICES, "other")], worker="other", seconds=60)
    tables.keep("one", followers=["things"], seconds=0)
    assert not tables.shares(SHAPE)[0].held
    assert tables.recut("things", held, [Cut(ALL_SLICES, "other")], worker="other", seconds=60)


def test_a_commit_must_know_the_epoch_the_slices_and_the_owner(tables: SqliteTables):
    (share,) = _shares(tables, Cut(ALL_SLICES, "w"), worker="w")

    def change(**facts: Any) -> list[Change]:
        right = {"slices": ALL_SLICES, "epoch": share.epoch, "owner": "w", "seen": Mark()} | facts
        return [Change(SHAPE, [("a", 1, None)], reached=Mark(1, b"x"), **right)]

    for wrong in ({"epoch": 0}, {"slices": Slices(0, 511)}, {"owner": ""}, {"owner": "v"}, {"seen": Mark(1, b"x")}):
        assert not tables.commit(change(**wrong)), wrong
    assert tables.count(SHAPE, []) == 0
    assert tables.commit(change())


def test_who_is_alive_is_known_until_their_time_is_over_or_they_leave(tables: SqliteTables):
    assert tables.keep("b", followers=["things"], seconds=60) == {"things": ("b",)}
    assert tables.keep("a", followers=["things", "others"], seconds=60) == {"things": ("a", "b"), "others": ("a",)}
    _shares(tables, Cut(Slices(0, 9), "a"), Cut(Slices(10, 1023), "b"), worker="a")
    tables.leave("b")
    assert _places(tables.shares(SHAPE)) == [("0-9", "a", 1), ("10-1023", "", 2)]
    tables.keep("a", followers=["things"], seconds=0)
    assert tables.keep("c", followers=["things"], seconds=60) == {"things": ("c",)}


def test_a_table_begun_anew_has_one_share_under_an_epoch_that_none_had(tables: SqliteTables):
    _shares(tables, Cut(Slices(0, 511), "w"), Cut(Slices(512, 1023), "w"), worker="w")
    tables.renew(SHAPE)
    assert tables.shares(SHAPE) == [Share(ALL_SLICES, Mark(), 2)]


def test_work_in_the_transaction_stands_or_falls_with_it(tables: SqliteTables):
    def note(connection: apsw.Connection) -> None:
        connection.execute("CREATE TABLE notes (text)")

    def fail(connection: apsw.Connection) -> None:
        connection.execute("CREATE TABLE others (text)")
        raise KeyError("a bug")

    shape = Shape("own", (), (), b"1")
    assert tables.prepare(shape, note)
    assert not tables.prepare(shape, fail)
    moved = Change(shape, [], Mark(), Mark(1, b"x"), work=fail)
    with pytest.raises(KeyError, match="a bug"):
        tables.commit([_change(("a", 1, None)), moved])
    assert tables.marks() == {"things": Mark(), "own": Mark()}
    assert tables.commit([Change(shape, [], Mark(), Mark(1, b"x"), work=lambda db: db.execute("DROP TABLE notes"))])


def test_a_file_of_the_first_layout_keeps_its_rows_and_marks(path: Path):
    with apsw.Connection(str(path)) as connection:
        connection.execute(text_of("sqlite/tables_0001.sql"))
        connection.execute(f"PRAGMA application_id = {READ_DATABASE.mark}; PRAGMA user_version = 1")
        connection.execute("INSERT INTO actum_views VALUES ('things', ?, 7, ?)", (SHAPE.fingerprint, b"seven"))
        connection.execute(create(SHAPE))
        connection.execute("INSERT INTO things VALUES ('a', 1, NULL)")
    tables = SqliteTables(path, origin="o")
    assert not tables.prepare(SHAPE)
    assert tables.shares(SHAPE) == [Share(ALL_SLICES, Mark(7, b"seven"))]
    assert tables.commit([_change(("b", 2, None), seen=Mark(7, b"seven"), reached=Mark(8, b"y"))])
    assert tables.count(SHAPE, []) == 2
    tables.close()


@pytest.mark.parametrize(
    "row", [("a", 2**63, None), ("a", "text", None), (None, 1, None), ("\ud800", 1, None), ("a", 1, {})]
)
def test_a_row_that_does_not_fit_is_refused_and_nothing_is_written(row: Any):
    tables = SqliteTables(MEMORY, origin="o")
    tables.prepare(SHAPE)
    with pytest.raises(Invalid, match="cannot be kept"):
        tables.commit([_change(("good", 1, None), row)])
    assert tables.select(SHAPE, ALL) == []
    assert tables.mark(SHAPE) == Mark()


def test_a_file_that_is_something_else_is_left_alone(path: Path):
    path.write_bytes(b"my diary, not yours" * 100)
    with pytest.raises(NotAJournal, match="not an SQLite file"):
        SqliteTables(path, origin="o")
    assert path.read_bytes() == b"my diary, not yours" * 100


def test_an_sqlite_file_of_somebody_else_is_left_alone(path: Path):
    with apsw.Connection(str(path)) as connection:
        connection.execute("CREATE TABLE diary (day)")
    with pytest.raises(NotAJournal, match="no read database of actum"):
        SqliteTables(path, origin="o")


def test_the_read_database_of_another_journal_is_refused(path: Path):
    SqliteTables(path, origin="one").close()
    with pytest.raises(NotAJournal, match=r"derived from another journal .expected two, found one.; delete it"):
        SqliteTables(path, origin="two")


def test_a_file_from_a_newer_actum_is_refused(path: Path):
    SqliteTables(path, origin="o").close()
    with apsw.Connection(str(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerSchema, match=r"layout 99.*upgrade actum"):
        SqliteTables(path, origin="o")


def test_a_damaged_file_is_said_to_be_damaged(path: Path):
    tables = SqliteTables(path, origin="o")
    tables.prepare(SHAPE)
    tables.commit([_change(*[(f"{number:05}" * 20, number, None) for number in range(2000)])])
    tables.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(Corrupted, match="is damaged"):
        SqliteTables(path, origin="o").select(SHAPE, ALL)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(Unavailable, match="there is no folder"):
        SqliteTables(tmp_path / "no" / "views.db", origin="o")


def test_a_file_that_another_program_keeps_locked_is_busy(path: Path):
    tables = SqliteTables(path, origin="o", timeout=0.01)
    tables.prepare(SHAPE)
    with apsw.Connection(str(path)) as other:
        other.execute("PRAGMA user_version")
        holding = apsw.Connection(str(path))
        holding.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy, match="locked"):
            tables.commit([_change(("a", 1, None))])
        assert tables.select(SHAPE, ALL) == []
        holding.execute("ROLLBACK")
        holding.close()
    assert tables.commit([_change(("a", 1, None))])
    tables.close()


def test_what_is_closed_stays_closed(path: Path):
    tables = SqliteTables(path, origin="o")
    tables.close()
    tables.close()
    with pytest.raises(Unavailable, match="closed"):
        tables.marks()


def test_readers_in_many_threads_see_whole_commits_while_one_writes(path: Path):
    tables = SqliteTables(path, origin="o")
    tables.prepare(SHAPE)
    tables.commit([_change(("a", 0, None), ("b", 0, None))])
    torn: list[Any] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            rows = tables.select(SHAPE, ALL)
            if rows[0][1] != rows[1][1]:
                torn.append(rows)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    seen = Mark(1, b"x")
    for number in range(2, 300):
        reached = Mark(number, b"x")
        assert tables.commit([_change(("a", number, None), ("b", number, None), seen=seen, reached=reached)])
        seen = reached
    over.set()
    for reader in readers:
        reader.join()
    assert torn == []
    tables.close()


def test_a_file_deleted_by_somebody_is_made_anew(path: Path):
    tables = SqliteTables(path, origin="o")
    tables.prepare(SHAPE)
    tables.commit([_change(("a", 1, None))])
    assert tables.select(SHAPE, ALL) == [("a", 1, None)]
    os.unlink(path)  # noqa: PTH108
    assert tables.mark(SHAPE) is None
    with pytest.raises(Busy, match="built anew"):
        tables.select(SHAPE, ALL)
    assert tables.prepare(SHAPE)
    assert tables.select(SHAPE, ALL) == []
    tables.close()
    assert path.exists()


def test_every_error_is_one_of_ours(path: Path):
    path.mkdir()
    with pytest.raises(ActumError):
        SqliteTables(path, origin="o")


# Several tables of one name.

ONE = Shape("things_1", SHAPE.columns, SHAPE.key, b"one", name="things")
TWO = Shape("things_2", (*SHAPE.columns, Column("more", Kept.TEXT, optional=True)), SHAPE.key, b"two", "things", 2)


def _two_tables(path: Path | str) -> SqliteTables:
    tables = SqliteTables(path, origin="o")
    for shape, row in ((ONE, ("a", 1, None)), (TWO, ("a", 2, None, "more"))):
        assert tables.prepare(shape)
        assert tables.commit([_change(row, shape=shape)])
    return tables


def _by_name(tables: SqliteTables) -> list[tuple[Any, ...]]:
    with tables.reading() as connection:
        return connection.execute("SELECT * FROM things").fetchall()


@pytest.fixture(params=[MEMORY, "file"])
def two(request: pytest.FixtureRequest, path: Path) -> Iterator[SqliteTables]:
    tables = _two_tables(path if request.param == "file" else MEMORY)
    yield tables
    tables.close()


def test_the_first_table_of_a_name_is_live_and_the_next_ones_are_candidates(two: SqliteTables):
    at = Mark(1, b"x")
    assert two.tables() == [Standing(ONE, at, Role.LIVE), Standing(TWO, at, Role.CANDIDATE)]
    assert _by_name(two) == [("a", 1, None)]


def test_another_table_takes_the_name_and_gives_it_back(two: SqliteTables):
    assert two.point(TWO, instead_of=ONE, until=1, aside=Role.KEPT)
    assert [each.role for each in two.tables()] == [Role.KEPT, Role.LIVE]
    assert _by_name(two) == [("a", 2, None, "more")]
    assert two.select(ONE, ALL) == [("a", 1, None)]
    assert two.point(ONE, instead_of=TWO, until=1, aside=Role.CANDIDATE)
    assert [each.role for each in two.tables()] == [Role.LIVE, Role.CANDIDATE]
    assert _by_name(two) == [("a", 1, None)]


def test_a_table_takes_the_name_only_from_the_one_that_was_seen_and_no_further_than_it_was_seen(two: SqliteTables):
    before = two.tables()
    gone = Shape("things_3", SHAPE.columns, SHAPE.key, b"three", name="things")
    assert not two.point(TWO, instead_of=ONE, until=0, aside=Role.KEPT)
    assert not two.point(ONE, instead_of=TWO, until=9, aside=Role.KEPT)
    assert not two.point(gone, instead_of=ONE, until=9, aside=Role.KEPT)
    assert two.tables() == before
    assert _by_name(two) == [("a", 1, None)]


def test_a_table_that_begins_anew_keeps_its_place(two: SqliteTables):
    two.renew(ONE)
    two.renew(TWO)
    assert two.tables() == [Standing(ONE, Mark(), Role.LIVE), Standing(TWO, Mark(), Role.CANDIDATE)]
    assert _by_name(two) == []


def test_a_dropped_live_table_takes_its_name_along(two: SqliteTables):
    two.drop("things_1")
    with pytest.raises(apsw.SQLError, match="no such table"):
        _by_name(two)
    assert two.prepare(ONE)
    assert _by_name(two) == []
    two.drop("things_2")
    assert two.tables() == [Standing(ONE, Mark(), Role.LIVE)]


def test_a_snapshot_stays_as_it_is_whatever_is_written(path: Path):
    tables = _two_tables(path)
    with tables.snapshot() as still:
        assert tables.commit([_change(("a", 9, None), seen=Mark(1, b"x"), reached=Mark(2, b"y"), shape=ONE)])
        assert tables.point(TWO, instead_of=ONE, until=2, aside=Role.KEPT)
        assert still.select(ONE, ALL) == [("a", 1, None)]
        assert still.tables()[0] == Standing(ONE, Mark(1, b"x"), Role.LIVE)
    with tables.snapshot() as still:
        assert still.select(ONE, ALL) == [("a", 9, None)]
    tables.close()


def test_writers_in_other_threads_wait_for_a_snapshot_in_memory():
    tables = _two_tables(MEMORY)
    change = _change(("a", 9, None), seen=Mark(1, b"x"), reached=Mark(2, b"y"), shape=ONE)
    writing = threading.Thread(target=tables.commit, args=([change],))
    with tables.snapshot() as still:
        writing.start()
        writing.join(0.05)
        assert writing.is_alive()
        assert still.select(ONE, ALL) == [("a", 1, None)]
    writing.join()
    assert tables.select(ONE, ALL) == [("a", 9, None)]


def test_a_table_from_before_names_gives_its_name_to_a_new_one(path: Path):
    old = Layout(READ_DATABASE.mark, READ_DATABASE.what, ("sqlite/tables_0001.sql",))
    connection = apsw.Connection(str(path))
    old.bring_up_to_date(connection, path)
    with connection:
        connection.execute("CREATE TABLE things (id TEXT); INSERT INTO things VALUES ('old')")
        connection.execute("INSERT INTO actum_views VALUES ('things', x'00', 7, x'01')")
    connection.close()
    tables = SqliteTables(path, origin="o")
    assert tables.tables() == []
    assert tables.prepare(ONE)
    assert tables.tables() == [Standing(ONE, Mark(), Role.LIVE)]
    assert _by_name(tables) == []
    tables.close()

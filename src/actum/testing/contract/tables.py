"""The contract of a read database: rows by key and how far they have come, in one step; found, sorted and paged alike
in all of them, to the last character.
"""

from __future__ import annotations

import threading
from decimal import Decimal
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import pytest

from actum.journal.errors import Busy, Invalid, NotAJournal, Unavailable
from actum.journal.readmodel import (
    Change,
    Column,
    Filter,
    Kept,
    Mark,
    Order,
    Role,
    Selection,
    Shape,
    Standing,
)
from actum.testing.contract.leases import LeaseCases, ParkingCases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from actum.journal.readmodel import ReadDatabase, Row

THINGS = Shape(
    "things",
    (Column("id", Kept.TEXT), Column("select", Kept.INTEGER), Column("size", Kept.AMOUNT, optional=True)),
    ("id",),
    b"one",
)
ALL = Selection(orders=(Order("id"),))

EVERY_KIND = Shape(
    "kinds",
    (
        Column("id", Kept.TEXT),
        Column("number", Kept.INTEGER),
        Column("text", Kept.TEXT, optional=True),
        Column("whole", Kept.INTEGER, optional=True),
        Column("real", Kept.REAL, optional=True),
        Column("amount", Kept.AMOUNT, optional=True),
    ),
    ("id", "number"),
    b"kinds",
    indexed=("text", "whole", "real"),
)

TEXTS = (
    "", " ", "a", "A", "a b", "ab", "B", "b", "é", "e\u0301", "ß", "ss", "Z", "z", "Å", "日本", "\U0001f600", "\uffff",
    "10", "9", "_", "%", "a%", "'", '"', "\\", "\n", "\x7f", "\x01", "\x00", "a\x00", "a\x01", "a\x00b", "a\x01b",
    "\x00\x01", "\x01\x00", "\x01\x02", "\x01\x01",
)  # fmt: skip
WHOLE = (0, 1, -1, 7, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, -(2**63))
REAL = (0.0, 1.0, -1.0, 0.1, 1e-300, -1e300, 5e-324, 1.7976931348623157e308, 2.0**53)
AMOUNTS = (
    "0", "0.0", "0.00", "-0.00", "0E+3", "1", "1.0", "1.00", "-1", "1.50", "1E+3", "1000", "1.000E+3", "-1E+2", "0.1", "1E-7",
    "1.0E-7", "0E-10", "0.000001", "-0.000001", "9007199254740993", "9007199254740993.0", "9007199254740992.99",
    "123456789012345678901234567890.123456789", "-123456789012345678901234567890.123456788", "1E-300", "1E+300",
    "1E+1000", "-1E-1000", "9" * 1000, "-0." + "1" * 1000,
)  # fmt: skip


def change(*rows: Any, seen: Mark = Mark(), reached: Mark = Mark(1, b"x"), shape: Shape = THINGS) -> Change:  # noqa: B008
    """Some rows and a step, from the beginning to the first event unless it is said."""
    return Change(shape, rows, seen, reached)


class TablesOpener(Protocol):
    """Opens one read database."""

    def __call__(self, *, origin: str) -> ReadDatabase: ...


class ReadDatabaseContract(LeaseCases, ParkingCases):
    """What every `ReadDatabase` promises, as tests. Subclass it and say how it is opened.

    `DurableTablesContract` is for those that outlive the process, and may be open several times at once.
    """

    def opener(self, folder: Path) -> TablesOpener:
        """How to open the read database that belongs to `folder`; an empty one at first. To be said by its tests."""
        raise NotImplementedError(f"{type(self).__name__} must say how it is opened: opener(self, folder)")

    @pytest.fixture
    def open_tables(self, tmp_path: Path) -> TablesOpener:
        """How this test opens its read database."""
        return self.opener(tmp_path)

    @pytest.fixture
    def tables(self, open_tables: TablesOpener) -> Iterator[ReadDatabase]:
        """An empty read database, open."""
        opened = open_tables(origin="o")
        yield opened
        opened.close()

    # Rows and checkpoints.

    def test_a_new_table_is_empty_and_at_the_beginning(self, tables: ReadDatabase) -> None:
        assert tables.mark(THINGS) is None
        assert tables.prepare(THINGS)
        assert not tables.prepare(THINGS)
        assert tables.mark(THINGS) == Mark()
        assert tables.marks() == {"things": Mark()}
        assert tables.select(THINGS, ALL) == []
        assert tables.load(THINGS, [("a",)]) == []
        assert tables.load(THINGS, []) == []
        assert tables.count(THINGS, []) == 0

    def test_rows_and_checkpoint_move_together(self, tables: ReadDatabase) -> None:
        tables.prepare(THINGS)
        assert tables.commit([change(("a", 1, "1.50"), ("b", 2, None))])
        assert tables.mark(THINGS) == Mark(1, b"x")
        assert tables.select(THINGS, ALL) == [("a", 1, "1.50"), ("b", 2, None)]
        assert tables.commit([change(seen=Mark(1, b"x"), reached=Mark(7, b"\x00\xff"))])
        assert tables.marks() == {"things": Mark(7, b"\x00\xff")}

    def test_a_commit_from_a_checkpoint_that_has_moved_changes_nothing(self, tables: ReadDatabase) -> None:
        other = Shape("others", THINGS.columns, THINGS.key, b"two")
        tables.prepare(THINGS)
        tables.prepare(other)
        assert tables.commit([change(("a", 1, None))])
        assert not tables.commit([change(("z", 9, None), shape=other), change(("a", 2, None))])
        assert not tables.commit([change(("a", 2, None), seen=Mark(1, b"y"), reached=Mark(2, b"y"))])
        assert tables.select(THINGS, ALL) == [("a", 1, None)]
        assert tables.select(other, ALL) == []
        assert tables.mark(other) == Mark()

    def test_a_row_written_again_replaces_the_old_one_however_many_there_are(self, tables: ReadDatabase) -> None:
        tables.prepare(THINGS)
        rows = [(f"{number:05}", number, None) for number in range(2345)]
        assert tables.commit([change(*rows)])
        again = [(id, number + 1, "1") for id, number, _ in rows]
        assert tables.commit([change(*again, seen=Mark(1, b"x"), reached=Mark(2, b"y"))])
        found = tables.load(THINGS, [(id,) for id, _, _ in rows])
        assert sorted(found) == again
        assert tables.count(THINGS, [Filter("select", "<=", 100)]) == 100
        assert [tables.count(THINGS, [Filter("select", "<=", 100)], most=most) for most in (99, 100, 101)] == [
            99,
            100,
            100,
        ]

    def test_of_a_row_that_is_written_twice_at_once_the_last_stays(self, tables: ReadDatabase) -> None:
        tables.prepare(THINGS)
        assert tables.commit([change(("a", 1, None), ("b", 1, None), ("a", 2, "2"))])
        assert tables.select(THINGS, ALL) == [("a", 2, "2"), ("b", 1, None)]

    def test_many_large_rows_are_written_at_once(self, tables: ReadDatabase) -> None:
        shape = Shape("letters", (Column("id", Kept.INTEGER), Column("text", Kept.TEXT)), ("id",), b"letters")
        tables.prepare(shape)
        rows = [(number, f"{number} " * 1000) for number in range(4000)]
        assert tables.commit([change(*rows, shape=shape)])
        assert tables.count(shape, []) == 4000
        assert tables.load(shape, [(3999,)]) == rows[-1:]

    def test_a_key_of_several_columns_finds_its_row(self, tables: ReadDatabase) -> None:
        columns = (Column("a", Kept.TEXT), Column("b", Kept.INTEGER), Column("c", Kept.TEXT))
        shape = Shape("pairs", columns, ("a", "b"), b"1")
        tables.prepare(shape)
        tables.commit([change(("x", 1, "x1"), ("x", 2, "x2"), ("y", 1, "y1"), shape=shape)])
        assert sorted(tables.load(shape, [("x", 2), ("y", 1), ("y", 2)])) == [("x", 2, "x2"), ("y", 1, "y1")]

    def test_rows_that_are_taken_away_go_with_the_checkpoint_and_others_stay(self, tables: ReadDatabase) -> None:
        kinds = {row[:2]: row for row in (random_row(Random(at)) for at in range(40))}
        tables.prepare(EVERY_KIND)
        assert tables.commit([change(*kinds.values(), shape=EVERY_KIND)])
        gone = [*list(kinds)[::2], ("not there", 7)]
        mark = tables.mark(EVERY_KIND)
        assert mark is not None
        foiled = Change(EVERY_KIND, (), Mark(9, b"other"), mark, removed=gone)
        assert not tables.commit([foiled])
        assert tables.count(EVERY_KIND, ()) == len(kinds)
        assert tables.commit([Change(EVERY_KIND, (), mark, mark, removed=gone)])
        assert sorted(row[:2] for row in tables.load(EVERY_KIND, list(kinds))) == sorted(list(kinds)[1::2])

    def test_a_table_whose_key_is_all_it_has_is_a_set(self, tables: ReadDatabase) -> None:
        shape = Shape("set", (Column("id", Kept.TEXT),), ("id",), b"1")
        tables.prepare(shape)
        assert tables.commit([change(("a",), ("b",), shape=shape)])
        assert tables.commit([change(("a",), seen=Mark(1, b"x"), reached=Mark(2, b"y"), shape=shape)])
        assert tables.select(shape, ALL) == [("a",), ("b",)]

    def test_a_table_of_another_fingerprint_begins_anew(self, tables: ReadDatabase) -> None:
        tables.prepare(THINGS)
        tables.commit([change(("a", 1, None))])
        for _ in range(9):  # often enough that a statement for it is kept ready
            assert tables.select(THINGS, ALL) == [("a", 1, None)]
        changed = Shape("things", (Column("id", Kept.TEXT), Column("select", Kept.TEXT)), ("id",), b"two")
        assert tables.prepare(changed)
        assert tables.mark(changed) == Mark()
        assert tables.mark(THINGS) is None
        assert not tables.commit([change(("a", 1, None), seen=Mark(1, b"x"), reached=Mark(2, b"y"))])
        with pytest.raises(Busy, match="things is being built anew"):
            tables.select(THINGS, ALL)
        (share,) = tables.shares(changed)
        first = msgspec.structs.replace(change(("a", "text"), shape=changed), epoch=share.epoch)
        assert tables.commit([first])
        assert tables.select(changed, ALL) == [("a", "text")]

    def test_a_renewed_table_is_empty_and_at_the_beginning(self, tables: ReadDatabase) -> None:
        tables.prepare(THINGS)
        tables.commit([change(("a", 1, None))])
        tables.renew(THINGS)
        assert tables.mark(THINGS) == Mark()
        assert tables.select(THINGS, ALL) == []

    def test_a_dropped_table_is_gone_and_dropping_it_again_is_no_mistake(self, tables: ReadDatabase) -> None:
        tables.prepare(THINGS)
        tables.drop("things")
        tables.drop("things")
        assert tables.marks() == {}
        with pytest.raises(Busy, match="things is being built anew"):
            tables.select(THINGS, ALL)

    @pytest.mark.parametrize(
        "row", [("a", 2**63, None), ("a", "text", None), (None, 1, None), ("\ud800", 1, None), ("a", 1, {})]
    )
    def test_a_row_that_does_not_fit_is_refused_and_nothing_is_written(self, tables: ReadDatabase, row: Any) -> None:
        tables.prepare(THINGS)
        with pytest.raises(Invalid, match="cannot be kept"):
            tables.commit([change(("good", 1, None), row)])
        assert tables.select(THINGS, ALL) == []
        assert tables.mark(THINGS) == Mark()

    def test_what_is_closed_stays_closed(self, tables: ReadDatabase) -> None:
        tables.close()
        tables.close()
        with pytest.raises(Unavailable, match="closed"):
            tables.marks()

    # Cells.

    def test_every_cell_comes_back_as_it_was_written(self, tables: ReadDatabase) -> None:
        cells: list[tuple[str, Sequence[Any]]] = [
            ("text", TEXTS),
            ("whole", WHOLE),
            ("real", REAL),
            ("amount", AMOUNTS),
        ]
        tables.prepare(EVERY_KIND)
        rows = [_only(name, value, number) for name, values in cells for number, value in enumerate(values)]
        rows += [(text, number, None, None, None, None) for number, text in enumerate(TEXTS, 100)]
        assert tables.commit([change(*rows, shape=EVERY_KIND)])
        found = tables.load(EVERY_KIND, [row[:2] for row in rows])
        assert sorted(map(repr, found)) == sorted(map(repr, rows))

    def test_a_nought_has_no_sign_where_it_floats(self, tables: ReadDatabase) -> None:
        tables.prepare(EVERY_KIND)
        tables.commit([change(_only("real", -0.0, 1), shape=EVERY_KIND)])
        ((*_, real, _),) = tables.load(EVERY_KIND, [("real", 1)])
        assert repr(real) == "0.0"

    # Questions, beside a model of them.

    def test_every_question_is_answered_as_the_model_answers_it(self, tables: ReadDatabase, seed: int) -> None:
        random = Random(seed)
        tables.prepare(EVERY_KIND)
        stored = {(row[0], row[1]): row for row in (random_row(random) for _ in range(150))}
        tables.commit([change(*stored.values(), shape=EVERY_KIND)])
        for _ in range(150):
            filters = tuple(random_filter(random) for _ in range(random.choice((0, 1, 1, 2))))
            orders = random_orders(random)
            expected = answer(list(stored.values()), filters, orders)
            question = Selection(filters, orders, limit=1000)
            assert tables.select(EVERY_KIND, question) == expected, question
            assert tables.count(EVERY_KIND, filters) == len(expected), question
            assert pages(tables, question, size=random.choice((1, 7, 50))) == expected, question

    # Several tables of one name.

    def test_the_first_table_of_a_name_is_live_and_the_next_ones_are_candidates(self, tables: ReadDatabase) -> None:
        have_two(tables)
        at = Mark(1, b"x")
        assert tables.tables() == [Standing(ONE, at, Role.LIVE), Standing(TWO, at, Role.CANDIDATE)]

    def test_another_table_takes_the_name_and_gives_it_back(self, tables: ReadDatabase) -> None:
        have_two(tables)
        assert tables.point(TWO, instead_of=ONE, until=1, aside=Role.KEPT)
        assert [each.role for each in tables.tables()] == [Role.KEPT, Role.LIVE]
        assert tables.select(ONE, ALL) == [("a", 1, None)]
        assert tables.point(ONE, instead_of=TWO, until=1, aside=Role.TAKEN_BACK)
        assert [each.role for each in tables.tables()] == [Role.LIVE, Role.TAKEN_BACK]

    def test_a_table_takes_the_name_only_from_the_one_that_was_seen_and_no_further_than_it_was_seen(
        self, tables: ReadDatabase
    ) -> None:
        have_two(tables)
        before = tables.tables()
        gone = Shape("things_3", THINGS.columns, THINGS.key, b"three", name="things")
        assert not tables.point(TWO, instead_of=ONE, until=0, aside=Role.KEPT)
        assert not tables.point(ONE, instead_of=TWO, until=9, aside=Role.KEPT)
        assert not tables.point(gone, instead_of=ONE, until=9, aside=Role.KEPT)
        assert tables.tables() == before

    def test_a_table_that_begins_anew_keeps_its_place(self, tables: ReadDatabase) -> None:
        have_two(tables)
        tables.renew(ONE)
        tables.renew(TWO)
        assert tables.tables() == [Standing(ONE, Mark(), Role.LIVE), Standing(TWO, Mark(), Role.CANDIDATE)]

    def test_a_dropped_live_table_leaves_its_name_to_the_next_new_one(self, tables: ReadDatabase) -> None:
        have_two(tables)
        tables.drop("things_1")
        assert tables.tables() == [Standing(TWO, Mark(1, b"x"), Role.CANDIDATE)]
        assert tables.prepare(ONE)
        assert tables.tables()[0] == Standing(ONE, Mark(), Role.LIVE)

    def test_a_snapshot_tells_of_rows_and_tables_alike(self, tables: ReadDatabase) -> None:
        have_two(tables)
        with tables.snapshot() as still:
            assert still.tables() == tables.tables()
            assert [still.shares(each) for each in (ONE, TWO)] == [tables.shares(each) for each in (ONE, TWO)]
            assert still.select(ONE, ALL) == [("a", 1, None)]


class DurableTablesContract(ReadDatabaseContract):
    """Add this where the read database outlives the process and may be open several times at once."""

    def test_rows_and_checkpoint_survive_closing(self, open_tables: TablesOpener) -> None:
        tables = open_tables(origin="o")
        tables.prepare(THINGS)
        assert tables.commit([change(("a", 1, "1.50"), ("b", 2, None))])
        tables.close()
        again = open_tables(origin="o")
        assert not again.prepare(THINGS)
        assert again.mark(THINGS) == Mark(1, b"x")
        assert again.select(THINGS, ALL) == [("a", 1, "1.50"), ("b", 2, None)]
        again.close()

    def test_the_read_database_of_another_journal_is_refused(self, open_tables: TablesOpener) -> None:
        open_tables(origin="one").close()
        with pytest.raises(NotAJournal, match=r"derived from another journal .expected two, found one."):
            open_tables(origin="two")

    def test_a_snapshot_stays_as_it_is_whatever_is_written(self, tables: ReadDatabase) -> None:
        have_two(tables)
        with tables.snapshot() as still:
            assert tables.commit([change(("a", 9, None), seen=Mark(1, b"x"), reached=Mark(2, b"y"), shape=ONE)])
            assert tables.point(TWO, instead_of=ONE, until=2, aside=Role.KEPT)
            assert still.select(ONE, ALL) == [("a", 1, None)]
            assert still.tables()[0] == Standing(ONE, Mark(1, b"x"), Role.LIVE)
        with tables.snapshot() as still:
            assert still.select(ONE, ALL) == [("a", 9, None)]

    def test_readers_in_many_threads_see_whole_commits_while_one_writes(self, tables: ReadDatabase) -> None:
        tables.prepare(THINGS)
        tables.commit([change(("a", 0, None), ("b", 0, None))])
        torn: list[Any] = []
        over = threading.Event()

        def read() -> None:
            while not over.is_set():
                rows = tables.select(THINGS, ALL)
                if rows[0][1] != rows[1][1]:
                    torn.append(rows)

        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        seen = Mark(1, b"x")
        for number in range(2, 200):
            reached = Mark(number, b"x")
            assert tables.commit([change(("a", number, None), ("b", number, None), seen=seen, reached=reached)])
            seen = reached
        over.set()
        for reader in readers:
            reader.join()
        assert torn == []

    def test_of_writers_who_saw_the_same_checkpoint_one_moves_it(self, open_tables: TablesOpener) -> None:
        """Two tables in either order: whoever waits for whom, nobody waits for ever."""
        handles = [open_tables(origin="o") for _ in range(4)]
        for shape in (ONE, TWO):
            handles[0].prepare(shape)
        counted = [threading.Thread(target=_count_to, args=(each, 25, at)) for at, each in enumerate(handles)]
        for thread in counted:
            thread.start()
        for thread in counted:
            thread.join()
        assert handles[0].select(ONE, ALL) == [("a", 100, None)]
        assert handles[0].select(TWO, ALL) == [("a", 100, None, None)]
        for handle in handles:
            handle.close()

    def test_a_table_that_several_make_at_once_is_made_once(self, open_tables: TablesOpener) -> None:
        handles = [open_tables(origin="o") for _ in range(4)]
        made: list[bool] = []

        def make(tables: ReadDatabase) -> None:
            made.append(tables.prepare(ONE))

        threads = [threading.Thread(target=make, args=(handle,)) for handle in handles]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(made) == [False, False, False, True]
        for handle in handles:
            handle.close()

    def test_a_read_database_that_several_make_at_once_is_made_once(self, open_tables: TablesOpener) -> None:
        opened: list[ReadDatabase] = []
        threads = [threading.Thread(target=lambda: opened.append(open_tables(origin="o"))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [each.marks() for each in opened] == [{}] * 4
        for each in opened:
            each.close()


def _count_to(tables: ReadDatabase, times: int, turn: int) -> None:
    """Add one to both counters, that many times, each time from where they stand."""
    shapes = (ONE, TWO) if turn % 2 else (TWO, ONE)
    done = 0
    while done < times:
        mark = tables.mark(ONE)
        assert mark is not None
        reached = Mark(mark.position + 1, b"%d" % mark.position)
        row: Row = ("a", reached.position, None)
        rows = {ONE.table: row, TWO.table: (*row, None)}
        done += tables.commit([change(rows[s.table], seen=mark, reached=reached, shape=s) for s in shapes])


ONE = Shape("things_1", THINGS.columns, THINGS.key, b"one", name="things")
TWO = Shape("things_2", (*THINGS.columns, Column("more", Kept.TEXT, optional=True)), THINGS.key, b"two", "things", 2)


def have_two(tables: ReadDatabase) -> None:
    """Two tables of one name, a row in each."""
    rows: tuple[tuple[Shape, Row], ...] = ((ONE, ("a", 1, None)), (TWO, ("a", 2, None, "more")))
    for shape, row in rows:
        assert tables.prepare(shape)
        assert tables.commit([change(row, shape=shape)])


# The model.


def _only(name: str, value: Any, number: int) -> Row:
    """A row with a value in one column."""
    cells = {"id": name, "number": number, name: value}
    return tuple(cells.get(column.name) for column in EVERY_KIND.columns)


def random_row(random: Random) -> Row:
    """A row of `EVERY_KIND`."""

    def some(values: Sequence[Any]) -> Any:
        return random.choice((None, random.choice(values), random.choice(values)))

    return (random.choice(TEXTS), random.randint(-3, 3), some(TEXTS), some(WHOLE), some(REAL), some(AMOUNTS))


_VALUES: dict[str, Sequence[Any]] = {
    "id": TEXTS,
    "number": range(-4, 5),
    "text": TEXTS,
    "whole": WHOLE,
    "real": REAL,
    "amount": AMOUNTS,
}


def random_filter(random: Random) -> Filter:
    """A demand on some column, by any operator."""
    column = random.choice(EVERY_KIND.columns)
    operators = ["=", "!=", "<", "<=", ">", ">=", "in"] + ["starts with"] * (column.kept is Kept.TEXT)
    operator: Any = random.choice(operators)
    values = _VALUES[column.name]
    if operator == "in":
        some = [random.choice([*values, None] if column.optional else values) for _ in range(random.randint(0, 4))]
        return Filter(column.name, operator, tuple(some))
    missing = column.optional and operator in ("=", "!=") and random.random() < 0.2
    return Filter(column.name, operator, None if missing else random.choice(values))


def random_orders(random: Random) -> tuple[Order, ...]:
    """Some columns in some order, and the key behind them."""
    names = random.sample(["text", "whole", "real", "amount"], random.randint(0, 2))
    names += [name for name in EVERY_KIND.key if name not in names]
    return tuple(Order(name, random.random() < 0.5) for name in names)


def answer(rows: Sequence[Row], filters: Sequence[Filter], orders: Sequence[Order]) -> list[Row]:
    """What a question means, in Python."""
    found = [row for row in rows if all(_holds(row, demand) for demand in filters)]
    for order in reversed(orders):
        found.sort(key=partial(_rank, order.column), reverse=order.descending)
    return found


def _cell(row: Row, name: str) -> Any:
    return row[[column.name for column in EVERY_KIND.columns].index(name)]


def _known(name: str, value: Any) -> Any:
    return Decimal(value) if EVERY_KIND.column(name).kept is Kept.AMOUNT and value is not None else value


def _rank(name: str, row: Row) -> tuple[Any, ...]:
    value = _cell(row, name)
    return (0,) if value is None else (1, _known(name, value))


def _holds(row: Row, demand: Filter) -> bool:
    name, wanted = demand.column, demand.value
    cell = _known(name, _cell(row, name))
    if isinstance(wanted, tuple):
        return cell in [_known(name, each) for each in wanted]
    value = _known(name, wanted)
    if demand.operator == "=":
        return bool(cell == value)
    if demand.operator == "!=":
        return bool(cell != value)
    if cell is None:
        return False
    if demand.operator == "starts with":
        return bool(cell.startswith(value))
    rules = {"<": cell < value, "<=": cell <= value, ">": cell > value, ">=": cell >= value}
    return bool(rules[demand.operator])


def pages(tables: ReadDatabase, question: Selection, *, size: int) -> list[Row]:
    """All rows, a page at a time, each behind the last row of the one before."""
    found: list[Row] = []
    after: Row | None = None
    while True:
        page = tables.select(EVERY_KIND, msgspec.structs.replace(question, after=after, limit=size))
        found += page
        if len(page) < size:
            return found
        after = tuple(_cell(page[-1], order.column) for order in question.orders)

"""The contract of rooms: the same statements lead elsewhere there, and what is in a room changes places with what is live."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from actum.journal.errors import Misdeclared
from actum.journal.event import LAST_POSITION
from actum.journal.readmodel import NTH, Change, Column, Kept, Mark, Parked, Role, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from actum.journal.readmodel import ReadDatabase, Row, Work

Reader: TypeAlias = "Callable[[str], AbstractContextManager[Callable[[], list[Row]]]]"
"""Asks a statement again and again, by a connection of somebody's own."""

BEFORE = Shape("flows", (), (), b"one")
AFTER = Shape("actum_flows_two_1", (), (), b"two", name="flows", version=2)
START, FIVE = Mark(), Mark(5, b"five")
BALANCES = Shape(
    "actum_balances_1", (Column("id", Kept.TEXT), Column("owner", Kept.TEXT)), ("id",), b"v", name="balances"
)


def statements(*texts: str) -> Work:
    """Does these, one after the other."""

    def work(db: Any) -> None:
        for text in texts:
            db.execute(text)

    return work


def make(columns: str = "times INTEGER", *more: str) -> Work:
    """Makes a table of flows with these columns, and what more is said."""
    return statements("DROP TABLE IF EXISTS flows", f"CREATE TABLE flows (source TEXT PRIMARY KEY, {columns})", *more)


def wrote(
    tables: ReadDatabase,
    shape: Shape,
    *texts: str,
    seen: Mark = START,
    reached: Mark = FIVE,
    parked: Sequence[Parked] = (),
) -> bool:
    """Whether the statements were done, and the checkpoint moved."""
    (share,) = tables.shares(shape)
    change = Change(shape, (), seen, reached, epoch=share.epoch, work=statements(*texts), parked=parked)
    return tables.commit([change])


def rows(tables: ReadDatabase, shape: Shape) -> dict[str, list[Row]]:
    """Everything in the tables that a follower has made."""
    with tables.snapshot() as still:
        return {made.table: list(still.rows_of(made)) for made in still.made(shape)}


class RoomCases:
    """What every `Rooms` promises."""

    def two(self, tables: ReadDatabase) -> ReadDatabase:
        """The live flows, as of position 5, and those of another definition in a room, as of position 6."""
        tables.prepare(BEFORE, make())
        assert wrote(tables, BEFORE, "INSERT INTO flows VALUES ('a', 1), ('b', 2)")
        room = tables.rooms.open(AFTER)
        assert room.prepare(AFTER, make("times INTEGER, note TEXT"))
        assert not tables.rooms.open(AFTER).prepare(AFTER, make())
        tables.rooms.claim(BEFORE, AFTER)
        assert wrote(room, AFTER, "INSERT INTO flows VALUES ('a', 1, 'x')", reached=Mark(6, b"six"))
        return room

    def test_the_same_statements_lead_elsewhere_in_a_room(self, tables: ReadDatabase) -> None:
        room = self.two(tables)
        assert rows(tables, BEFORE) == {"flows": [("a", 1), ("b", 2)]}
        assert rows(room, AFTER) == {"flows": [("a", 1, "x")]}
        assert room.mark(AFTER) == Mark(6, b"six")
        assert tables.mark(BEFORE) == Mark(5, b"five")
        assert [(each.shape, each.mark, each.role) for each in tables.rooms.standing("flows")] == [
            (AFTER, Mark(6, b"six"), Role.CANDIDATE)
        ]
        assert [each.shape for each in tables.tables()] == [BEFORE]

    def test_a_room_finds_the_rows_of_views_and_changes_nothing_outside(self, tables: ReadDatabase) -> None:
        tables.prepare(BALANCES)
        assert tables.commit([Change(BALANCES, [("a", "Ida")], Mark(), Mark(1, b"x"))])
        tables.prepare(Shape("fees", (), (), b"f"), statements("CREATE TABLE fees (id INTEGER PRIMARY KEY)"))
        room = self.two(tables)
        at = Mark(6, b"six")
        assert wrote(room, AFTER, "INSERT INTO flows SELECT owner, 7, id FROM balances", seen=at, reached=Mark(7, b"7"))
        for outside in ("DELETE FROM fees", "DROP TABLE fees", "INSERT INTO fees VALUES (1)"):
            with pytest.raises(Misdeclared, match=r"flows is built beside itself, and would change the table .*fees"):
                wrote(room, AFTER, "DELETE FROM flows", outside, seen=Mark(7, b"7"), reached=Mark(8, b"8"))
        assert rows(room, AFTER) == {"flows": [("Ida", 7, "a"), ("a", 1, "x")]}
        assert room.mark(AFTER) == Mark(7, b"7")

    def test_a_table_that_begin_leaves_where_it_is_still_belongs_to_the_projection(self, tables: ReadDatabase) -> None:
        begin = make("times INTEGER", "CREATE TABLE IF NOT EXISTS fees (n INTEGER)", "DELETE FROM fees")
        tables.prepare(BEFORE, begin)
        tables.renew(BEFORE, begin)
        assert rows(tables, BEFORE) == {"fees": [], "flows": []}
        tables.rooms.open(AFTER).prepare(AFTER, begin)
        tables.rooms.claim(BEFORE, AFTER)

    def test_whatever_it_is_called_it_comes_along(self, tables: ReadDatabase) -> None:
        both = ("CREATE TABLE flows (n INTEGER)", "CREATE TABLE actum_mine (n INTEGER)")
        tables.prepare(BEFORE, statements(*both))
        wrote(tables, BEFORE, "INSERT INTO actum_mine VALUES (1)")
        tables.rooms.open(AFTER).prepare(AFTER, statements(*both))
        wrote(tables.rooms.open(AFTER), AFTER, "INSERT INTO actum_mine VALUES (2)")
        tables.rooms.claim(BEFORE, AFTER)
        assert tables.rooms.swap(AFTER, instead_of=BEFORE, until=5, aside=Role.KEPT)
        assert rows(tables, AFTER) == {"actum_mine": [(2, 1)], "flows": []}
        assert rows(tables.rooms.open(BEFORE), BEFORE) == {"actum_mine": [(1, 1)], "flows": []}

    def test_an_index_called_like_that_of_somebody_else_is_refused_before_it_is_built(
        self, tables: ReadDatabase
    ) -> None:
        fees = statements("CREATE TABLE fees (n INTEGER)", "CREATE INDEX by_n ON fees (n)")
        tables.prepare(Shape("fees", (), (), b"f"), fees)
        tables.prepare(BEFORE, make("n INTEGER"))
        tables.rooms.open(AFTER).prepare(AFTER, make("n INTEGER", "CREATE INDEX by_n ON flows (n)"))
        with pytest.raises(
            Misdeclared, match="flows: its begin makes by_n, which is there and was made by somebody else"
        ):
            tables.rooms.claim(BEFORE, AFTER)

    def test_a_switch_has_tables_and_checkpoints_change_places_and_back(self, tables: ReadDatabase) -> None:
        self.two(tables)
        (share,) = tables.shares(BEFORE)
        assert tables.rooms.swap(AFTER, instead_of=BEFORE, until=6, aside=Role.KEPT)
        assert rows(tables, AFTER) == {"flows": [("a", 1, "x")]}
        assert tables.mark(AFTER) == Mark(6, b"six")
        assert tables.mark(BEFORE) is None
        assert [(each.shape, each.role) for each in tables.tables()] == [(AFTER, Role.LIVE)]
        (kept,) = tables.rooms.standing("flows")
        assert (kept.shape, kept.mark, kept.role) == (BEFORE, Mark(5, b"five"), Role.KEPT)
        assert rows(tables.rooms.open(BEFORE), BEFORE) == {"flows": [("a", 1), ("b", 2)]}
        assert tables.rooms.swap(BEFORE, instead_of=AFTER, until=LAST_POSITION, aside=Role.TAKEN_BACK)
        assert rows(tables, BEFORE) == {"flows": [("a", 1), ("b", 2)]}
        (again,) = tables.shares(BEFORE)
        assert again.mark == Mark(5, b"five")
        assert again.epoch > share.epoch
        assert [each.role for each in tables.rooms.standing("flows")] == [Role.TAKEN_BACK]

    def test_whoever_worked_on_what_was_live_writes_nothing_more(self, tables: ReadDatabase) -> None:
        self.two(tables)
        (share,) = tables.shares(BEFORE)
        late = statements("INSERT INTO flows (source) VALUES ('late')")
        assert tables.rooms.swap(AFTER, instead_of=BEFORE, until=6, aside=Role.KEPT)
        assert not tables.commit([Change(BEFORE, (), share.mark, Mark(9, b"9"), epoch=share.epoch, work=late)])
        assert rows(tables, AFTER) == {"flows": [("a", 1, "x")]}

    def test_nothing_is_switched_where_what_is_live_has_come_further(self, tables: ReadDatabase) -> None:
        self.two(tables)
        assert not tables.rooms.swap(AFTER, instead_of=BEFORE, until=4, aside=Role.KEPT)
        other = Shape("flows", (), (), b"another")
        assert not tables.rooms.swap(AFTER, instead_of=other, until=6, aside=Role.KEPT)
        assert rows(tables, BEFORE) == {"flows": [("a", 1), ("b", 2)]}
        assert [each.role for each in tables.rooms.standing("flows")] == [Role.CANDIDATE]

    def test_a_table_of_somebody_else_is_not_taken(self, tables: ReadDatabase) -> None:
        tables.prepare(Shape("fees", (), (), b"f"), statements("CREATE TABLE fees (id INTEGER PRIMARY KEY)"))
        tables.prepare(BEFORE, make())
        tables.rooms.open(AFTER).prepare(
            AFTER, statements("CREATE TABLE flows (id INTEGER)", "CREATE TABLE fees (id INTEGER)")
        )
        with pytest.raises(
            Misdeclared, match="flows: its begin makes fees, which is there and was made by somebody else"
        ):
            tables.rooms.claim(BEFORE, AFTER)

    def test_tables_of_before_anybody_noted_who_made_them_are_known_by_their_names(self, tables: ReadDatabase) -> None:
        tables.prepare(BEFORE)
        assert wrote(tables, BEFORE, "CREATE TABLE flows (source TEXT PRIMARY KEY)", "INSERT INTO flows VALUES ('old')")
        assert rows(tables, BEFORE) == {}
        tables.rooms.open(AFTER).prepare(AFTER, make())
        tables.rooms.claim(BEFORE, AFTER)
        assert rows(tables, BEFORE) == {"flows": [("old",)]}

    def test_rows_without_a_key_are_numbered_among_their_like(self, tables: ReadDatabase) -> None:
        tables.prepare(BEFORE, statements("CREATE TABLE moves (what TEXT, amount INTEGER)"))
        wrote(tables, BEFORE, "INSERT INTO moves VALUES ('b', 1), ('a', 2), ('b', 1), (NULL, NULL)")
        with tables.snapshot() as still:
            (made,) = still.made(BEFORE)
            assert made.key == ("what", "amount", NTH)
            assert list(still.rows_of(made)) == [(None, None, 1), ("a", 2, 1), ("b", 1, 1), ("b", 1, 2)]

    def test_what_belongs_to_tables_comes_along(self, tables: ReadDatabase) -> None:
        self.two(tables)
        room = tables.rooms.open(AFTER)
        more = ("CREATE INDEX by_note ON flows (note)", "CREATE VIEW busy AS SELECT source FROM flows WHERE times > 0")
        room.renew(AFTER, make("times INTEGER, note TEXT", *more))
        wrote(room, AFTER, "INSERT INTO flows VALUES ('z', 3, 'n')", reached=Mark(6, b"six"))
        assert tables.rooms.swap(AFTER, instead_of=BEFORE, until=6, aside=Role.KEPT)
        wrote(
            tables,
            AFTER,
            "DROP INDEX by_note",
            "CREATE TABLE seen AS SELECT source FROM busy",
            "INSERT INTO flows SELECT source || '!', 9, NULL FROM seen",
            seen=Mark(6, b"six"),
            reached=Mark(7, b"7"),
        )
        assert rows(tables, AFTER) == {"flows": [("z", 3, "n"), ("z!", 9, None)]}

    def test_what_is_put_aside_comes_along(self, tables: ReadDatabase) -> None:
        room = self.two(tables)
        one = Parked(key="k", position=3, event=b"e", error="ValueError: no", trace="line 1", attempts=3)
        assert wrote(room, AFTER, "SELECT 1", seen=Mark(6, b"six"), reached=Mark(6, b"six"), parked=[one])
        assert tables.rooms.swap(AFTER, instead_of=BEFORE, until=6, aside=Role.KEPT)
        assert tables.parked(AFTER) == [one]

    def test_a_room_that_is_dropped_is_gone(self, tables: ReadDatabase) -> None:
        self.two(tables)
        tables.rooms.drop(AFTER.table)
        assert tables.rooms.standing("flows") == []
        assert rows(tables, BEFORE) == {"flows": [("a", 1), ("b", 2)]}
        assert tables.rooms.open(AFTER).prepare(AFTER, make())
        assert tables.rooms.open(AFTER).mark(AFTER) == Mark()

    def test_a_passing_room_is_known_to_nobody(self, tables: ReadDatabase) -> None:
        tables.prepare(BEFORE, make())
        with tables.rooms.passing() as room:
            room.prepare(AFTER, make())
            wrote(room, AFTER, "INSERT INTO flows VALUES ('p', 1)")
            assert rows(room, AFTER) == {"flows": [("p", 1)]}
        assert tables.rooms.standing("flows") == []

    def test_whoever_reads_meanwhile_sees_the_one_or_the_other(self, tables: ReadDatabase, reader: Reader) -> None:
        """Two tables of one follower, read in one statement, are always of one definition."""
        both = ("CREATE TABLE flows (n INTEGER PRIMARY KEY)", "CREATE TABLE fees (n INTEGER PRIMARY KEY)")
        fill = [f"INSERT INTO {table} VALUES ({{n}})" for table in ("flows", "fees")]
        tables.prepare(BEFORE, statements(*both))
        wrote(tables, BEFORE, *[each.format(n=1) for each in fill])
        tables.rooms.open(AFTER).prepare(AFTER, statements(*both))
        wrote(tables.rooms.open(AFTER), AFTER, *[each.format(n=2) for each in fill])
        tables.rooms.claim(BEFORE, AFTER)
        over, torn, seen = threading.Event(), list[Any](), set[Any]()

        def read() -> None:
            with reader("SELECT (SELECT n FROM flows), (SELECT n FROM fees)") as look:
                while not over.is_set():
                    (row,) = look()
                    seen.add(row[0])
                    if row[0] != row[1]:
                        torn.append(row)

        readers = [threading.Thread(target=read) for _ in range(2)]
        for each in readers:
            each.start()
        pair = [AFTER, BEFORE]
        for _ in range(6):
            assert tables.rooms.swap(pair[0], instead_of=pair[1], until=LAST_POSITION, aside=Role.KEPT)
            pair.reverse()
        over.set()
        for each in readers:
            each.join()
        assert torn == []
        assert seen <= {1, 2}
        assert seen

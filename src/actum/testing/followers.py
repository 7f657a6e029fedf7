"""Hostile surroundings for whoever keeps views up, and the history that shows what came of it.

A read database is wrapped: it notes each move of a checkpoint in the transaction of the move, tries to do it twice, holds
it up, and kills its process between two steps. `faults_in` then says whether anything was done twice or left out, and
whether any slice had two owners in one epoch.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

import msgspec

from actum.journal.readmodel import Mark, Shape, Slices

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

    from actum.journal.readmodel import Change, ReadDatabase, Row, Work

MOVES = Shape("moves_on_record", (), (), b"1")
"""The table of moves, as a follower that keeps its table itself."""


class Point(Enum):
    """Between which two steps a process dies."""

    READ = "read"
    """Events were read, rows are not loaded."""
    FOLD = "fold"
    """Rows were folded, nothing is written."""
    CHECKPOINT = "checkpoint"
    """Rows and checkpoint are written, and not committed."""
    COMMIT = "commit"
    """Committed, and nobody has heard of it."""


class Move(msgspec.Struct, frozen=True):
    """A checkpoint that was moved: by whom, in which epoch, from where to where."""

    table: str
    slices: Slices
    epoch: int
    owner: str
    seen: Mark
    reached: Mark


class Hostile:
    """A read database in hostile surroundings. `dies` at that point, at the `after`-th time it is passed.

    `mark` is how the driver marks a value: `?` or `%s`. Every move is tried twice, which must fail; with `delay`, some are held up
    by as many seconds at the most.
    """

    def __init__(
        self,
        database: ReadDatabase,
        random: Random,
        *,
        mark: str = "?",
        dies: Point | None = None,
        after: int = 1,
        delay: float = 0.0,
    ) -> None:
        self._database = database
        self._random = random
        self._note = f"INSERT INTO {MOVES.table} VALUES ({', '.join([mark] * 9)})"
        self._dies = dies
        self._left = after
        self._delay = delay
        database.prepare(MOVES, _make_table)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def _pass(self, point: Point) -> None:
        if point is self._dies:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def load(self, shape: Shape, keys: Sequence[Row]) -> list[Row]:
        """See `ReadDatabase.load`."""
        self._pass(Point.READ)
        return self._database.load(shape, keys)

    def commit(self, changes: Sequence[Change]) -> bool:
        """See `ReadDatabase.commit`."""
        self._pass(Point.FOLD)
        if self._delay and self._random.random() < 0.1:
            threading.Event().wait(self._random.random() * self._delay)
        noted = [*changes[:-1], msgspec.structs.replace(changes[-1], work=self._noting(changes))]
        moved = self._database.commit(noted)
        self._pass(Point.COMMIT)
        if moved and self._database.commit(noted):
            raise AssertionError(f"what was committed could be committed again: {changes}")
        return moved

    def _noting(self, changes: Sequence[Change]) -> Work:
        own = changes[-1].work

        def work(db: Any) -> None:
            for change in changes:
                seen, reached = change.seen, change.reached
                where = (change.shape.table, change.slices.low, change.slices.high, change.epoch, change.owner)
                db.execute(self._note, (*where, seen.position, seen.event, reached.position, reached.event))
            if own is not None:
                own(db)
            self._pass(Point.CHECKPOINT)

        return work


def hostile(database: ReadDatabase, random: Random, **how: Any) -> ReadDatabase:
    """The read database in hostile surroundings; see `Hostile`."""
    return cast("ReadDatabase", Hostile(database, random, **how))


def _make_table(db: Any) -> None:
    db.execute(f"DROP TABLE IF EXISTS {MOVES.table}")
    db.execute(
        f"CREATE TABLE {MOVES.table} (name VARCHAR(63), low INTEGER, high INTEGER, epoch INTEGER, owner VARCHAR(200), "
        f"seen INTEGER, seen_event {_blob(db)}, reached INTEGER, reached_event {_blob(db)})"
    )


def _blob(db: Any) -> str:
    return "BYTEA" if type(db).__module__.startswith("psycopg") else "BLOB"


def moves_in(database: ReadDatabase) -> list[Move]:
    """Every move that was committed."""
    rows: list[Any] = []
    mark = database.mark(MOVES) or Mark()
    share = database.shares(MOVES)[0]

    def read(db: Any) -> None:
        rows.extend(db.execute(f"SELECT * FROM {MOVES.table}").fetchall())

    from actum.journal.readmodel import Change

    assert database.commit([Change(MOVES, (), mark, mark, epoch=share.epoch, work=read)])
    return [
        Move(table, Slices(low, high), epoch, owner, Mark(seen, bytes(one)), Mark(reached, bytes(other)))
        for table, low, high, epoch, owner, seen, one, reached, other in rows
    ]


def faults_in(moves: Iterable[Move]) -> list[str]:
    """What must not be: a slice that was moved twice over the same events or past some, or two owners in one epoch."""
    every = list(moves)
    return [*_breaks(every), *_double_owners(every)]


def _breaks(moves: Sequence[Move]) -> list[str]:
    found: list[str] = []
    for table in sorted({move.table for move in moves}):
        mine = sorted((move for move in moves if move.table == table), key=lambda move: move.reached.position)
        # Between two lower ends of ranges, all slices have had the same moves.
        for slice in sorted({move.slices.low for move in mine}):
            chain = [move for move in mine if slice in move.slices and move.seen != move.reached]
            # A process begins where it was first opened, and goes on from where the journal says; a view begins at the beginning.
            before = chain[0].seen if chain and table.startswith("actum_process_") else Mark()
            for move in chain:
                if move.seen != before:
                    found.append(
                        f"{table}, slice {slice}: from {before.position} on came a move from {move.seen.position}"
                    )
                before = move.reached
    return found


def _double_owners(moves: Sequence[Move]) -> list[str]:
    found: list[str] = []
    owners: dict[tuple[str, int, int], str] = {}
    ends = sorted({move.slices.low for move in moves})
    # Whoever has no name holds nothing, and moves what nobody holds in whatever epoch that is.
    for move, slice in itertools.product([move for move in moves if move.owner], ends):
        if slice in move.slices:
            owner = owners.setdefault((move.table, slice, move.epoch), move.owner)
            if owner != move.owner:
                found.append(f"{move.table}, slice {slice}, epoch {move.epoch}: held by {owner} and by {move.owner}")
    return found

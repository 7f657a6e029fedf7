"""Where the rows of a view are: several tables of one name may stand side by side, made by different definitions.

A program reads and keeps the table of its own definition, once that table has been live: so two versions of a program
run side by side during a deployment, each with its own rows. Until then it reads the live one, where the rows fit.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from actum.journal.errors import Busy
from actum.journal.readmodel import Role
from actum.projection.digest import digest_of
from actum.projection.view import RESERVED, ViewT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actum.journal.event import Position
    from actum.journal.readmodel import ReadDatabase, Shape, Standing
    from actum.projection.view import Plan

LOOK_AGAIN = 0.1
"""Seconds for which a program goes on with the table that it found: another process may switch to another one."""

_LONGEST_STEM = 45

AnswerT = TypeVar("AnswerT")


class Place(Generic[ViewT]):
    """Where the rows of a view are in a read database. Safe to share between threads."""

    kind = "view"
    """What it is the place of, for people."""

    def __init__(self, plan: Plan[ViewT], database: ReadDatabase) -> None:
        self.plan = plan
        self.database = database
        self.turn = threading.RLock()
        """Held while another definition's rows are read, and while a switch is made: so nobody reads those after it."""
        self._found: tuple[float, Shape] | None = None
        self._foreign = False

    def tables(self) -> list[Standing]:
        """All tables of this view."""
        return [each for each in self.database.tables() if (each.shape.name or each.shape.table) == self.plan.table]

    def live(self) -> Standing | None:
        """The one that plain SQL finds under the view's name; None where the view was never kept here."""
        return live_of(self.tables())

    def own(self) -> Standing | None:
        """The one of this definition that is kept up and read: live, or live before. None where there is none."""
        return own_of(self.tables(), self.plan.shape)

    def candidate(self) -> Standing | None:
        """The one of this definition that may take the live one's place; None where there is none."""
        mine = [each for each in self.tables() if each.shape.fingerprint == self.plan.shape.fingerprint]
        return next((each for each in mine if each.role in (Role.CANDIDATE, Role.TAKEN_BACK)), None)

    def new(self) -> Plan[ViewT]:
        """The plan of one more table of this definition, under a name that no table here has."""
        stem = self.plan.table
        if len(stem) > _LONGEST_STEM:
            stem = f"{stem[: _LONGEST_STEM - 9]}_{sha256(stem.encode()).hexdigest()[:8]}"
        beginning = f"{RESERVED}{stem}_{self.plan.shape.fingerprint.hex()[:4]}_"
        taken = [each.shape.table for each in self.tables()]
        numbers = [int(table[len(beginning) :]) for table in taken if table.startswith(beginning)]
        return self.plan.kept_in(f"{beginning}{max(numbers, default=0) + 1}")

    def first(self) -> Plan[ViewT]:
        """The plan of the first table, where nothing was ever kept."""
        return self.new()

    def kept_in(self, standing: Standing) -> Plan[ViewT]:
        """The plan of a table of this definition that is there."""
        return self.plan.kept_in(standing.shape.table)

    def home(self, shape: Shape) -> ReadDatabase:
        """Where the rows of a definition are."""
        return self.database

    def prepare(self, plan: Any) -> None:
        """Have a table there for what is to be built."""
        self.database.prepare(plan.shape)

    def point(self, shape: Shape, *, instead_of: Shape, until: Position, aside: Role) -> bool:
        """Have another table take the live one's place. See `ReadDatabase.point`."""
        return self.database.point(shape, instead_of=instead_of, until=until, aside=aside)

    def drop(self, table: str) -> None:
        """Take a table away that is not live."""
        self.database.drop(table)

    def digest(self, shape: Shape) -> str:
        """The digest of all rows of a definition."""
        return digest_of(self.database, shape)

    # Reading.

    @property
    def current(self) -> bool:
        """Whether what is read was made by this definition."""
        return self.own() is not None

    def shape(self) -> Shape:
        """What is read now. `Busy` where that is made by another definition, whose rows do not fit this one."""
        now, found = time.monotonic(), self._found  # Another thread may forget it meanwhile.
        if found is None or now - found[0] > LOOK_AGAIN:
            found = self._found = (now, self._look())
        return found[1]

    def forget(self) -> None:
        """Look again at once."""
        self._found = None

    def position(self) -> Position:
        """Up to where the table that is read now shows the journal; 0 where there is none."""
        with suppress(Busy):
            mark = self.database.mark(self.shape())
            if mark is not None:
                return mark.position
        standing = self.own() or self.live()
        return 0 if standing is None else standing.mark.position

    def ask(self, question: Callable[[Shape], AnswerT]) -> AnswerT:
        """The answer of the table that is read now; asked again where it was taken away at that moment."""
        asked = self.shape()
        if not self._foreign:
            return self._answered(asked, question)
        with self.turn:
            return self._answered(self.shape(), question)

    def _answered(self, asked: Shape, question: Callable[[Shape], AnswerT]) -> AnswerT:
        try:
            return question(asked)
        except Busy:
            self.forget()
            if self.shape() == asked:
                raise
            return question(self.shape())

    def _look(self) -> Shape:
        tables = self.tables()
        own, live = own_of(tables, self.plan.shape), live_of(tables)
        self._foreign = own is None
        if own is not None:
            return self.plan.kept_in(own.shape.table).shape
        if live is None:
            return self.plan.shape
        if not fits(self.plan.shape, live.shape):
            raise Busy(
                f"the view {self.plan.name} is kept by version {live.shape.version} of its definition, whose rows have not "
                f"all the columns of version {self.plan.shape.version}, which is not there yet: wait_for(position) where it "
                "is being built, or rebuild and switch"
            )
        return self.plan.kept_in(live.shape.table).shape


def live_of(tables: Sequence[Standing]) -> Standing | None:
    """The live one among the tables of a view."""
    return next((each for each in tables if each.role is Role.LIVE), None)


def own_of(tables: Sequence[Standing], shape: Shape) -> Standing | None:
    """The table of a definition that its program keeps up and reads: the live one first, then one that was live before."""
    mine = [each for each in tables if each.shape.fingerprint == shape.fingerprint]
    kept = (each for each in mine if each.role is Role.KEPT)
    return live_of(mine) or max(kept, key=lambda each: each.mark.position, default=None)


def fits(wanted: Shape, there: Shape) -> bool:
    """Whether rows of the table that is there can be read as those that are wanted."""
    columns = {column.name: column for column in there.columns}
    return wanted.key == there.key and all(
        (found := columns.get(column.name)) is not None
        and found.kept is column.kept
        and (column.optional or not found.optional)
        for column in wanted.columns
    )

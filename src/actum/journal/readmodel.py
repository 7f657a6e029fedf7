"""What a read database must offer: tables of rows by key, and how far into the journal each of them has come.

Rows and the checkpoint move in one transaction, and only from the checkpoint that the writer had seen: that is what
makes each event count once, whatever is killed when and however many processes project at a time.

Several tables may share a name, one of them live: whoever reads by the name reads that one, and another is put in its
place in one transaction.

Whoever follows the journal, a *follower*, has its keys spread over 1024 slices. A *share* is a range of them with a
checkpoint of its own; at first there is one for all. Every change of who holds a share raises its epoch, and the one
statement that moves a checkpoint demands the epoch, too: whoever lost a share writes nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from hashlib import sha256
from itertools import pairwise
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from actum.journal.errors import Invalid
from actum.journal.event import EventData, Position

Value: TypeAlias = str | int | float | None
"""What a cell of a table holds."""

Row: TypeAlias = tuple[Value, ...]
"""One value a column, in their order."""

Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "in", "starts with"]


class Kept(Enum):
    """How a column keeps its values."""

    TEXT = "TEXT"
    """Text, ordered by code points."""
    INTEGER = "INTEGER"
    """Whole numbers of 64 bits."""
    REAL = "REAL"
    """Floating point."""
    AMOUNT = "AMOUNT"
    """Exact decimal numbers, kept as text and compared as numbers."""


class Column(msgspec.Struct, frozen=True):
    """A column by its name. Names are letters, digits and underscores."""

    name: str
    kept: Kept
    optional: bool = False


class Shape(msgspec.Struct, frozen=True):
    """A table as its owner describes it. Another `fingerprint` means that the rows there are no longer the right ones.

    `name` is what readers call it, where that is not the table's own name: plain SQL finds the live table of that name
    under it. `version` is for people. A follower that keeps its tables itself has no columns: `table` is then its name, and
    no table is made. `code` tells what its code does where that makes no other `fingerprint`.
    """

    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    fingerprint: bytes
    name: str = ""
    version: int = 1
    indexed: tuple[str, ...] = ()
    code: bytes = b""
    """Columns by which rows are found and sorted as fast as by the key."""

    def column(self, name: str) -> Column:
        """The column of that name, which there is."""
        return next(column for column in self.columns if column.name == name)


class Mark(msgspec.Struct, frozen=True):
    """How far a table has come: everything up to that event is in it. At first, nothing is."""

    position: Position = 0
    event: bytes = b""


class Role(Enum):
    """What a table is among those of its name."""

    LIVE = "live"
    """The one that the name stands for."""
    CANDIDATE = "candidate"
    """Made to take its place."""
    KEPT = "kept"
    """Was live before, and is kept so that one can go back."""
    TAKEN_BACK = "taken back"
    """Was live, and somebody went back from it: it takes no other's place by itself."""


class Standing(msgspec.Struct, frozen=True):
    """A table that is there, and where it stands."""

    shape: Shape
    mark: Mark
    role: Role


NTH = "_nth"
"""The last column of the key of a table without a primary key: the how manieth row with these very cells it is, from 1."""

SLICES = 1024
"""Over how many slices the keys of a follower are spread."""


def slice_of(key: str) -> int:
    """The slice of a key: the first ten bits of the SHA-256 of its text in UTF-8.

    The text of a key is that of its identities, in order, joined by line feeds; a follower without identities has the
    one key "".
    """
    digest = sha256(key.encode()).digest()
    return digest[0] << 2 | digest[1] >> 6


class Slices(msgspec.Struct, frozen=True, order=True):
    """A range of slices, `low` and `high` included."""

    low: int = 0
    high: int = SLICES - 1

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high < SLICES:
            raise Invalid(f"expected a range of slices from 0 to {SLICES - 1}, found {self.low} to {self.high}")

    def __contains__(self, slice: int) -> bool:
        return self.low <= slice <= self.high

    def __len__(self) -> int:
        return self.high - self.low + 1

    def __str__(self) -> str:
        return f"{self.low}-{self.high}"


ALL_SLICES = Slices()
"""Every slice there is."""


class Share(msgspec.Struct, frozen=True):
    """A range of a follower's slices: how far it has come, and who holds it.

    `owner` is "" where nobody does. `left` is for how many seconds the lease still lasts by the database's clock, 0 where
    there is none: then whoever comes may take the share. `epoch` is another one after every change of owner or range.
    """

    slices: Slices
    mark: Mark
    epoch: int = 0
    owner: str = ""
    left: float = 0.0

    @property
    def held(self) -> bool:
        """Whether somebody holds it, and the lease lasts."""
        return self.left > 0


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A key of a follower whose events are not taken in, from the event at `position` on; the `event` is its id.

    `error` is what it failed over, "" where it only waits behind one that was taken in since; `trace` is where in the code.
    """

    key: str
    position: Position
    event: bytes
    error: str
    trace: str
    attempts: int


Work: TypeAlias = Callable[[Any], None]
"""What somebody does in the open transaction: it is given the driver's connection, and neither commits nor rolls back."""

ENDED = (
    "expected a projection to leave its transaction open, found that it was ended in there: what it wrote and its checkpoint may "
    "be apart now; take commit and rollback out of handle and begin, and raise version= to begin anew"
)
"""What is said to work that ends the transaction."""


class Change(msgspec.Struct, frozen=True):
    """New rows of one table, and the step from what its writer had seen to what it has now taken in.

    It is that of one share, `slices` of an `epoch`. `owner` is who holds it; "" is for whoever holds none, and moves a
    share only while nobody else holds it. `work` is done in the transaction, once the checkpoint has moved.

    `removed` are the keys of rows to be taken away, none of which is among `rows`.

    `parked` are keys to put aside (or further on), `freed` those that are so no more; with `fence` the share goes into
    another epoch, so that whoever works on it looks again. `notes` are kept until they are in the journal. These are written
    last: `work` may still add to them.
    """

    shape: Shape
    rows: Sequence[Row]
    seen: Mark
    reached: Mark
    slices: Slices = ALL_SLICES
    epoch: int = 0
    owner: str = ""
    work: Work | None = None
    removed: Sequence[Row] = ()
    parked: Sequence[Parked] = ()
    freed: Sequence[str] = ()
    fence: bool = False
    notes: Sequence[EventData] = ()


class Filter(msgspec.Struct, frozen=True):
    """A demand on one column. Several values only for `in`."""

    column: str
    operator: Operator
    value: Value | tuple[Value, ...]


class Order(msgspec.Struct, frozen=True):
    """One column to sort by. What is missing comes first, or last when descending."""

    column: str
    descending: bool = False


class Selection(msgspec.Struct, frozen=True):
    """Which rows, in which order; `after` is the last row seen: its values in the columns of `orders`.

    `orders` ends with the columns of the key, so that no two rows stand at the same place.
    """

    filters: tuple[Filter, ...] = ()
    orders: tuple[Order, ...] = ()
    after: Row | None = None
    limit: int = 1000


class Making(Protocol):
    """What is seen at one moment of tables that followers make themselves."""

    def made(self, shape: Shape) -> list[Shape]:
        """The tables of a follower, in order of their names, with their columns and what tells their rows apart: the primary
        key, or, without one, all columns and `NTH`.
        """
        ...

    def rows_of(self, made: Shape) -> Iterator[Row]:
        """All rows of such a table in order of its key; what is no text or number is told as text."""
        ...

    def row_of(self, made: Shape, key: Row) -> Row | None:
        """The row of such a table that has this key, None where there is none."""
        ...


class Snapshot(Making, Protocol):
    """A read database as it is at one moment, whatever is written meanwhile. For one thread."""

    def tables(self) -> list[Standing]:
        """Every table, and where it stands."""
        ...

    def shares(self, shape: Shape) -> list[Share]:
        """The shares of the table, in order of their slices."""
        ...

    def select(self, shape: Shape, selection: Selection) -> list[Row]:
        """The rows that are asked for."""
        ...


class Cut(msgspec.Struct, frozen=True):
    """A share to be made, and who is to hold it; "" for nobody."""

    slices: Slices
    owner: str = ""


def check_cuts(seen: Sequence[Share], cuts: Sequence[Cut]) -> None:
    """`Invalid` where the cuts are not, in order, exactly the slices of the shares: before anything is changed."""
    before, after = _range([share.slices for share in seen]), _range([cut.slices for cut in cuts])
    if before is None or before != after:
        raise Invalid(
            f"expected neighbouring shares and cuts of the same slices, in order; found the shares "
            f"{', '.join(str(share.slices) for share in seen)} and the cuts {', '.join(str(cut.slices) for cut in cuts)}"
        )


def _range(parts: Sequence[Slices]) -> Slices | None:
    """What the parts are together, None where there is none, or something between them."""
    if not parts or any(one.high + 1 != next.low for one, next in pairwise(parts)):
        return None
    return Slices(parts[0].low, parts[-1].high)


class Leases(Protocol):
    """Who holds which share, kept beside the rows and on the database's clock. A worker is a name that no other ever had.

    A lease spares workers from doing each other's work; it is not what keeps them from doing it twice. That is the epoch.
    """

    def keep(self, worker: str, *, followers: Sequence[str], seconds: float) -> dict[str, tuple[str, ...]]:
        """The worker is alive and holds what it holds for so many seconds more; who is alive, for each of the followers."""
        ...

    def recut(self, follower: str, seen: Sequence[Share], cuts: Sequence[Cut], *, worker: str, seconds: float) -> bool:
        """Replace neighbouring shares by others of the same slices, in one transaction and under a new epoch.

        So a share is taken, given up, split and merged. False, and nothing is changed, where one of them is not as it
        was `seen`, is held by somebody else than `worker`, or does not stand at the mark of the others.
        """
        ...

    def leave(self, worker: str) -> None:
        """The worker is gone, and holds nothing."""
        ...


class Rooms(Protocol):
    """Where tables are that followers make themselves, of definitions that are not live: rooms beside one read database, each a read
    database of its own, so that the very same statements find other tables there. Shared between threads.
    """

    def standing(self, called: str) -> list[Standing]:
        """What is in rooms for a name, and where it stands; at the beginning where nothing is in its room yet."""
        ...

    def open(self, shape: Shape) -> ReadDatabase:
        """The room of a definition, made for a candidate where there is none. Whoever opens it leaves it to be closed with the rest.

        What is done in it may read the live tables, and writes nothing outside of the room: `Misdeclared` where it would.
        """
        ...

    def claim(self, live: Shape, candidate: Shape) -> None:
        """Know which live tables the candidate's would replace. `Misdeclared` where one of these is somebody else's."""
        ...

    def swap(self, shape: Shape, *, instead_of: Shape, until: Position, aside: Role) -> bool:
        """Have the tables in the room of `shape` and the live ones change places, their checkpoints with them: all readers at once.

        False, and nothing changed, where either is not there, the one before is not live (any more), or has come further than `until`.
        """
        ...

    def drop(self, table: str) -> None:
        """Take a room away with what is in it, if it is there."""
        ...

    def passing(self) -> AbstractContextManager[ReadDatabase]:
        """A room that nobody knows of, and that is gone afterwards."""
        ...


class ReadDatabase(Leases, Protocol):
    """Tables derived from one journal. May be deleted at any time: the journal has everything. Shared between threads."""

    @property
    def address(self) -> str:
        """Where it is, for people."""
        ...

    @property
    def rooms(self) -> Rooms:
        """Where tables are that followers make themselves, of definitions that are not live."""
        ...

    def writable(self) -> bool:
        """Whether rows can be written there; not on a standby, whose rows are those that its primary is given."""
        ...

    def prepare(self, shape: Shape, begin: Work | None = None) -> bool:
        """Have the table, empty where there was none or one of another fingerprint; whether it is a new one. One that is there is
        described from now on as it is here.

        A new one is live where its name stands for nothing yet, and a candidate where it does. `begin` is done in the
        same transaction where it begins anew.
        """
        ...

    def renew(self, shape: Shape, begin: Work | None = None) -> None:
        """Empty the table and begin anew, in one transaction, with `begin` in it. There is one share then, and nobody holds it."""
        ...

    def mark(self, shape: Shape) -> Mark | None:
        """How far the table has come in every share; None where there is none of this shape (any more)."""
        ...

    def marks(self) -> dict[str, Mark]:
        """How far each table has come in every one of its shares."""
        ...

    def shares(self, shape: Shape) -> list[Share]:
        """The shares of the table, in order of their slices, all slices among them; none where there is none of this shape."""
        ...

    def tables(self) -> list[Standing]:
        """Every table, and where it stands."""
        ...

    def point(self, shape: Shape, *, instead_of: Shape, until: Position, aside: Role) -> bool:
        """Have the name stand for this table, and the one before be `aside`: in one transaction, all readers at once.

        False, and nothing changed, where either is not there, the one before is not live (any more), or has come further than `until`.
        """
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """The database as it is now, to look at for a while. Others write on; in memory they wait."""
        ...

    def parked(self, shape: Shape) -> list[Parked]:
        """The keys of the table that are put aside, in order of position."""
        ...

    def notes(self) -> list[EventData]:
        """What is to go into the journal, in the order in which it was noted."""
        ...

    def noted(self, ids: Sequence[bytes]) -> None:
        """These notes are in the journal."""
        ...

    def load(self, shape: Shape, keys: Sequence[Row]) -> list[Row]:
        """The rows that have these keys, in any order."""
        ...

    def commit(self, changes: Sequence[Change]) -> bool:
        """All changes in one transaction, or none: False where a table no longer stands where its writer saw it."""
        ...

    def select(self, shape: Shape, selection: Selection) -> list[Row]:
        """The rows that are asked for."""
        ...

    def count(self, shape: Shape, filters: Sequence[Filter], *, most: int | None = None) -> int:
        """How many rows fit; with `most`, that many at the most are gone through."""
        ...

    def drop(self, table: str) -> None:
        """Take the table away, if it is there, and its name where it was live."""
        ...

    def close(self) -> None:
        """Give everything back. Further calls raise `Unavailable`."""
        ...

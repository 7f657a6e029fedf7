"""The embedded journal: one SQLite file, several processes on one machine, power-loss durability by default."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from actum.journal.bell import Bell
from actum.journal.clock import SYSTEM_CLOCK
from actum.journal.errors import ActumError, Invalid, Unavailable
from actum.journal.event import LAST_POSITION, Kind, checked_position
from actum.journal.query import Query
from actum.journal.store import DEFAULT_PAYLOAD_LIMIT, Durability, Snapshot, check_sizes, checked_limit
from actum.stores.shapes import record_of
from actum.stores.sqlite import reindexing, switching
from actum.stores.sqlite.doorbell import Doorbell, watcher
from actum.stores.sqlite.file import Layout, closed, connect, translated
from actum.stores.sqlite.reading import Reader, Span
from actum.stores.sqlite.restoring import restore
from actum.stores.sqlite.writing import Writer
from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from contextlib import AbstractContextManager

    import apsw

    from actum.journal.clock import Clock, Microseconds
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.skim import Skimmed
    from actum.journal.store import Append, DecisionRecord, Outcome

_SQL = statements("sqlite/queries.sql")

JOURNAL = Layout(0x61637475, "journal", ("sqlite/schema_0001.sql",))
"""How a journal's file is known: its application id spells "actu"."""

WRITER_CACHE_KIB = 65536

DECISIONS_PAGE = 50_000
"""How many decisions are read at once. They are kept by command, so each page is a scan of all: the pages are long."""

_BEHIND_ALL = b"\xff" * 17


class SqliteStore:
    """A journal in the file `path`, made where there is none (but not with `read_only`).

    `durability` says what an acknowledged event survives. `payload_limit` is in bytes of data per event, `timeout` how
    many seconds to wait for another process before `Busy`. Share one object between threads; open one per process, and
    none across a fork.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        durability: Durability = Durability.POWER_LOSS,
        payload_limit: int = DEFAULT_PAYLOAD_LIMIT,
        timeout: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
        read_only: bool = False,
    ) -> None:
        self.path = _checked_path(path)
        if not 1 <= payload_limit <= 512 * 1024 * 1024:
            raise Invalid(f"payload_limit: expected 1 byte to 512 MiB, found {payload_limit!r}")
        self._payload_limit = payload_limit
        self._open = True
        self._process = os.getpid()
        if read_only and not self.path.exists():
            raise Unavailable(f"there is no journal at {self.path}; check the path")
        connection = connect(
            self.path,
            layout=JOURNAL,
            writes=not read_only,
            durability=durability,
            cache_kib=WRITER_CACHE_KIB,
            timeout=timeout,
        )
        try:
            self._prepare(connection, read_only=read_only)
            bell = None if read_only else Doorbell(self._beside("-bell"))
            self._writer = Writer(
                connection, self.path, origin=self._origin(connection), clock=clock, bell=bell, timeout=timeout
            )
            if not read_only:
                self._mend_index(connection)
        except BaseException:
            connection.close()
            raise
        self._reader = Reader(self.path, self._writer, durability=durability, timeout=timeout)
        self._bell = Bell()
        self._writes = not read_only
        if self._writes:
            switching.shorten()
        self._watching: threading.Thread | None = None
        self._stop_watching: Callable[[], None] | None = None

    def _prepare(self, connection: apsw.Connection, *, read_only: bool) -> None:
        if read_only:
            if JOURNAL.recognise(connection, self.path) == 0:
                raise Unavailable(f"{self.path} is empty: no journal was made there yet")
            return
        JOURNAL.bring_up_to_date(connection, self.path)
        with translated(self.path):
            connection.execute(_SQL["describe_once"], ("origin", os.urandom(16).hex()))
            connection.execute(_SQL["describe_once"], ("indexed", "0"))

    def _mend_index(self, connection: apsw.Connection) -> None:
        """An index with a hole lets conditions pass that collide: nobody writes with one that is seen to have any."""
        with translated(self.path):
            whole = reindexing.seems_whole(connection)
        if not whole:
            reindexing.reindex(self._writer)

    def _origin(self, connection: apsw.Connection) -> str:
        with translated(self.path):
            return str(connection.execute(_SQL["describe"], ("origin",)).get)

    def _beside(self, ending: str) -> Path:
        return self.path.with_name(self.path.name + ending)

    @property
    def origin(self) -> str:
        """The journal's own name: 32 hexadecimal digits drawn when the file was made."""
        return self._writer.known.origin

    def now(self) -> Microseconds:
        """See `JournalStore.now`: the clock of the machine, which all who share a file share."""
        self._check_open()
        return self._writer.now()

    def append(self, *batch: Append) -> list[Outcome]:
        """See `EventStore.append`."""
        self._check_open()
        check_sizes(batch, payload_limit=self._payload_limit)
        if not batch:
            return []
        outcomes = self._writer.append(batch)
        self._bell.ring(self._writer.known.window.head)
        return outcomes

    def alone(self) -> AbstractContextManager[None]:
        """See `JournalStore.alone`."""
        self._check_open()
        return self._writer.alone()

    def read(
        self,
        query: Query = Query.all(),  # noqa: B008 - a frozen constant
        *,
        after: Position = 0,
        until: Position | None = None,
        limit: int | None = None,
        backwards: bool = False,
    ) -> Iterator[SequencedEvent]:
        """See `EventStore.read`."""
        self._check_open()
        checked_position(after, "after")
        last = LAST_POSITION if until is None else checked_position(until, "until")
        return self._reader.read(query, Span(after, last, backwards), checked_limit(limit))

    def skim(self, types: Collection[str], *, after: Position, until: Position, limit: int) -> list[Skimmed]:
        """See `Skims.skim`."""
        self._check_open()
        return self._reader.skim(types, Span(after, until, False), limit)

    def load(
        self, queries: Sequence[Query], *, after: Sequence[Position]
    ) -> tuple[Position, list[list[SequencedEvent]]]:
        """See `EventStore.load`."""
        self._check_open()
        if len(queries) != len(after):
            raise Invalid(f"expected one position for each query, found {len(after)} for {len(queries)}")
        for start in after:
            checked_position(start, "after")
        with self._writer.lock, self._writer.turns.said:
            if len(queries) == 1:
                return self._reader.load(queries, after)
            known = self._writer.known
            known.execute("BEGIN")  # One transaction for all: to begin one costs as much as a small query.
            try:
                return self._reader.load(queries, after)
            finally:
                if known.connection.in_transaction:
                    known.execute("COMMIT")

    def head(self) -> Position:
        """See `EventStore.head`."""
        self._check_open()
        return self._reader.head()

    def decision(self, command: bytes) -> DecisionRecord | None:
        """See `DecisionLog.decision`."""
        self._check_open()
        with translated(self.path):
            row = self._reader.connection().execute(_SQL["decision"], (command,)).fetchone()
        return record_of(row) if row else None

    def decisions(self, *, after: Position = 0) -> Iterator[DecisionRecord]:
        """See `DecisionLog.decisions`. Read by pages, so that an open iteration hides nothing from other readers."""
        self._check_open()
        checked_position(after, "after")
        command = _BEHIND_ALL
        while True:
            with translated(self.path):
                page = (after, command, DECISIONS_PAGE)
                rows = cast("list[Any]", self._reader.connection().execute(_SQL["decisions"], page).fetchall())
            for row in rows:
                record = record_of(row)
                after, command = record.first, record.command
                yield record
            if len(rows) < DECISIONS_PAGE:
                return

    def kinds(self) -> frozenset[Kind]:
        """See `JournalStore.kinds`."""
        self._check_open()
        with translated(self.path):
            rows = self._reader.connection().execute(_SQL["kinds"])
            return frozenset(Kind(type, version) for _, type, version, _ in rows)

    def snapshot(self, key: str) -> Snapshot | None:
        """See `Snapshots.snapshot`."""
        self._check_open()
        with self._writer.lock, translated(self.path):
            row = self._writer.connection.execute(_SQL["snapshot"], (key,)).fetchone()
        return Snapshot(*row) if row else None

    def remember(self, key: str, snapshot: Snapshot) -> None:
        """See `Snapshots.remember`."""
        self._check_open()
        with self._writer.turn():
            self._writer.connection.execute(
                _SQL["remember"], (key, snapshot.position, snapshot.fingerprint, snapshot.data)
            )

    def restore(self, origin: str, events: Sequence[SequencedEvent], decisions: Sequence[DecisionRecord]) -> Position:
        """See `Archive.restore`."""
        self._check_open()
        head = restore(self._writer, origin, events, decisions)
        self._bell.ring(head)
        return head

    def hole(self) -> Position | None:
        """See `Indexed.hole`."""
        self._check_open()
        with translated(self.path):
            return reindexing.hole(self._reader.connection())

    def reindex(self) -> Position:
        """See `Indexed.reindex`."""
        self._check_open()
        head = reindexing.reindex(self._writer)
        self._reader.forget_absent()
        return head

    def watch(self, ring: Callable[[Position], None]) -> Callable[[], None]:
        """See `EventStore.watch`. Other processes are heard within a millisecond or so where the system tells of files."""
        self._check_open()
        with self._writer.lock:
            if self._watching is None:
                self._start_watching()
        return self._bell.listen(ring)

    def _start_watching(self) -> None:
        ears = watcher(self._beside("-bell"))
        stopping = threading.Event()
        self._bell.ring(self._reader.head())

        def listen() -> None:
            while not stopping.is_set():
                ears.wait()
                with suppress(ActumError):  # Whoever reads or writes hears of it there; it may pass.
                    self._bell.ring(self._reader.head())
            ears.close()

        def stop() -> None:
            stopping.set()
            ears.stop()

        self._stop_watching = stop
        self._watching = threading.Thread(target=listen, name="actum-watch", daemon=True)
        self._watching.start()

    def close(self) -> None:
        """Give everything back. Further calls raise `Unavailable`."""
        if not self._open:
            return
        self._open = False
        if os.getpid() != self._process:
            return  # What is open here belongs to the process that was forked.
        if self._stop_watching is not None and self._watching is not None:
            self._stop_watching()
            if self._watching is not threading.current_thread():
                self._watching.join()
        self._reader.close()
        self._writer.close()
        if self._writes:
            switching.restore()

    def _check_open(self) -> None:
        if not self._open:
            raise closed(self.path)
        if os.getpid() != self._process:
            raise Unavailable(f"{self.path} was opened before this process was forked; open it anew in every process")


def _checked_path(path: str | Path) -> Path:
    text = str(path)
    if not text or "\0" in text or text.startswith(":"):
        raise Invalid(f"expected the path of a file, found {text!r}; for a journal in memory say 'memory:'")
    return Path(text).absolute()

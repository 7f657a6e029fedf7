"""The journal in PostgreSQL: many processes on many machines, group commit, no event lost, skipped or out of order."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from actum.journal.bell import Bell
from actum.journal.clock import SYSTEM_CLOCK
from actum.journal.errors import Invalid, Unavailable
from actum.journal.event import LAST_POSITION, Kind, checked_position
from actum.journal.query import Query
from actum.journal.store import (
    DEFAULT_PAYLOAD_LIMIT,
    Durability,
    Snapshot,
    check_sizes,
    checked_limit,
    checked_payload_limit,
)
from actum.stores.postgres.address import address_of
from actum.stores.postgres.connecting import SESSION, Connections, closed
from actum.stores.postgres.postman import Postman
from actum.stores.postgres.reading import Reader, Span
from actum.stores.postgres.schema import bring_up_to_date, recognise
from actum.stores.postgres.writing import Writer
from actum.stores.shapes import record_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from contextlib import AbstractContextManager

    from actum.journal.clock import Clock, Microseconds
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.skim import Skimmed
    from actum.journal.store import Append, DecisionRecord, Outcome
    from actum.stores.postgres.address import Address
    from actum.stores.postgres.connecting import Connection

LARGEST_PAYLOAD = 64 * 1024 * 1024
"""Bytes: what a payload_limit can allow. The server takes no more than a gigabyte in one call."""

DECISIONS_STRETCH = 20_000
"""How many positions are looked at for decisions at once."""


class Terms(NamedTuple):
    """With what a journal was opened, for whoever sees the same journal in another way."""

    address: Address
    reader: Reader
    durability: Durability
    payload_limit: int
    timeout: float
    clock: Clock


class PostgresStore:
    """A journal in the PostgreSQL database of `url`, in the schema that `journal=` names there; made where there is none.

    Takes what `actum.stores.postgres.address` describes. `durability` says what an acknowledged event survives, as far as
    the server keeps its word. `payload_limit` is in bytes of data per event; `timeout` how many seconds to wait for
    another process, or for a server that went away, before `Busy`, `Unavailable` or `OutcomeUnknown`. With `read_only`
    nothing is made or written, as on a standby. Share one object between threads; open one per process, none across a fork.
    """

    def __init__(
        self,
        url: str | Address,
        *,
        durability: Durability = Durability.POWER_LOSS,
        payload_limit: int = DEFAULT_PAYLOAD_LIMIT,
        timeout: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
        read_only: bool = False,
    ) -> None:
        self.address = address_of(url) if isinstance(url, str) else url
        if checked_payload_limit(payload_limit) > LARGEST_PAYLOAD:
            raise Invalid(f"payload_limit: expected 1 byte to 64 MiB, found {payload_limit!r}")
        self._payload_limit = payload_limit
        self._durability = durability
        self._clock = clock
        self._open = True
        self._process = os.getpid()
        self._connections = Connections(self.address, timeout=timeout)
        try:
            origin = self._prepare(read_only=read_only)
        except BaseException:
            self._connections.close()
            raise
        self._bell = Bell()
        self._reader = Reader(self._connections)
        self._writer = Writer(
            self._connections, self._reader, origin=origin, durability=durability, clock=clock, writes=not read_only
        )
        self._postman = Postman(self.address, self._bell, timeout=timeout)
        self._watched = False

    def _prepare(self, *, read_only: bool) -> str:
        def look(connection: Connection) -> str:
            if not read_only:
                return bring_up_to_date(connection, self.address).origin
            found = recognise(connection, self.address)
            if found.layout == 0:
                raise Unavailable(f"{self.address}: there is no journal of that name; check the address")
            return found.origin

        return self._connections.ask(look, patient=False)

    @property
    def terms(self) -> Terms:
        """With what it was opened."""
        return Terms(
            self.address,
            reader=self._reader,
            durability=self._durability,
            payload_limit=self._payload_limit,
            timeout=self._connections.timeout,
            clock=self._clock,
        )

    @property
    def origin(self) -> str:
        """The journal's own name: 32 hexadecimal digits drawn when it was made."""
        return self._writer.origin

    def now(self) -> Microseconds:
        """See `JournalStore.now`: the server's clock, unless the store was given another than the system's."""
        self._check_open()
        own = None if self._clock is SYSTEM_CLOCK else self._clock.now()
        return int(self._reader.rows("now", (own,))[0][0])

    def append(self, *batch: Append) -> list[Outcome]:
        """See `EventStore.append`."""
        self._check_open()
        check_sizes(batch, payload_limit=self._payload_limit)
        if not batch:
            return []
        before = self._writer.window.head
        outcomes = self._writer.append(batch)
        head = self._writer.window.head
        if head > before:
            self._bell.ring(head)
            self._postman.announce(head)
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
        return self._reader.skim(types, Span(after, until), limit)

    def load(
        self, queries: Sequence[Query], *, after: Sequence[Position]
    ) -> tuple[Position, list[list[SequencedEvent]]]:
        """See `EventStore.load`."""
        self._check_open()
        if len(queries) != len(after):
            raise Invalid(f"expected one position for each query, found {len(after)} for {len(queries)}")
        for start in after:
            checked_position(start, "after")
        return self._reader.load(queries, after)

    def head(self) -> Position:
        """See `EventStore.head`."""
        self._check_open()
        return self._reader.head()

    def is_replica(self) -> bool:
        """See `Replicated`: the server is a standby."""
        self._check_open()
        return self._connections.ask(_is_standby)

    def decision(self, command: bytes) -> DecisionRecord | None:
        """See `DecisionLog.decision`."""
        self._check_open()
        rows = self._reader.rows("decision", (command,))
        return record_of(rows[0]) if rows else None

    def decisions(self, *, after: Position = 0) -> Iterator[DecisionRecord]:
        """See `DecisionLog.decisions`."""
        self._check_open()
        checked_position(after, "after")
        while after < (head := self._reader.head()):
            until = min(head, after + DECISIONS_STRETCH)
            yield from map(record_of, self._reader.rows("decisions", (after, until)))
            after = until

    def kinds(self) -> frozenset[Kind]:
        """See `JournalStore.kinds`."""
        self._check_open()
        return frozenset(Kind(type, version) for type, version in self._reader.rows("kinds"))

    def snapshot(self, key: str) -> Snapshot | None:
        """See `Snapshots.snapshot`."""
        self._check_open()
        rows = self._reader.rows("snapshot", (key,))
        return Snapshot(*rows[0]) if rows else None

    def remember(self, key: str, snapshot: Snapshot) -> None:
        """See `Snapshots.remember`."""
        self._check_open()
        self._writer.remember(key, snapshot)

    def restore(self, origin: str, events: Sequence[SequencedEvent], decisions: Sequence[DecisionRecord]) -> Position:
        """See `Archive.restore`."""
        self._check_open()
        head = self._writer.restore(origin, events, decisions)
        self._bell.ring(head)
        self._postman.announce(head)
        return head

    def watch(self, ring: Callable[[Position], None]) -> Callable[[], None]:
        """See `EventStore.watch`. Other processes are heard within a millisecond or so where the server can tell of them."""
        self._check_open()
        if not self._watched:
            self._bell.ring(self._reader.head())
            self._postman.listen()
            self._watched = True
        return self._bell.listen(ring)

    def close(self) -> None:
        """Give everything back. Further calls raise `Unavailable`."""
        if not self._open:
            return
        self._open = False
        if os.getpid() != self._process:
            return  # What is open here belongs to the process that was forked.
        self._writer.close(untold=self._postman.untold())
        self._connections.close()

    def _check_open(self) -> None:
        if not self._open:
            raise closed(self.address)
        if os.getpid() != self._process:
            raise Unavailable(
                f"{self.address} was opened before this process was forked; open it anew in every process"
            )


def _is_standby(connection: Connection) -> bool:
    row = connection.execute(SESSION["standby"]).fetchone()
    return row is not None and bool(row[0])

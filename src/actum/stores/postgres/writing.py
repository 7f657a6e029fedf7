"""The one connection that writes: batches go to the server with the head they were judged at, and are written or not.

A batch is judged here, against the window of recent events, for the positions behind the head that is known, and sent
with that head. The server writes it where its own head is the same; otherwise it answers with the events of others, and
the batch is judged anew. So whoever does not know what became of a call, because the connection broke, makes the same
call again: only one of them can have been written, and the answer to the second begins with the events of the first.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn

import psycopg
from psycopg.errors import ObjectNotInPrerequisiteState, UniqueViolation

from actum.journal.errors import ActumError, Corrupted, Invalid, OutcomeUnknown, ReadOnly
from actum.journal.store import Collided, Durability, Repeated, check_positions, checked_continuation
from actum.stores.postgres.arrays import Blobs
from actum.stores.postgres.connecting import SESSION, Patience, closed
from actum.stores.postgres.reading import Span
from actum.stores.postgres.schema import queries
from actum.stores.postgres.settling import Docket, Numbers, Older
from actum.stores.postgres.trouble import is_lost, translated, translation
from actum.stores.shapes import record_of, shape_of
from actum.stores.window import Window

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from actum.journal.clock import Clock, Microseconds
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.query import AppendCondition, Query
    from actum.journal.store import Append, DecisionRecord, Outcome, Snapshot
    from actum.stores.postgres.connecting import Connection, Connections
    from actum.stores.postgres.reading import Reader

WINDOW_SIZE = 8192
"""How many of the newest events are kept in memory, at least."""

MOST_NAMES = 10_000
"""How many numbers of rules and of shapes are remembered."""

_AGAIN = ("40001", "40P01")
"""What a server says that asks for the same again."""

_ANSWERED = 1000
"""How many events of others the server answers with, at the most: `append` in the schema."""


class Writer:
    """Keeps the window, the numbers of names and the connection; every write of this process goes through here."""

    def __init__(
        self,
        connections: Connections,
        reader: Reader,
        *,
        origin: str,
        durability: Durability,
        clock: Clock,
        writes: bool,
    ) -> None:
        self.lock = threading.RLock()
        self.origin = origin
        self.window = Window()
        self._connections = connections
        self._reader = reader
        self._address = connections.address
        self._sql = queries(self._address.schema)
        self._durable = durability is Durability.POWER_LOSS
        self._clock = clock
        self._writes = writes
        self._connection: Connection | None = None
        self._recorded: Microseconds = 0
        self._newest: tuple[Position, bytes] = (0, b"")
        self._kinds: set[tuple[str, int]] = set()
        self._handlers: dict[str, int] = {}
        self._shapes: dict[str, int] = {}
        self._crowded = False
        self._alone = False
        self._closed = False

    # The connection.

    def _connected(self, patience: Patience) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._connections.reopen(patience)
            self._check_same_journal(self._connection)
        return self._connection

    def _check_same_journal(self, connection: Connection) -> None:
        """Another server may answer now: one that took over, or one that a backup was put back on."""
        position, leaf = self._newest
        if position == 0:
            return
        found = connection.cursor(binary=True).execute(self._sql["leaf_at"], (position,)).fetchone()
        if found is None or found[0] != leaf:
            self._disconnect()
            raise Corrupted(
                f"{self._address}: the event at position {position} was there before and is not there now: a backup "
                "was put back, or a standby took over that had not received everything; close the journal in every "
                "process, see what is missing, and open it again"
            )

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    # Catching up with what other processes wrote.

    def catch_up(self) -> Position:
        """Bring the window up to the journal's head, which is the answer. The lock is held by the caller."""
        while len(rows := self._reader.rows("recent", (self.window.head, WINDOW_SIZE))) == WINDOW_SIZE:
            self._learn(rows)
            self._leap()
        self._learn(rows)
        return self.window.head

    def _leap(self) -> None:
        """So much was written elsewhere that most of it would be forgotten again at once: begin anew at the end."""
        head, recorded, leaf = self._reader.rows("newest")[0]
        if head - self.window.head > WINDOW_SIZE:
            self.window = Window(head)
            self._recorded, self._newest = recorded, (head, leaf)

    def _learn(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """The next events of the journal, as the server told them."""
        if self.window.head == 0:
            self._refresh()
        for position, type, tags, recorded, leaf in rows:
            if position == self.window.head + 1:
                self.window.add(type, tuple(tags.split("\n")) if tags else ())
                self._recorded, self._newest = recorded, (position, leaf)
        if rows and self.window.head < rows[-1][0]:
            raise Corrupted(
                f"{self._address}: there is no event at position {self.window.head + 1}, and there must be; "
                "restore from a backup"
            )
        self.window.turn_over(WINDOW_SIZE, indexed=self.window.head)
        self._reader.newest = max(self._reader.newest, self.window.head)

    def _refresh(self) -> None:
        """Somebody may have restored another journal into this one while it was empty."""
        self.origin = dict(self._reader.rows("described"))["origin"]

    # Appending.

    @contextmanager
    def alone(self) -> Generator[None, None, None]:
        """See `JournalStore.alone`. The lock is held on a connection of its own, so that each append commits by itself.

        Should that connection break, the journal's key still keeps two from writing at one position.
        """
        with self.lock:
            self._check_writable()
            if self._alone:
                yield
                return
            with translated(self._address), self._connections.lend(Patience(self._connections.timeout)) as guard:
                try:
                    guard.execute(SESSION["begin"])
                    guard.execute(self._sql["take_turn"], (self._patience,))
                    self._alone = True
                    yield
                finally:
                    self._alone = False
                    with suppress(psycopg.Error):
                        guard.execute(SESSION["end"])

    def append(self, batch: Sequence[Append]) -> list[Outcome]:
        """See `EventStore.append`."""
        with self.lock, translated(self._address):
            self._check_writable()
            self._catch_up_where_needed(batch)
            numbers = [
                None if entry.decision is None else self._numbers(entry.decision.handler, entry.condition)
                for entry in batch
            ]
            decided: Mapping[bytes, DecisionRecord] = {}
            while True:
                try:
                    done = self._attempt(batch, numbers, decided)
                except UniqueViolation as wrong:
                    # Rare, so left to the table's key: only where it objects is asked which commands were decided.
                    decided = self._decided(batch, wrong, known=decided)
                except ObjectNotInPrerequisiteState:
                    self._refresh()
                else:
                    if done is not None:
                        return done

    def _check_writable(self) -> None:
        if self._closed:
            raise closed(self._address)
        if not self._writes:
            raise ReadOnly(f"{self._address} was opened for reading only; open it for writing")

    def _catch_up_where_needed(self, batch: Sequence[Append]) -> None:
        """Whoever has seen events that are not known here has seen what others wrote, or is mistaken."""
        seen = max((entry.condition.after for entry in batch if entry.condition is not None), default=0)
        if seen > self.window.head:
            check_positions(batch, head=self.catch_up())

    def _numbers(self, handler: str, condition: AppendCondition | None) -> Numbers:
        number = self._number(self._handlers, "number_handler", handler)
        if condition is None:
            return Numbers(number, None, None)
        shape, tags = shape_of(condition.fail_if_events_match)
        return Numbers(number, self._number(self._shapes, "number_shape", shape), tags)

    def _number(self, known: dict[str, int], verb: str, name: str) -> int:
        number = known.get(name)
        if number is None:
            if len(known) >= MOST_NAMES:
                known.clear()
            number = known[name] = int(self._reader.rows(verb, (name,))[0][0])
        return number

    def _decided(
        self, batch: Sequence[Append], wrong: UniqueViolation, *, known: Mapping[bytes, DecisionRecord]
    ) -> Mapping[bytes, DecisionRecord]:
        head = self.window.head
        if self.catch_up() > head:
            return known  # It was the key of the events that objected: somebody else came first.
        found = self._records(entry.decision.command for entry in batch if entry.decision is not None)
        if found.keys() <= known.keys():
            raise wrong
        return found

    def _records(self, commands: Any) -> dict[bytes, DecisionRecord]:
        asked = Blobs(commands)
        records = map(record_of, self._reader.rows("decided", (asked,))) if asked else ()
        return {record.command: record for record in records}

    def _attempt(
        self,
        batch: Sequence[Append],
        numbers: Sequence[Numbers | None],
        decided: Mapping[bytes, DecisionRecord],
    ) -> list[Outcome] | None:
        """Judge the batch at the head that is known, and send it. None where that must be done again.

        Where others write too, somebody else would always come first: then the lock is kept until ours is written.
        """
        if self._crowded:
            return self._in_turn(batch, numbers, decided)
        docket, outcomes = self._settle(batch, numbers, decided)
        if docket.is_empty or self._send(docket):
            return self._repeated(batch, outcomes, known=docket.head)
        self._crowded = True
        return None

    def _in_turn(
        self, batch: Sequence[Append], numbers: Sequence[Numbers | None], decided: Mapping[bytes, DecisionRecord]
    ) -> list[Outcome] | None:
        """The same in one transaction: whoever comes second has the lock then, judges anew, and is not overtaken again."""
        docket, outcomes = self._settle(batch, numbers, decided)
        connection: Connection | None = None
        try:
            if not docket.is_empty:
                connection = self._connected(Patience(self._connections.timeout))
                with connection.transaction():
                    rows = self._call(connection, docket)
                    self._crowded = bool(rows)
                    if rows:
                        self._overtaken(docket, rows)
                        docket, outcomes = self._settle(batch, numbers, decided)
                        if not docket.is_empty:
                            self._call(connection, docket)
        except BaseException as wrong:
            if not _breaks(wrong, connection):
                docket.forget()
                if not isinstance(wrong, psycopg.Error):
                    self._disconnect()
                raise
            self._disconnect()
            if not docket.is_empty and not self._send(docket, lost=True):
                return None
            return self._repeated(batch, outcomes, known=docket.head)
        if not docket.is_empty:
            self._written(docket)
        return self._repeated(batch, outcomes, known=docket.head)

    def _overtaken(self, docket: Docket, rows: Sequence[tuple[Any, ...]]) -> None:
        """Somebody else came first: know what they wrote."""
        docket.forget()
        self._learn(rows)
        if len(rows) >= _ANSWERED:
            self.catch_up()

    def _settle(
        self, batch: Sequence[Append], numbers: Sequence[Numbers | None], decided: Mapping[bytes, DecisionRecord]
    ) -> tuple[Docket, list[Outcome]]:
        docket = self._docket(decided)
        try:
            return docket, [docket.settle(entry, number) for entry, number in zip(batch, numbers, strict=True)]
        except BaseException:
            docket.forget()
            raise

    def _let_go(self, docket: Docket | None) -> None:
        if docket is not None:
            docket.forget()

    def _docket(self, decided: Mapping[bytes, DecisionRecord]) -> Docket:
        return Docket(
            self.window,
            origin=self.origin,
            recorded=max(self._recorded, self._clock.now()),
            decided=decided,
            newest_older=self._newest_older,
        )

    def _newest_older(self, query: Query, after: Position, until: Position) -> Older | None:
        """What stands before the window stays as it is: it can be asked at any time, on any connection."""
        found = next(self._reader.read(query, Span(after, until, backwards=True), 1), None)
        return None if found is None else Older(found.position, found.type, found.tags)

    def _repeated(self, batch: Sequence[Append], outcomes: list[Outcome], *, known: Position) -> list[Outcome]:
        """What a command collides with may be what it led to itself, the first time, at or before `known`."""
        collided = {
            number: entry.decision.command
            for number, (entry, outcome) in enumerate(zip(batch, outcomes, strict=True))
            if isinstance(outcome, Collided) and entry.decision is not None
        }
        records = self._records(collided.values()) if collided else {}
        for number, command in collided.items():
            if command in records and records[command].first <= known:
                outcomes[number] = Repeated(records[command])
        return outcomes

    # Sending.

    @property
    def _patience(self) -> int:
        """How long to wait for the lock, in milliseconds; to the server, 0 would be for ever."""
        return max(1, int(self._connections.timeout * 1000))

    def _call(self, connection: Connection, docket: Docket, *, origin: str | None = None) -> list[tuple[Any, ...]]:
        parameters = (
            docket.head, origin or self.origin, self._durable, None if self._alone else self._patience,
            *docket.columns(sorted(docket.kinds - self._kinds)),
        )  # fmt: skip
        return connection.cursor(binary=True).execute(self._sql["append"], parameters, prepare=True).fetchall()

    def _send(self, docket: Docket, *, lost: bool = False) -> bool:
        """Have it written; whether it was. The window then holds it, and otherwise what stands there in its place.

        `lost`: it was sent before, and nobody knows what became of it.
        """
        patience = Patience(self._connections.timeout)
        try:
            while (rows := self._try(docket, patience, lost=lost)) is None:
                lost = True
        except BaseException:
            docket.forget()
            raise
        if not rows or (lost and rows[0][4] == docket.first_leaf):
            self._written(docket)
            self._learn(rows)
            return True
        self._overtaken(docket, rows)
        return False

    def _try(self, docket: Docket, patience: Patience, *, lost: bool) -> list[tuple[Any, ...]] | None:
        """What the server answers; None where the connection broke before it had."""
        connection = None
        try:
            connection = self._connected(patience)
            return self._call(connection, docket)
        except UniqueViolation:
            raise
        except (psycopg.Error, ActumError) as wrong:
            # That nothing was written this time says nothing of the time before.
            breaks = _breaks(wrong, connection)
            if not breaks or not patience.wait():
                self._failed(wrong, unknown=lost or breaks)
            self._disconnect()
            return None
        except BaseException:
            self._disconnect()
            raise

    def _failed(self, wrong: psycopg.Error | ActumError, *, unknown: bool) -> NoReturn:
        if not unknown:
            raise wrong
        said = translation(wrong, self._address) if isinstance(wrong, psycopg.Error) else wrong
        self._disconnect()
        raise OutcomeUnknown(
            "the connection broke in the middle of a commit, and what became of it could not be found out "
            f"({said}); repeat the call with the same command id"
        ) from wrong

    def _written(self, docket: Docket) -> None:
        docket.keep()
        self._recorded, leaf = docket.last
        self._newest = (self.window.head, leaf)
        self._kinds |= docket.kinds
        self._reader.newest = max(self._reader.newest, self.window.head)
        self.window.turn_over(WINDOW_SIZE, indexed=self.window.head)

    def remember(self, key: str, snapshot: Snapshot) -> None:
        """See `Snapshots.remember`."""
        self._check_writable()
        row = (key, snapshot.position, snapshot.fingerprint, snapshot.data)
        self._connections.ask(lambda connection: connection.execute(self._sql["remember"], row))

    # Restoring.

    def restore(self, origin: str, events: Sequence[SequencedEvent], decisions: Sequence[DecisionRecord]) -> Position:
        """See `Archive.restore`."""
        with self.lock, translated(self._address):
            self._check_writable()
            connection = self._connected(Patience(self._connections.timeout))
            docket: Docket | None = None
            try:
                with connection.transaction():
                    if not self._alone:
                        connection.execute(self._sql["take_turn"], (self._patience,))
                    docket = self._continuation(origin, events, decisions)
                    if origin != self.origin:
                        connection.execute(self._sql["take_on"], (origin,))
                    if not docket.is_empty:
                        self._call(connection, docket, origin=origin)
            except BaseException as wrong:  # noqa: BLE001 - whatever it is, it is raised again
                self._let_go(docket)
                self._not_restored(wrong, connection)
            self.origin = origin
            if not docket.is_empty:
                self._written(docket)
            return self.window.head

    def _continuation(
        self, origin: str, events: Sequence[SequencedEvent], decisions: Sequence[DecisionRecord]
    ) -> Docket:
        """What is to be restored, where it continues what is there. The turn is ours."""
        head = self.catch_up()
        self._refresh()
        checked_continuation(origin, events, decisions, onto=self.origin, head=head, recorded=self._recorded)
        docket = self._docket({})
        for event in events:
            docket.restore(event)
        for record in decisions:
            docket.enter(record, self._numbers(record.handler, record.condition))
        return docket

    def _not_restored(self, wrong: BaseException, connection: Connection) -> NoReturn:
        if isinstance(wrong, UniqueViolation):
            raise Invalid(
                f"a command of these decisions is decided in {self._address} already; restore into an empty journal"
            ) from wrong
        if _breaks(wrong, connection):
            self._disconnect()
            raise OutcomeUnknown(
                f"the connection to {self._address} broke in the middle of restoring; look at the head, and restore what is "
                "not there yet"
            ) from wrong
        raise wrong

    def close(self, *, untold: Position) -> None:
        """Give the connection back, once the append under way is done, and tell other processes of what they do not know."""
        with self.lock:
            self._closed = True
            if untold and self._connection is not None:
                with suppress(psycopg.Error):
                    self._connection.execute(self._sql["notify"], (str(untold),))
            self._disconnect()


def _breaks(wrong: BaseException, connection: Connection | None) -> bool:
    """Whether nobody knows how far the server came, because the connection broke."""
    if not isinstance(wrong, psycopg.Error):
        return False
    return is_lost(wrong) or wrong.sqlstate in _AGAIN or (connection is not None and connection.closed)

"""The one connection that writes: group commit, and the index that follows behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw
import msgspec

from actum.journal.store import Appended, DecisionRecord, Repeated
from actum.stores.shapes import record_of
from actum.stores.sqlite import tag_index
from actum.stores.sqlite.conditions import Conditions
from actum.stores.sqlite.interning import json_of
from actum.stores.sqlite.known import WINDOW_SIZE, Known
from actum.stores.sqlite.rows import Rows
from actum.stores.sqlite.turns import Turns
from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from actum.journal.clock import Clock, Microseconds
    from actum.journal.event import EventData, Position
    from actum.journal.store import Append, DecisionKey, Outcome
    from actum.stores.sqlite.doorbell import Doorbell

_SQL = statements("sqlite/queries.sql")

INDEX_BEHIND = 1024
"""How many events the index may lag behind before the one who crosses the bound writes it."""


class _Batch(msgspec.Struct, eq=False):
    """What one transaction is about to write, and whom it has turned down."""

    head: Position
    decided: dict[bytes, DecisionRecord]
    events: list[EventData] = []
    decisions: list[DecisionRecord] = []
    turned_down: list[Append] = []


class Writer:
    """Every write of this process goes through here, one turn at a time."""

    def __init__(
        self,
        connection: apsw.Connection,
        path: Path,
        *,
        origin: str,
        clock: Clock,
        bell: Doorbell | None,
        timeout: float,
    ) -> None:
        self.connection = connection
        self.known = Known(connection, path, origin=origin)
        self.rows = Rows(self.known)
        self.turns = Turns(self.known, self.rows, bell=bell, timeout=timeout)
        self.lock = self.turns.lock
        self.turn, self.alone = self.turns.turn, self.turns.alone
        self._conditions = Conditions(self.known)
        self._clock = clock

    def now(self) -> Microseconds:
        """The time at which the next event would be recorded, as far as is known here."""
        return max(self.known.recorded, self._clock.now())

    # Appending.

    def append(self, batch: Sequence[Append]) -> list[Outcome]:
        """See `EventStore.append`.

        A command that was decided before is rare: that no two decisions have one command is left to the table's key,
        and only where it objects is the batch begun again, knowing which commands those are.
        """
        try:
            return self._append(batch, asking=False)
        except apsw.ConstraintError:
            return self._append(batch, asking=True)

    def _append(self, batch: Sequence[Append], *, asking: bool) -> list[Outcome]:
        turns = self.turns
        with turns.lock, turns.said, turns.next as head:
            recorded = max(self.known.recorded, self._clock.now())
            work = _Batch(head, self._already_decided(batch) if asking else {})
            outcomes = [self._settle(entry, work, recorded) for entry in batch]
            self.rows.write_events(work.events, first=head + 1, recorded=recorded)
            self.rows.write_decisions(work.decisions)
            self.write_index_behind()
        if work.events:
            self.known.recorded = recorded
        return outcomes

    def _settle(self, entry: Append, work: _Batch, recorded: int) -> Outcome:
        decision, condition, window = entry.decision, entry.condition, self.known.window
        if decision is not None and decision.command in work.decided:
            work.turned_down.append(entry)
            return Repeated(work.decided[decision.command])
        if condition is not None:
            collided = self._conditions.collision(entry, condition, head=work.head, turned_down=work.turned_down)
            if collided is not None:
                work.turned_down.append(entry)
                return self._repeated(decision) or collided
        events, first = entry.events, window.head + 1
        if decision is not None:
            evidence = self._conditions.evidence(entry, work.head)
            record = DecisionRecord(decision.command, decision.digest, decision.handler, evidence, first, len(events))
            work.decided[decision.command] = record
            work.decisions.append(record)
        window.extend([(event.type, event.tags) for event in events])
        work.events += events
        return Appended(first, window.head, recorded)

    def _repeated(self, decision: DecisionKey | None) -> Repeated | None:
        """What a command collides with may be what it led to itself, the first time."""
        row = decision and self.connection.execute(_SQL["decision"], (decision.command,)).fetchone()
        return Repeated(record_of(row)) if row else None

    def _already_decided(self, batch: Sequence[Append]) -> dict[bytes, DecisionRecord]:
        commands = [entry.decision.command for entry in batch if entry.decision is not None]
        if not commands:
            return {}
        asked = json_of([command.hex() for command in commands])
        found = map(record_of, self.connection.execute(_SQL["decided"], (asked,)))
        return {record.command: record for record in found}

    # The index that follows behind.

    def write_index_behind(self) -> None:
        """Bring the index up to the head, inside the caller's turn, where it is too far behind."""
        known = self.known
        head = known.window.head
        if head - known.indexed <= INDEX_BEHIND:
            return
        tag_index.add(self.connection, known.indexed + 1, known.window.tags_after(known.indexed))
        marks = json_of(self._newest_by_kind(head))
        self.connection.execute(_SQL["mark_kinds"], (marks,))
        self.connection.execute(_SQL["write_description"], ("indexed", str(head)))
        known.indexed = head
        known.window.turn_over(WINDOW_SIZE, indexed=head)

    def _newest_by_kind(self, head: Position) -> list[tuple[int, Position]]:
        """A kind's newest position; that of its type does for all its versions."""
        newest = self.known.window.newest_of
        return [(number, min(newest.get(kind.type, 0), head)) for number, kind in self.known.kinds.by_number().items()]

    def close(self) -> None:
        """Give everything back."""
        with self.lock:
            self.turns.close()
            self.connection.close()

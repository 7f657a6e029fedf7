"""Events and decisions as rows of their tables, written many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from actum.journal.merkle import first_lines, kind_lines, seal
from actum.stores.shapes import shape_of
from actum.stores.sqlite.interning import Names
from actum.stores.statements import many

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actum.journal.clock import Microseconds
    from actum.journal.event import EventData, Position, SequencedEvent
    from actum.journal.store import DecisionRecord
    from actum.stores.sqlite.known import Known

Values: TypeAlias = "list[Any]"
"""The values of many rows, one row after the other."""

_AT_ONCE = (64, 16, 4, 1)
_EVENTS = {size: many("INSERT INTO events", "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", size) for size in _AT_ONCE}
_DECISIONS = {size: many("INSERT INTO decisions", "(?, ?, ?, ?, ?, ?, ?, ?)", size) for size in _AT_ONCE}


class Rows:
    """Writes them on the writer's connection, inside its turn."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._handlers = Names("handlers", "add_handler")
        self._shapes = Names("shapes", "add_shape")

    def forget(self) -> None:
        """What was written may have been taken back."""
        self._handlers.forget()
        self._shapes.forget()

    def write_events(self, events: Sequence[EventData], *, first: Position, recorded: Microseconds) -> None:
        """New events, from position `first` on, each with its commitment."""
        values: Values = []
        begins = first_lines(self._known.origin)
        shared: dict[tuple[str, int, Microseconds | None], tuple[int, str]] = {}
        for position, event in enumerate(events, first):
            id, data, metadata, salt = event.id, event.data, event.metadata, event.salt
            effective, tags = event.effective, "\n".join(event.tags)
            alike = event.type, event.version, effective
            if alike not in shared:
                shared[alike] = self._kind(*alike, recorded)
            kind, lines = shared[alike]
            committed = seal(begins, position, id, lines, tags, metadata, data, salt)
            values += (position, kind, id, recorded, effective, tags, data, metadata, salt, committed)
        self._insert(_EVENTS, values, 10)

    def _kind(self, type: str, version: int, effective: Microseconds | None, recorded: Microseconds) -> tuple[int, str]:
        """The number of a kind, and what its events of this moment have in common in what is committed to."""
        number = self._known.kinds.number(self._known.connection, type, version)
        return number, kind_lines(type, version, recorded=recorded, effective=effective)

    def write_restored(self, events: Iterable[SequencedEvent]) -> None:
        """Events as another journal has kept them, to the byte."""
        known = self._known
        values: Values = []
        for event in events:
            kind = known.kinds.number(known.connection, event.type, event.version)
            values += (
                event.position, kind, event.id, event.recorded, event.effective, event.tag_text, event.data,
                event.metadata_bytes, event.salt, event.leaf,
            )  # fmt: skip
        self._insert(_EVENTS, values, 10)

    def write_decisions(self, records: Iterable[DecisionRecord]) -> None:
        """The decisions that led to them."""
        connection = self._known.connection
        values: Values = []
        for record in records:
            handler = self._handlers.number(connection, record.handler)
            shape = tags = after = None
            if record.condition is not None:
                text, tags = shape_of(record.condition.fail_if_events_match)
                shape, after = self._shapes.number(connection, text), record.condition.after
            values += (record.command, record.digest, handler, shape, tags, after, record.first, record.count)
        self._insert(_DECISIONS, values, 8)

    def _insert(self, inserts: dict[int, str], values: Values, width: int) -> None:
        """In few steps: each step of the engine gives up the interpreter's lock and must win it back."""
        execute, start = self._known.execute, 0
        if len(values) == width:
            execute(inserts[1], values)
            return
        for rows, sql in inserts.items():
            size = rows * width
            while len(values) - start >= size:
                execute(sql, values[start : start + size])
                start += size

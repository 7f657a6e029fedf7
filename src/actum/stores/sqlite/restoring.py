"""Filling a file with what another journal kept, to the byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw

from actum.journal.errors import Invalid
from actum.journal.store import checked_continuation
from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.journal.event import Position, SequencedEvent
    from actum.journal.store import DecisionRecord
    from actum.stores.sqlite.writing import Writer

_SQL = statements("sqlite/queries.sql")


def restore(
    writer: Writer, origin: str, events: Sequence[SequencedEvent], decisions: Sequence[DecisionRecord]
) -> Position:
    """See `Archive.restore`."""
    known = writer.known
    with writer.turn() as head:
        checked_continuation(origin, events, decisions, onto=known.origin, head=head, recorded=known.recorded)
        known.window.extend((event.type, event.tags) for event in events)
        writer.rows.write_restored(events)
        try:
            writer.rows.write_decisions(decisions)
        except apsw.ConstraintError as wrong:
            raise Invalid(
                f"a command of these decisions is decided in {known.path} already; restore into an empty journal"
            ) from wrong
        if origin != known.origin:
            known.connection.execute(_SQL["write_description"], ("origin", origin))
        writer.write_index_behind()
    known.origin = origin
    if events:
        known.recorded = events[-1].recorded
    return known.window.head

"""Receipts: what was written, looked up in the journal itself; for all who were answered together, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actum.decision.lane import Lane
from actum.http.answers import receipt_of
from actum.journal.query import Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actum.decision.lane import Ticket
    from actum.decision.outcome import Decided
    from actum.http.answers import Receipt
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.store import JournalStore

APART = 64
"""How many positions may lie between two decisions that are read together: to read over so many is less than to read again."""


class Written(msgspec.Struct, frozen=True, gc=False):
    """Where a decision stands, and by which rule it was made."""

    handler: str
    first: Position
    last: Position


class Receipts:
    """Looks them up. Callers on any event loop may share it; `close` it before the journal."""

    def __init__(self, store: JournalStore) -> None:
        self._store = store
        self._lane: Lane[tuple[Decided, str], Receipt] = Lane(self._look_up, name="the receipts")

    async def of(self, decided: Decided, *, handler: str) -> Receipt:
        """The receipt of what this handler decided; of a repetition, what its decision record says."""
        return await self._lane.call_async((decided, handler))

    def close(self) -> None:
        """Look up what was asked for, and nothing more."""
        self._lane.close()

    def _look_up(self, asked: Sequence[Ticket[tuple[Decided, str], Receipt]]) -> None:
        written = [self._written(*ticket.job) for ticket in asked]
        stored: dict[Position, SequencedEvent] = {}
        for first, last in stretches(written):
            stored |= {each.position: each for each in self._store.read(Query.all(), after=first - 1, until=last)}
        for ticket, each in zip(asked, written, strict=True):
            own = [stored[position] for position in range(each.first, each.last + 1) if position in stored]
            ticket.succeed(receipt_of(self._store.origin, each.handler, own))

    def _written(self, decided: Decided, handler: str) -> Written:
        if decided.repeated and decided.command is not None:
            earlier = self._store.decision(decided.command)
            if earlier is not None:
                return Written(earlier.handler, earlier.first, decided.position)
        return Written(handler, decided.position - max(len(decided.events), 1) + 1, decided.position)


def stretches(written: Sequence[Written]) -> Iterator[tuple[Position, Position]]:
    """What is to be read for all of them: from where to where, in order. What is near one another is read together."""
    begun: tuple[Position, Position] | None = None
    for first, last in sorted((each.first, each.last) for each in written):
        if begun is not None and first - begun[1] <= APART:
            begun = (begun[0], max(begun[1], last))
            continue
        if begun is not None:
            yield begun
        begun = (first, last)
    if begun is not None:
        yield begun

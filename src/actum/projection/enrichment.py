"""What a handler asks for beside its event: other views as they are now, or rows as they were at the event.

A table as it is now is quick, and shows what it shows at the moment: built anew, a projection finds other rows there. A row as
of the event is folded from its own events up to that one, so it is the same whenever it is asked for.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Generic

from actum.projection.view import ViewT, plan_of

if TYPE_CHECKING:
    from actum.decision.state import Identity
    from actum.journal.codec import Codec
    from actum.journal.event import Position
    from actum.journal.readmodel import ReadDatabase
    from actum.journal.store import EventStore

ROWS_KEPT = 1000
"""How many rows as of an event are kept, to be gone on with at the next event."""


class Around:
    """Where what a handler asks for comes from, for as long as one page of events is taken in."""

    def __init__(self, database: ReadDatabase, *, store: EventStore, codec: Codec) -> None:
        self.database = database
        self.codec = codec
        self._store = store
        self._known: dict[tuple[type, tuple[Identity, ...]], tuple[Position, Any]] = {}

    def row(self, view: type[ViewT], ids: tuple[Identity, ...], *, until: Position) -> ViewT | None:
        """One row as of a position; None where nothing had happened to it."""
        fold = plan_of(view).fold
        position, found = self._found(view, ids)
        if position > until:
            position, found = 0, None
        events = list(self._store.read(fold.query(self.codec, fold.tags(ids)), after=position, until=until))
        if events:
            found = fold.new(ids) if found is None else found
            fold.replay(found, events, self.codec)
        if len(self._known) >= ROWS_KEPT:
            self._known.clear()
        self._known[view, ids] = (until, found)
        return copy.deepcopy(found)

    def _found(self, view: type[ViewT], ids: tuple[Identity, ...]) -> tuple[Position, ViewT | None]:
        return self._known.get((view, ids), (0, None))


class AsOf(Generic[ViewT]):
    """Rows of a view as they were right after the event that is taken in, whatever has happened since.

    ```python
    @bank.projection
    def overdrafts(event: Withdrawn, db: Any, balances: AsOf[Balance]) -> None:
        balance = balances.get(event.account)
    ```

    Each row is folded from its own events, and goes on from one event of a page to the next.
    """

    def __init__(self, view: type[ViewT], around: Around, *, until: Position) -> None:
        self._view = view
        self._around = around
        self._until = until

    def get(self, *identity: Identity) -> ViewT | None:
        """The row of one thing; None where nothing had happened to it yet."""
        return self._around.row(self._view, plan_of(self._view).fold.ids(identity), until=self._until)

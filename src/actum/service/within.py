"""Commands and facts in one transaction with the caller's own tables, for those who are on their way from such tables.

```python
with psycopg.connect(…) as connection:
    connection.execute("UPDATE customers SET …")
    running.within(connection).execute(Rename(customer="C-1", name="Zoé"))
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from actum.decision.acting import Acting
from actum.decision.state import Fold, Identity, State, fold_of
from actum.history.as_of import state_at
from actum.journal.errors import Busy
from actum.service.opening import joined_to, tables_joined_to

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from actum.decision.command import Command
    from actum.decision.outcome import Decided
    from actum.journal.event import Event, Position
    from actum.journal.query import AppendCondition
    from actum.journal.store import JournalStore
    from actum.service.counter import Counter
    from actum.service.declared import Declared
    from actum.service.views import Views

StateT = TypeVar("StateT", bound=State)

MOST_BEHIND = 10_000
"""How many events views may be behind, at the most, that are to be projected in somebody's transaction."""


class Within:
    """An application within a transaction of the caller's. Made by `Running.within`; for one thread and one transaction.

    What is answered here becomes true when the caller commits, and never was when they roll back. Nobody else appends
    to the journal meanwhile: keep the transaction short.
    """

    def __init__(
        self, app: Declared, store: JournalStore, counter: Counter, *, views: Views, connection: object
    ) -> None:
        self._app = app
        self._store = store
        self._counter = counter
        self._views = views
        self._connection = connection

    def execute(
        self,
        command: Command,
        *,
        id: UUID | str | None = None,
        actor: str | None = None,
        on_behalf_of: str | None = None,
        reason: str | None = None,
        correlation: UUID | None = None,
        causation: UUID | None = None,
        effective_at: datetime | None = None,
    ) -> Decided:
        """Have a command decided: see `Running.execute`. A refusal is on record once the caller commits."""
        acting = Acting(actor, on_behalf_of, None, reason, correlation, causation)
        return self._counter.execute(command, id=id, acting=acting, effective_at=effective_at)

    def append(
        self,
        *events: Event,
        condition: AppendCondition | None = None,
        actor: str | None = None,
        reason: str | None = None,
        effective_at: datetime | None = None,
    ) -> Decided:
        """Take down facts that no rule decides: see `Running.append`."""
        return self._counter.append(
            events, condition=condition, acting=Acting(actor, reason=reason), effective_at=effective_at
        )

    def state(self, state: type[StateT], *identity: Identity) -> StateT:
        """One thing as rules see it in this transaction, what it has appended so far included."""
        fold: Fold[StateT] = fold_of(state)
        until = self._store.head()
        return state_at(self._store, self._app.codec, fold=fold, ids=fold.ids(identity), until=until)

    def project(self) -> Position:
        """Have every view and projection take in what this transaction has appended, in this very transaction.

        Rows are then there from the moment at which the events are. Answers how far they have come. `Busy` where workers hold
        them, or where they are more than 10,000 events behind; `Invalid` where the views are not in the same database.
        """
        database, head = tables_joined_to(self._views.database, self._connection), self._store.head()
        reached = self._views.project_into(database, store=self._store, most=MOST_BEHIND)
        if reached < head:
            raise Busy(
                f"the views are at position {reached}, expected {head}: workers keep them up, in transactions of their own"
            )
        return reached


def within(app: Declared, store: JournalStore, counter: Counter, *, views: Views, connection: object) -> Within:
    """The application in the transaction of that connection. `Invalid` where the journal is not in the same kind of database."""
    joined = joined_to(store, connection)
    return Within(app, joined, counter.at(joined), views=views, connection=connection)

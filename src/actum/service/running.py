"""An application at work on a journal: give it commands, ask it, look into its past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

from actum.decision.acting import Acting
from actum.decision.state import State
from actum.service.counter import Counter

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType
    from uuid import UUID

    from actum.decision.command import Command
    from actum.decision.outcome import Decided
    from actum.journal.clock import Ids
    from actum.journal.event import Event, Position
    from actum.journal.query import AppendCondition
    from actum.journal.store import JournalStore
    from actum.service.app import App

StateT = TypeVar("StateT", bound=State)


class Running:
    """Made by `App.open`. Share one between the threads of a process; a context manager that closes it."""

    def __init__(self, app: App, store: JournalStore, *, ids: Ids, actor: str | None, states_kept: int) -> None:
        self.app = app
        self.store = store
        self._counter = Counter(app, store, ids=ids, acting=Acting(actor), states_kept=states_kept)

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
        """Have a command decided, once for its `id`: a retry, also after a crash, gets the first answer.

        Who acts comes from here, from `acting(…)` around, or from `open(actor=…)`. `effective_at` is when it happened,
        where that is not now. Raises `Refused` where the rules say no (on record, at its `position`), `Conflict` where
        too much happened meanwhile, `Reused` for an id of another command, `Invalid` for values that do not fit.
        """
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
        """Take down facts that no rule decides: what a sensor says, what another system did. All or none of them.

        With a `condition`, raises `Conflict` where an event that matches it happened after its position.
        """
        acting = Acting(actor, reason=reason)
        return self._counter.append(events, condition=condition, acting=acting, effective_at=effective_at)

    def head(self) -> Position:
        """The position of the newest event."""
        return self.store.head()

    def close(self) -> None:
        """Finish what was handed in, then close the journal."""
        self._counter.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

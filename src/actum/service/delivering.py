"""Events brought to a target of somebody's own, by a thread, for as long as one wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from actum.history.as_of import position_at
from actum.subscription.progress import Progress, checked_timeout
from actum.subscription.runner import Runner

if TYPE_CHECKING:
    from types import TracebackType

    from actum.journal.event import Position
    from actum.journal.store import JournalStore
    from actum.projection.target import Courier


class Delivery:
    """Made by `Running.deliver`. A context manager that stops it; what was brought stays."""

    def __init__(self, store: JournalStore, courier: Courier) -> None:
        self._store = store
        self._progress = Progress("the target")
        self._runner = Runner(
            store, courier.step, position=lambda: courier.position, progress=self._progress, name="delivery"
        )
        self._runner.start()

    @property
    def position(self) -> Position:
        """Everything up to here is in the target, or does not concern it."""
        return self._progress.position

    @property
    def trouble(self) -> BaseException | None:
        """What keeps it from going on for the moment; None while all is well."""
        return self._progress.error

    def wait_for(self, position: Position, *, timeout: float = 10.0) -> None:
        """Block until the target has everything up to that position.

        Raises `Busy` after `timeout` seconds, `Unavailable` where the target cannot go on, `Invalid` for a position from the future.
        """
        position_at(self._store, position, what="wait_for")
        checked_timeout(timeout)
        if self._progress.error is not None:
            self._runner.nudge()
        self._progress.wait(position, timeout=timeout)

    def stop(self) -> None:
        """End after the page under way."""
        self._runner.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

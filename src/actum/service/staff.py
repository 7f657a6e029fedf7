"""Who is at work on the processes: one who knows what is due, one who calls the outside, and one who does all else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import uuid4

from actum.process.naming import TIMERS
from actum.process.performing import Performer
from actum.process.worker import Worker
from actum.service.agenda import Agenda

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actum.journal.event import Position
    from actum.journal.readmodel import ReadDatabase
    from actum.journal.store import JournalStore
    from actum.process.agenda import Give
    from actum.service.reacting import Reacting
    from actum.subscription.worker import Followed


class Staff:
    """All of them, for what `owner` holds, or, without one, for what nobody does. `threads` calls the outside beside the work, and `freed`
    is told when a call is over.

    A `Hand` of a worker.
    """

    trouble = None
    """What goes wrong is parked, or tried again: see `actum.process.parking`."""

    def __init__(
        self,
        app: Reacting,
        store: JournalStore,
        *,
        database: ReadDatabase,
        give: Give,
        threads: bool,
        freed: Callable[[], None],
        owner: str = "",
    ) -> None:
        names = (TIMERS, *app.processes, *app.effects)
        self.agenda = Agenda(store, app.codec, database=database, names=names, schedules=app.schedules)
        self.performer = Performer(
            app.effects,
            store=store,
            codec=app.codec,
            give=give,
            worker=f"{app.name}/{os.getpid()}/{uuid4().hex[:8]}",
            threads=threads,
            freed=freed,
        )
        self.worker = Worker(
            store=store,
            codec=app.codec,
            database=database,
            agenda=self.agenda,
            give=give,
            definitions=app.definitions,
            effects=tuple(app.effects.values()),
            schedules=tuple(app.schedules.values()),
            commands=lambda: app.commands,
            performer=self.performer,
            owner=owner,
        )

    @property
    def followed(self) -> Sequence[Followed]:
        """See `Hand.followed`."""
        return self.worker.followed

    @property
    def position(self) -> Position:
        """See `Hand.position`."""
        return self.worker.position

    def prepare(self) -> None:
        """See `Hand.prepare`."""
        self.worker.begin()

    def look_again(self) -> None:
        """See `Hand.look_again`."""
        self.worker.look_again()

    def step(self) -> bool:
        """See `Hand.step`."""
        return self.worker.step()

    def rest(self, longest: float) -> float:
        """See `Hand.rest`."""
        return self.worker.rest(longest)

    def close(self) -> None:
        """Wait for the calls that are under way."""
        self.performer.close()

"""An application: declared by its decorators, then opened on a journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actum.decision.desk import STATES_KEPT
from actum.journal.clock import SYSTEM_CLOCK, SYSTEM_IDS
from actum.journal.store import DEFAULT_PAYLOAD_LIMIT, Durability
from actum.projection.changed import Rebuilds
from actum.service.hearing import Connected
from actum.service.opening import open_read_database, open_store
from actum.service.part import Part
from actum.service.running import Running

if TYPE_CHECKING:
    from pathlib import Path

    from actum.journal.clock import Clock, Ids
    from actum.journal.readmodel import ReadDatabase
    from actum.journal.store import JournalStore
    from actum.service.running_async import OpeningAsync


class App(Connected):
    """A bounded context by its name: `bank = App("bank")`. Declare with its decorators, then `open` it on a journal.

    `version` and `revision` say which code is running; they go into the envelope of every event as its producer.
    """

    def open(
        self,
        journal: str | Path | JournalStore,
        *,
        actor: str | None = None,
        read_database: str | Path | ReadDatabase | None = None,
        follow: bool = True,
        part: Part | None = None,
        rebuilds: Rebuilds = Rebuilds.AUTOMATIC,
        durability: Durability = Durability.POWER_LOSS,
        payload_limit: int = DEFAULT_PAYLOAD_LIMIT,
        timeout: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
        ids: Ids = SYSTEM_IDS,
        states_kept: int = STATES_KEPT,
    ) -> Running:
        """Run the application on a journal: the path of a file, made where there is none, `"memory:"`, or a store that is
        open already and is closed with the application.

        `actor` is who acts where a command does not say. The views are kept in `read_database`, a file of its own beside
        the journal unless another is named; a thread keeps them up, or with `follow=False` whoever waits for them does,
        and `catch_up()`. `part` has this process do only one part of the work, where others do the rest: it then neither
        follows nor writes what is not its own. `rebuilds` says what to do where a view has changed since its rows were made.
        `states_kept` is how many states decisions keep between them, `timeout` how many seconds to wait for another process
        that writes. Raises `Misdeclared` where the declarations do not fit.
        """
        self.codec  # noqa: B018 - what does not fit is found before a file is made
        store = open_store(
            journal,
            durability=durability,
            payload_limit=payload_limit,
            timeout=timeout,
            clock=clock,
            read_only=part is Part.QUERIES,
        )
        database = None
        try:
            self.codec.check(store.kinds())
            if part is not Part.COMMANDS and (self._views or self._projections or self.reacts or self.heard):
                database = open_read_database(read_database, journal=journal, origin=store.origin)
            return Running(
                self,
                store,
                ids=ids,
                actor=actor,
                states_kept=states_kept,
                database=database,
                follow=follow,
                part=part,
                rebuilds=rebuilds,
            )
        except BaseException:
            if database is not None:
                database.close()
            store.close()
            raise

    def open_async(
        self,
        journal: str | Path | JournalStore,
        *,
        actor: str | None = None,
        read_database: str | Path | ReadDatabase | None = None,
        follow: bool = True,
        part: Part | None = None,
        rebuilds: Rebuilds = Rebuilds.AUTOMATIC,
        durability: Durability = Durability.POWER_LOSS,
        payload_limit: int = DEFAULT_PAYLOAD_LIMIT,
        timeout: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
        ids: Ids = SYSTEM_IDS,
        states_kept: int = STATES_KEPT,
    ) -> OpeningAsync:
        """The same for callers who await: `async with bank.open_async(…) as running:` or `running = await bank.open_async(…)`."""
        from actum.service.running_async import OpeningAsync  # noqa: PLC0415 - asyncio is half of an import

        return OpeningAsync(
            lambda: self.open(
                journal,
                actor=actor,
                read_database=read_database,
                follow=follow,
                part=part,
                rebuilds=rebuilds,
                durability=durability,
                payload_limit=payload_limit,
                timeout=timeout,
                clock=clock,
                ids=ids,
                states_kept=states_kept,
            )
        )

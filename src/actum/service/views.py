"""The side of an application that is read: its views kept up with the journal, and its queries answered from them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from actum.history.as_of import position_at
from actum.journal.clock import SYSTEM_IDS
from actum.journal.conforming import checker
from actum.journal.errors import Busy, Invalid, Unavailable, Unknown
from actum.journal.event import Position, checked_position
from actum.journal.store import Replicated
from actum.projection.changed import Rebuilds
from actum.projection.notes import Scribe
from actum.projection.place import live_of, own_of
from actum.projection.query import Query
from actum.projection.table import Table
from actum.projection.view import View, plan_of
from actum.service.opening import MEMORY, open_read_database
from actum.subscription.progress import Progress, checked_timeout
from actum.subscription.runner import LOOK_ANYWAY, Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from actum.history.as_of import Moment
    from actum.journal.readmodel import ReadDatabase
    from actum.journal.store import EventStore, JournalStore
    from actum.projection.parking import Parking
    from actum.projection.projector import Progressed
    from actum.projection.query import AnswerT
    from actum.projection.status import FollowerStatus
    from actum.service.declared import Declared
    from actum.service.shelf import Shelf
    from actum.service.working import Hand, Workers

ViewT = TypeVar("ViewT", bound=View)


WATCHED = 0.01
"""Seconds between two looks at the checkpoints of others, while somebody waits for them."""

GLANCED_AT = 0.05
"""Seconds between two such looks while the views are behind and nobody waits."""


LONGEST_WAIT = 60.0
"""Seconds for which one waits at the most for others to have caught up."""


class Upkeep(Enum):
    """Who keeps the views up."""

    THREAD = "a thread of this process"
    CALLERS = "whoever waits for them, and catch_up()"
    OTHERS = "other processes, whose checkpoints are watched; so it is always where nothing can be written"
    NONE = "nobody here: this process has no read database"


class Views:
    """The views of an application over one read database."""

    def __init__(
        self,
        app: Declared,
        store: JournalStore,
        *,
        database: ReadDatabase | None,
        upkeep: Upkeep,
        rebuilds: Rebuilds = Rebuilds.AUTOMATIC,
    ) -> None:
        self._app = app
        self._store = store
        self._database = database
        if database is not None and upkeep is not Upkeep.NONE and not database.writable():
            upkeep = Upkeep.OTHERS
        self._upkeep = upkeep
        self.progress = Progress("the views")
        self._scribe = Scribe(SYSTEM_IDS, app.producer, app.producer)
        self._shelf: Shelf | None = None
        self._runner: Runner | None = None
        self._workers: Workers | None = None
        if upkeep is not Upkeep.NONE and (app.views or app.projections):
            from actum.service.shelf import Shelf  # noqa: PLC0415 - a third of what `import actum` may cost

            self._shelf = Shelf(app, store, database=self.database, rebuilds=rebuilds, scribe=self._scribe)
            if upkeep is Upkeep.THREAD:
                self._runner = self._following(self._shelf)
            elif upkeep is Upkeep.OTHERS:
                self._runner = self._watching()

    def _following(self, shelf: Shelf) -> Runner:
        runner = Runner(
            self._store,
            shelf.step,
            position=lambda: shelf.position,
            progress=self.progress,
            name="views",
            trouble=lambda: shelf.trouble,
            rest=shelf.rest,
        )
        runner.start()
        shelf.begin()
        return runner

    def _watching(self) -> Runner:
        """Somebody who looks how far others have come: often while somebody waits for it, else when the journal grows."""
        runner = Runner(
            self._store,
            lambda: False,
            position=self._seen,
            progress=self.progress,
            name="watch",
            trouble=lambda: None if self._workers is None else self._workers.trouble,
            rest=self._until_next_look,
        )
        runner.start()
        return runner

    def _until_next_look(self, longest: float) -> float:
        if self.progress.awaited:
            return WATCHED
        return GLANCED_AT if self.progress.position < self._store.head() else longest

    def _seen(self) -> Position:
        """How far everything that is shown has come, by its own checkpoints."""
        tables = self.database.tables()
        marks = self.database.marks()
        reached = [marks[one.table].position if one.table in marks else 0 for one in self.shelf.in_place]
        for place in self.shelf.places.values():
            mine = [each for each in tables if (each.shape.name or each.shape.table) == place.plan.table]
            standing = own_of(mine, place.plan.shape) or live_of(mine)
            reached.append(0 if standing is None else standing.mark.position)
        return min(reached, default=0)

    @property
    def there(self) -> bool:
        """Whether this process has tables to show."""
        return self._shelf is not None

    @property
    def shelf(self) -> Shelf:
        """The tables. `Unknown` where there is no view, `Unavailable` where this process has none of them open."""
        if self._shelf is None:
            raise self._nowhere()
        return self._shelf

    def _nowhere(self) -> Unavailable | Unknown:
        if self._app.views or self._app.projections:
            return Unavailable(f"this process has no views of {self._app.name} open; ask the one for its queries")
        return Unknown("view", "any", ())

    @property
    def database(self) -> ReadDatabase:
        """Where the tables are. `Unknown` where there is no view, `Unavailable` where this process has none of them open."""
        if self._database is None:
            raise self._nowhere()
        return self._database

    def table(self, view: type[ViewT], at: Moment | None = None) -> Table[ViewT]:
        """The view's table; as of a moment, one folded in memory for the purpose."""
        self._declared(view)
        if at is None:
            return Table(view, self.database, place=self.shelf.place(view))
        from actum.projection.projector import Projector  # noqa: PLC0415 - not for whoever only imports actum

        passing = open_read_database(MEMORY, journal=MEMORY, origin=self._store.origin)
        until = position_at(self._store, at)
        look = Projector(
            self._store, self._app.codec, database=passing, plans=[plan_of(view)], until=until, scribe=None
        )
        look.catch_up()
        return Table(view, passing)

    def _declared(self, view: type[View]) -> None:
        if self._app.views.get(view.__name__) is not view:
            raise Unknown("view", view.__name__, tuple(sorted(self._app.views)))

    def ask(self, query: Query[AnswerT], at: Moment | None = None) -> AnswerT:
        """The answer to a query; as of a moment, from tables folded for the purpose."""
        if not isinstance(query, Query):
            raise Invalid(f"expected a query, found {query!r:.80} ({type(query).__name__})")
        answer = self._app.answer(type(query))
        checker(type(query))(query)
        tables: dict[str, Table[Any]] = {name: self.table(view, at) for name, view in answer.tables.items()}
        found: AnswerT = answer.function(query, **tables)
        return found

    # Keeping up.

    def shown(self, *views: type[View]) -> Position:
        """Up to where the tables of these views show the journal, as they themselves say; the head for no view."""
        if not views:
            return self._store.head()
        return min(self.shelf.place(view).position() for view in views)

    def tables(self, *views: type[View]) -> tuple[str, ...]:
        """The tables that these views show: others after a switch."""
        return tuple(self.shelf.place(view).shape().table for view in views)

    def catch_up(self, progress: Progressed | None = None) -> Position:
        """Take in everything there is, now."""
        if self._shelf is None:
            return self._store.head()
        if self._upkeep is Upkeep.OTHERS:
            head = self._store.head()
            self.wait_for(head, timeout=LONGEST_WAIT)
            return head
        if self._runner is None:
            self._shelf.finish(progress)
        self._shelf.look_around()
        self._shelf.projector.catch_up(progress)
        reached = self._shelf.position
        self.progress.reach(reached)
        return reached

    def project_into(self, database: ReadDatabase, *, store: EventStore, most: int) -> Position:
        """Take in everything that a journal has into the tables of that database; how far they have come.

        `Busy`, and nothing is done, where they are more than `most` events behind.
        """
        from actum.projection.projector import Projector  # noqa: PLC0415 - as above

        projector = Projector(store, self._app.codec, database=database, plans=self.shelf.plans, scribe=self._scribe)
        projector.prepare()
        if store.head() - projector.position > most:
            raise Busy(f"the views are {store.head() - projector.position} events behind; catch_up() first")
        while projector.step():
            pass
        if projector.trouble is not None:
            raise projector.trouble.error
        return projector.position

    def wait_for(self, position: Position, *, timeout: float) -> None:
        """Until the views show everything up to that position."""
        timeout = self._there(position, timeout)
        if self._runner is None:
            self._work_up_to(position, timeout)
        else:
            self._nudge()
            self.progress.wait(position, timeout=timeout)

    async def wait_for_async(self, position: Position, *, timeout: float) -> None:
        """The same, awaited."""
        import asyncio  # noqa: PLC0415 - half of what `import actum` may cost

        timeout = await asyncio.to_thread(self._there, position, timeout)
        if self._runner is None:
            await asyncio.to_thread(self._work_up_to, position, timeout)
        else:
            self._nudge()
            await self.progress.wait_async(position, timeout=timeout)

    def look_again(self) -> None:
        """What stood in the way is mended: have it tried now."""
        if self._shelf is not None:
            self._shelf.projector.look_again()
        if self._runner is not None:
            self._runner.nudge()

    def _nudge(self) -> None:
        if self._upkeep is Upkeep.OTHERS and self._runner is not None:
            self._runner.nudge()
        elif self._runner is not None and self.progress.error is not None:
            self.look_again()

    def _there(self, position: Position, timeout: float) -> float:
        """How many seconds are left once the journal has that position; a copy is given the time to receive it."""
        begun = time.monotonic()
        checked_timeout(timeout)
        checked_position(position, "wait_for")
        while True:
            try:
                position_at(self._store, position, what="wait_for")
            except Invalid:
                if not (isinstance(self._store, Replicated) and self._store.is_replica()):
                    raise
            else:
                return max(timeout - (time.monotonic() - begun), 0.0)
            if time.monotonic() - begun >= timeout:
                raise Busy(
                    f"after {timeout:g} s this standby has not received position {position}; wait longer, or ask the primary"
                )
            time.sleep(LOOK_ANYWAY / 50)

    def _work_up_to(self, position: Position, timeout: float) -> None:
        """Nobody else does it: whoever waits does."""
        deadline = time.monotonic() + timeout
        shelf = self._shelf
        while shelf is not None and shelf.position < position:
            if time.monotonic() > deadline:
                raise Busy(
                    f"after {timeout:g} s the views are at position {shelf.position}, expected {position}; "
                    "call catch_up(), or wait longer"
                )
            if shelf.building:
                shelf.finish()
            elif not shelf.step():
                if shelf.trouble is not None:
                    raise shelf.trouble.error
                # Where what is shown is another program's to keep up, there is nothing to do but to look again.
                time.sleep(shelf.rest(LOOK_ANYWAY / 50))

    @property
    def workers(self) -> Workers | None:
        """The workers that were begun here."""
        return self._workers

    def work(
        self, workers: int, *, lease: float, beside: Callable[[str, Callable[[], None]], Hand] | None, kept_up: bool
    ) -> Workers:
        """Workers, in threads of this process: of the followers, where these are `kept_up`, and of what is made for their names."""
        from actum.service.working import Projecting, Worker, Workers  # noqa: PLC0415 - most applications have none

        shelf, store, codec = self._shelf if kept_up else None, self._store, self._app.codec
        if shelf is None and beside is None:
            raise self._nowhere()

        def hands(name: str, nudge: Callable[[], None]) -> list[Hand]:
            found: list[Hand] = [] if beside is None else [beside(name, nudge)]
            if shelf is not None:
                plans, scribe = shelf.plans, self._scribe
                found.append(Projecting(store, codec, database=database, plans=plans, owner=name, scribe=scribe))
            return found

        database = self.database
        make = partial(Worker, store, hands, database=database, lease=lease)
        made = Workers(make, plans=lambda: [] if shelf is None else shelf.plans)
        made.rescale(workers)
        if shelf is not None:
            shelf.begin()
        self._workers = made
        return made

    def parking(self, follower: str | type[View], *, actor: str) -> Parking:
        """What is parked of a view or projection, in the table that it shows, taken up again or discarded in somebody's name."""
        from actum.projection.parking import Parking  # noqa: PLC0415 - asked for by whoever operates it

        scribe = Scribe(SYSTEM_IDS, actor, self._app.producer)
        plans = self.shelf.shown()
        name = follower if isinstance(follower, str) else follower.__name__
        plan = next((plan for plan in plans if name in (plan.name, plan.table, plan.shape.name)), None)
        if plan is None:
            raise Unknown("view or projection", name, tuple(sorted(plan.name for plan in plans)))
        return Parking(self._store, self._app.codec, database=self.database, plan=plan, scribe=scribe)

    @property
    def names(self) -> tuple[str, ...]:
        """The views and projections that are kept up."""
        return (*self._app.views, *self._app.projections)

    def followers(self) -> tuple[FollowerStatus, ...]:
        """How far each follower has come."""
        from actum.projection.status import status_of  # noqa: PLC0415 - asked for by whoever operates it
        from actum.subscription.worker import Followed  # noqa: PLC0415 - as above

        if self._shelf is None:
            return ()
        now = self._store.now()
        plans = [Followed(plan.shape, plan.divisible, plan.name) for plan in self._shelf.shown()]
        return tuple(status_of(one, database=self.database, store=self._store, now=now) for one in plans)

    @contextmanager
    def switching(self) -> Iterator[None]:
        """Around a switch: nothing is kept up meanwhile, and then what is live; whoever waits is told how far that is."""
        with self.shelf.standing_still:
            yield
            self.shelf.take_up()
            self.progress.reach(self.shelf.position)
        if self._runner is not None:
            self._runner.nudge()

    def digest(self, view: type[View]) -> str:
        """The digest of a view's rows."""
        from actum.projection.digest import digest_of  # noqa: PLC0415 - not for whoever only imports actum

        self._declared(view)
        return digest_of(self.database, self.shelf.place(view).shape())

    def close(self) -> None:
        """Stop keeping up, and close the read database."""
        if self._shelf is not None:
            self._shelf.stop()
        if self._runner is not None:
            self._runner.stop()
        if self._database is not None:
            self._database.close()

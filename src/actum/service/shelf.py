"""The shelf: which tables an application keeps up and shows, and what it builds beside them where a view has changed."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from actum.journal.errors import Misdeclared, Unknown
from actum.projection.build import Build
from actum.projection.changed import STEP, Changed, Rebuilds, changed_of, switches_by_itself
from actum.projection.notes import SCRIBE
from actum.projection.place import Place, fits, live_of, own_of
from actum.projection.projector import Projector
from actum.projection.switch import switch
from actum.projection.view import View, plan_of
from actum.service.building import Building

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.journal.event import Position
    from actum.journal.readmodel import ReadDatabase, Standing
    from actum.journal.store import JournalStore
    from actum.projection.holdings import Follows
    from actum.projection.notes import Scribe
    from actum.projection.projector import Progressed
    from actum.projection.view import Plan
    from actum.service.declared import Declared
    from actum.subscription.patience import Trouble

_LOG = logging.getLogger(__name__)

LOOK_AROUND = 0.25
"""Seconds after which one looks whether somebody else has switched to another table."""


class Shelf:
    """The tables of an application's views in one read database. Safe to share between threads.

    Each view is kept up in the table of the program's own definition, once that has been live. Where it has not, the view
    shows the live table of another definition, and its own is built beside that: by itself, or when somebody asks for it.
    """

    def __init__(
        self,
        app: Declared,
        store: JournalStore,
        *,
        database: ReadDatabase,
        rebuilds: Rebuilds,
        scribe: Scribe = SCRIBE,
    ) -> None:
        self._app = app
        self._store = store
        self._database = database
        self._scribe = scribe
        self.standing_still = threading.RLock()
        """Held while a page is taken in, and while it is switched: what is live does not move meanwhile, not by this process."""
        self.places: dict[type[View], Place[Any]] = {
            view: Place(plan_of(view), database) for view in app.views.values()
        }
        self.changed: dict[type[View], Changed] = {}
        """The views whose live rows were made by another definition when the application was opened."""
        self.building: dict[type[View], Building] = {}
        """What is built by itself, and switched to."""
        self._tables: dict[type[View], str] = {}
        self._looked = 0.0
        self.projector = self._project([])
        self.projector.make_tables()
        self._meet_changes(rebuilds)
        self.look_around()

    def place(self, view: type[View]) -> Place[Any]:
        """Where the view's tables are; `Unknown` for a view that is not declared."""
        place = self.places.get(view)
        if place is None:
            raise Unknown("view", view.__name__, tuple(sorted(self._app.views)))
        return place

    # What has changed.

    def _meet_changes(self, rebuilds: Rebuilds) -> None:
        found = {view: changed for view, place in self.places.items() if (changed := changed_of(place)) is not None}
        silent = [changed for changed in found.values() if not changed.raised and not changed.lowered]
        if silent and rebuilds is Rebuilds.WHEN_RAISED:
            raise Misdeclared("; ".join(map(str, silent)))
        for view, changed in found.items():
            _LOG.log(logging.WARNING if changed in silent else logging.INFO, "%s", changed)
            place = self.places[view]
            if switches_by_itself(place, changed, rebuilds):
                then = partial(self._settle, view)
                self.building[view] = Building(self.build(view, standing=place.own()), then=then, patient=True)
                _LOG.info("the view %s is built from the beginning of the journal", changed.view)
        self.changed = found

    def build(self, view: type[View], *, standing: Standing | None = None, step: int = STEP) -> Build[Any]:
        """A build of the view's own definition."""
        return Build(self.place(view), store=self._store, codec=self._app.codec, standing=standing, step=step)

    def _settle(self, view: type[View]) -> None:
        """Have what was built by itself take the live table's place."""
        with self.standing_still:
            switched = switch(self.building[view].build)
            del self.building[view]
            self.take_up()
        _LOG.info("the view %s is now kept by %s, instead of %s", view.__name__, switched.after, switched.before)

    def take_up(self) -> None:
        """Keep up what was switched to, and know at once how far it is."""
        self.look_around()
        self.projector.prepare()

    def begin(self) -> None:
        """Have what is built by itself be built by threads."""
        for building in list(self.building.values()):
            building.resume()

    def finish(self, progress: Progressed | None = None) -> None:
        """Build what is built by itself, in this thread."""
        for view, building in list(self.building.items()):
            while building.build.step():
                if progress is not None:
                    pace = building.pace()
                    progress(pace.position, pace.goal)
            self._settle(view)

    def stop(self) -> None:
        """Build no more. What was built stays, and is gone on with the next time."""
        for building in list(self.building.values()):
            building.stop()

    # Keeping up.

    def step(self) -> bool:
        """Take one page into every table that is kept up; whether there may be more."""
        with self.standing_still:
            if time.monotonic() - self._looked > LOOK_AROUND:
                self.look_around()
            return self.projector.step()

    @property
    def trouble(self) -> Trouble | None:
        """What keeps a view from going on for the moment; None while all is well."""
        return self.projector.trouble

    def rest(self, longest: float) -> float:
        """For how many seconds there is nothing to do at the most, unless the journal grows."""
        return self.projector.rest(longest)

    def look_around(self) -> None:
        """See which tables there are now, and keep up those of the program's own definitions."""
        with self.standing_still:
            self._looked = time.monotonic()
            tables = self._database.tables()
            found: dict[type[View], str] = {}
            for view, place in self.places.items():
                mine = [each for each in tables if (each.shape.name or each.shape.table) == place.plan.table]
                own = own_of(mine, place.plan.shape)
                if own is not None:
                    found[view] = own.shape.table
                elif live_of(mine) is None:
                    found[view] = self._first(view, place)
            if found != self._tables:
                self._tables = found
                self.projector = self._project([self.places[view].plan.kept_in(table) for view, table in found.items()])
                for place in self.places.values():
                    place.forget()

    def _first(self, view: type[View], place: Place[Any]) -> str:
        """The table of a view that was never kept here, or was deleted with the whole database."""
        known = self._tables.get(view)
        plan = place.new() if known is None else place.plan.kept_in(known)
        self._database.prepare(plan.shape)
        return plan.shape.table

    @property
    def plans(self) -> list[Follows]:
        """What is kept up, in the tables as they are now."""
        self.look_around()
        views = [self.places[view].plan.kept_in(table) for view, table in self._tables.items()]
        return [*views, *self._app.projections.values()]

    def shown(self) -> list[Follows]:
        """For each view, the table that it shows; and the projections."""
        self.look_around()
        views = [self._table_of(view, place) for view, place in self.places.items()]
        return [*views, *self._app.projections.values()]

    def _table_of(self, view: type[View], place: Place[Any]) -> Plan[Any]:
        table = self._tables.get(view)
        live = place.live() if table is None else None
        if live is None:
            return place.plan if table is None else place.plan.kept_in(table)
        plan = place.plan.kept_in(live.shape.table)
        plan.shape = live.shape
        return plan

    def _project(self, plans: Sequence[Follows]) -> Projector:
        """Who keeps these tables up, and the projections of any shape with them."""
        followed = [*plans, *self._app.projections.values()]
        return Projector(self._store, self._app.codec, database=self._database, plans=followed, scribe=self._scribe)

    @property
    def position(self) -> Position:
        """Up to where every view shows everything that happened."""
        projector, tables = self.projector, self._tables
        reached = [self._shown(view, place) for view, place in self.places.items() if view not in tables]
        if tables or self._app.projections:
            reached.append(projector.position)
        return min(reached, default=0)

    def _shown(self, view: type[View], place: Place[Any]) -> Position:
        """How far a view has come that shows another definition's table; nowhere while its own is on its way."""
        live = place.live()
        return (
            0 if live is None or view in self.building or not fits(place.plan.shape, live.shape) else live.mark.position
        )

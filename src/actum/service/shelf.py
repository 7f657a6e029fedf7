"""The shelf: which tables an application keeps up and shows, and what it builds beside them where a view has changed."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from actum.journal.errors import Invalid, Misdeclared, Unknown
from actum.projection.build import Build
from actum.projection.changed import STEP, Changed, Rebuilds, changed_of, other_code, switches_by_itself
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
    from actum.projection.handling import Projection
    from actum.projection.holdings import Follows
    from actum.projection.notes import Scribe
    from actum.projection.projector import Progressed
    from actum.projection.view import Plan
    from actum.service.declared import Declared
    from actum.subscription.patience import Trouble

_LOG = logging.getLogger(__name__)

LOOK_AROUND = 0.25
"""Seconds after which one looks whether somebody else has switched to another table."""

Kept: TypeAlias = "type[View] | Projection"
"""What has tables that are built beside: a view, or a projection."""


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
        self.places: dict[Kept, Place[Any]] = {view: Place(plan_of(view), database) for view in app.views.values()}
        """Where the tables are of all views, and of the projections that make theirs in `begin`."""
        self.in_place: list[Projection] = []
        """The projections of which nobody knows what they make: they go on where they are."""
        for projection in app.projections.values():
            if projection.begin is None:
                self.in_place.append(projection)
            else:
                self.places[projection] = _beside(projection, database)
        self.changed: dict[Kept, Changed] = {}
        """What had live rows that were made by another definition when the application was opened."""
        self.building: dict[Kept, Building] = {}
        """What is built by itself, and switched to."""
        self._tables: dict[Kept, str] = {}
        self._looked = 0.0
        self.projector = self._project([])
        self._meet_other_code(rebuilds)
        self.projector.make_tables()
        self._meet_changes(rebuilds)
        self.look_around()

    def place(self, kept: Kept) -> Place[Any]:
        """Where its tables are; `Unknown` for a view that is not declared, `Invalid` for a projection without `begin`."""
        place = self.places.get(kept)
        if place is not None:
            return place
        if isinstance(kept, type):
            raise Unknown("view", kept.__name__, tuple(sorted(self._app.views)))
        raise Invalid(
            f"{kept.name} has no begin, so nobody knows which tables are its own: give it one that makes them, empty; or another "
            "version, with which it is given everything again"
        )

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
                self.building[view] = Building(
                    self.build(view, standing=place.own()),
                    then=partial(self._settle, view),
                    refused=partial(self._begin_in_place, view),
                    patient=True,
                )
                _LOG.info("the %s %s is built from the beginning of the journal", place.kind, changed.view)
        self.changed = found

    def _meet_other_code(self, rebuilds: Rebuilds) -> None:
        """Name the projections that go on by other code than before: once, and at every opening where that is refused."""
        there = {each.shape.table: each for each in self._database.tables()} if self.in_place else {}
        for projection in self.in_place:
            standing = there.get(projection.table)
            if standing is None or not other_code(standing.shape, projection.shape):
                continue
            said = (
                f"the projection {projection.name} has another handler than the one that wrote up to position "
                f"{standing.mark.position}, and the same version {projection.shape.version}: it goes on with that. "
                "Raise version= to have it given everything again, or give it a begin to have it built beside"
            )
            if rebuilds is Rebuilds.WHEN_RAISED:
                raise Misdeclared(said)
            _LOG.warning("%s", said)

    def build(self, view: Kept, *, standing: Standing | None = None, step: int = STEP) -> Build[Any]:
        """A build of the program's own definition."""
        return Build(self.place(view), store=self._store, codec=self._app.codec, standing=standing, step=step)

    def _settle(self, view: Kept) -> None:
        """Have what was built by itself take the live table's place."""
        with self.standing_still:
            switched = switch(self.building[view].build)
            del self.building[view]
            self.take_up()
        place = self.places[view]
        _LOG.info(
            "the %s %s is now kept by %s, instead of %s", place.kind, place.plan.name, switched.after, switched.before
        )

    def _begin_in_place(self, view: Kept, wrong: Misdeclared) -> None:
        """What cannot be built beside begins anew where it is, and readers see it being filled."""
        with self.standing_still:
            place, build = self.places[view], self.building.pop(view).build
            live = place.live()
            build.drop()
            if live is not None:
                _LOG.warning("%s; it begins anew in place, and readers see it being filled", wrong)
                plan = place.kept_in(live)
                self._database.prepare(plan.shape, plan.begin)
            self.take_up()

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
            try:
                while building.build.step():
                    if progress is not None:
                        pace = building.pace()
                        progress(pace.position, pace.goal)
                self._settle(view)
            except Misdeclared as wrong:
                self._begin_in_place(view, wrong)

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
            found: dict[Kept, str] = {}
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

    def _first(self, view: Kept, place: Place[Any]) -> str:
        """The table of what was never kept here, or was deleted with the whole database."""
        known = self._tables.get(view)
        plan = place.first() if known is None else place.plan.kept_in(known)
        self._database.prepare(plan.shape, plan.begin)
        return plan.shape.table

    @property
    def plans(self) -> list[Follows]:
        """What is kept up, in the tables as they are now."""
        self.look_around()
        return [*(self.places[view].plan.kept_in(table) for view, table in self._tables.items()), *self.in_place]

    def shown(self) -> list[Follows]:
        """For each view and projection, what it shows."""
        self.look_around()
        return [*(self._table_of(view, place) for view, place in self.places.items()), *self.in_place]

    def _table_of(self, view: Kept, place: Place[Any]) -> Plan[Any]:
        table = self._tables.get(view)
        live = place.live() if table is None else None
        if live is None:
            return place.plan if table is None else place.plan.kept_in(table)
        plan = place.plan.kept_in(live.shape.table)
        plan.shape = live.shape
        return plan

    def _project(self, plans: Sequence[Follows]) -> Projector:
        """Who keeps these tables up, and the projections of any shape with them."""
        followed = [*plans, *self.in_place]
        return Projector(self._store, self._app.codec, database=self._database, plans=followed, scribe=self._scribe)

    @property
    def position(self) -> Position:
        """Up to where every view shows everything that happened."""
        projector, tables = self.projector, self._tables
        reached = [self._shown(view, place) for view, place in self.places.items() if view not in tables]
        if tables or self.in_place:
            reached.append(projector.position)
        return min(reached, default=0)

    def _shown(self, view: Kept, place: Place[Any]) -> Position:
        """How far one has come that shows another definition's table; nowhere while its own is on its way."""
        live = place.live()
        return (
            0 if live is None or view in self.building or not fits(place.plan.shape, live.shape) else live.mark.position
        )


def _beside(projection: Projection, database: ReadDatabase) -> Place[Any]:
    from actum.projection.beside import Beside  # noqa: PLC0415 - most applications have no projections

    return Beside(projection, database)

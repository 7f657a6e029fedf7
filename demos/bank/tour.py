"""What the buttons of the guided tour do: to real tables, real files and real services, and never to a journal's past."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from actum import Busy, Running
from actum.projection.changed import Rebuilds
from actum.service.consequences import Consequence, predicted
from actum.service.site import Site
from demos.bank.assets import assets_of
from demos.bank.system import deploy, deployed, release_file
from examples.places import place_of

if TYPE_CHECKING:
    from actum.projection.difference import Difference
    from actum.service.control import Piece
    from actum.service.rebuild import Rebuild

VISITOR = "visitor"
PATIENCE = 60.0
"""Seconds to wait for something that takes one as a rule."""

SERVED_BY = ("assets/projections", "assets/queries", "console")
"""What runs the code of the view, and is begun anew with another release of it."""


class RowApart(Struct, frozen=True):
    """A customer for whom the two versions differ, and since which event."""

    customer: str
    shown: Decimal
    then: Decimal
    since: int | None


class Compared(Struct, frozen=True):
    """What came of comparing both versions."""

    rows: int
    changed: int
    columns: tuple[str, ...]
    apart: tuple[RowApart, ...]


class Restored(Struct, frozen=True):
    """What came of deleting the read database."""

    deleted: tuple[str, ...]
    before: str
    after: str
    events: int
    seconds: float

    @property
    def equal(self) -> bool:
        return self.before == self.after


class Done(Struct):
    """What the visitor has done so far."""

    built: int | None = None
    compared: Compared | None = None
    switched: int | None = None
    went_back: int | None = None
    restored: Restored | None = None


class Standing(Struct, frozen=True):
    """How far a context is: its journal, and what its views show of that."""

    context: str
    head: int
    shown: int
    at: datetime | None

    @property
    def behind(self) -> int:
        return max(0, self.head - self.shown)


class Tour:
    """One for the whole page: the bank has one customer's view, whoever looks. One step at a time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._file = release_file() if site.data is None else site.data / "release"
        self._turn = threading.Lock()
        self._beside: tuple[Running, Rebuild[Any]] | None = None
        self._difference: Difference | None = None
        self.done = Done()

    @property
    def release(self) -> int:
        """Which version of the view runs."""
        return deployed(self._file)

    # Version 2.

    def build(self, actor: str = VISITOR) -> None:
        """Build the mended view beside the one that customers see."""
        with self._turn:
            self._let_go()
            running = self._open(2, actor)
            rebuild = running.rebuild(running.app.view_type("Assets"))
            self._beside = running, rebuild
            rebuild.wait(timeout=PATIENCE)
            self.done = Done(built=rebuild.progress().position, restored=self.done.restored)

    def compare(self, actor: str = VISITOR) -> None:
        """Compare it with what customers see, as of one event."""
        if self._beside is None:
            self.build(actor)
        with self._turn:
            assert self._beside is not None
            _, rebuild = self._beside
            first = assets_of(1).view_type("Assets")
            found = self._difference = rebuild.diff(old=first, limit=8)
            self.done.compared = Compared(
                rows=found.candidate.rows,
                changed=found.changed,
                columns=tuple(sorted(found.cells)),
                apart=tuple(_apart(row) for row in found.rows),
            )

    def switch(self, actor: str = VISITOR) -> None:
        """Have all readers see it; then start its services with the new release."""
        if self._difference is None:
            self.compare(actor)
        with self._turn:
            assert self._beside is not None
            _, rebuild = self._beside
            at = rebuild.switch(self._difference, actor=actor, reason="the savings plan is added, not subtracted")
            self._deploy(2)
            self.done.switched, self.done.went_back = at, None

    def go_back(self, actor: str = VISITOR) -> None:
        """Have the first release shown again."""
        with self._turn:
            self._let_go()
            with self._open(1, actor) as running:
                # Behind by what happens just now: the services of the first release, begun next, take that in.
                view = running.app.view_type("Assets")
                at = running.rollback(view, behind=True, actor=actor, reason="to see that one can")
            self._deploy(1)
            self.done = Done(went_back=at, restored=self.done.restored)

    def _deploy(self, release: int) -> None:
        deploy(release, self._file)
        self._let_go()
        control = self._site.control
        if control is None:
            return
        known = {piece.name for piece in control.pieces()} | {str(one) for one in self._site.system.services}

        def again(name: str) -> None:
            control.stop(name)
            control.start(name)

        with ThreadPoolExecutor() as threads:
            list(threads.map(again, [name for name in SERVED_BY if name in known]))

    def _let_go(self) -> None:
        self._difference = None
        if self._beside is not None:
            self._beside[0].close()
            self._beside = None

    def _open(self, release: int, actor: str) -> Running:
        place = self._site.places["assets"]
        return assets_of(release).open(
            place.journal,
            actor=actor,
            read_database=place.read_database,
            follow=False,
            rebuilds=Rebuilds.BY_HAND,
        )

    # The read database.

    def delete(self, actor: str = VISITOR) -> None:
        """Delete the read database of the assets, and see it come back. Nothing is heard meanwhile, so that both can be compared."""
        with self._turn:
            self._let_go()
            self.done.built = self.done.compared = None
            control = self._site.control
            if control is not None:
                control.stop("assets/processes")
            try:
                before, _ = self._digest(actor)
                began = time.monotonic()
                deleted = place_of(self._site.places["assets"].journal).delete_views()
                after, events = self._digest(actor)
                took = time.monotonic() - began
            finally:
                if control is not None:
                    control.start("assets/processes")
            self.done.restored = Restored(tuple(deleted), before, after, events, took)

    def _digest(self, actor: str) -> tuple[str, int]:
        """The digest of all rows, once they show the whole journal; and how many events that is."""
        with self._open(self.release, actor) as running:
            view = running.app.view_type("Assets")
            head = running.head()
            _until(lambda: running.views.shown(view) >= head)
            return running.digest(view), head

    # The services.

    def pieces(self) -> tuple[Piece, ...]:
        """Every service, as it is now; none where everything is one process."""
        return () if self._site.control is None else self._site.control.pieces()

    def stop(self, name: str) -> None:
        """Switch a service off."""
        if self._site.control is not None:
            self._site.control.stop(name)

    def start(self, name: str) -> None:
        """Switch it on again."""
        if self._site.control is not None:
            self._site.control.start(name)

    def consequences(self) -> tuple[Consequence, ...]:
        """What follows from what is off just now, beyond that all else is as always."""
        off = {piece.name for piece in self.pieces() if piece.off}
        return tuple(one for one in predicted(self._site.system, off) if one.because)

    def standings(self) -> list[Standing]:
        """How far each context is, looked up where it is kept: no service needs to be there for that."""
        return [self._standing(name) for name in self._site.system.contexts]

    def _standing(self, name: str) -> Standing:
        place = self._site.places[name]
        app = assets_of(self.release) if name == "assets" else self._site.system.app(name)
        with app.open(
            place.journal,
            actor=VISITOR,
            read_database=place.read_database,
            follow=False,
            rebuilds=Rebuilds.BY_HAND,
        ) as running:
            newest = next(iter(running.store.read(limit=1, backwards=True)), None)
            shown = running.views.shown(*app.views.values())
            return Standing(name, newest.position if newest else 0, shown, newest.recorded_at if newest else None)


def _apart(row: Any) -> RowApart:
    cell = row.cells[0]
    since = cell.since.position if cell.since is not None else None
    return RowApart(row.key[0], Decimal(str(cell.live)), Decimal(str(cell.candidate)), since)


def _until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not so():
        if time.monotonic() > deadline:
            raise Busy(f"after {PATIENCE:g} s the view still lags behind; is its projections service off?")
        time.sleep(0.02)

"""Rebuilding a view beside itself: build, compare, switch, go back. What people do to a view goes on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

import msgspec

from actum.decision.acting import Acting
from actum.journal.errors import Invalid
from actum.journal.event import Position
from actum.journal.readmodel import Role
from actum.projection.acts import RebuildCancelled, ViewSwitched, ViewTakenBack
from actum.projection.beside import Beside
from actum.projection.changed import SHOWN, STEP, Definition, definition_of
from actum.projection.comparing import difference
from actum.projection.difference import Difference
from actum.projection.parting import Partings, Told
from actum.projection.place import live_of
from actum.projection.switch import check, check_behind, check_digest, go_back, kept, switch
from actum.projection.view import View, ViewT, plan_of
from actum.service.building import Building
from actum.service.declared import Declared

if TYPE_CHECKING:
    from actum.journal.event import Event
    from actum.journal.readmodel import Standing
    from actum.journal.store import JournalStore
    from actum.projection.build import Build, Pace
    from actum.projection.difference import Explain
    from actum.projection.place import Place
    from actum.projection.projector import Progressed
    from actum.service.counter import Counter
    from actum.service.shelf import Kept
    from actum.service.views import Views


class Version(msgspec.Struct, frozen=True):
    """One table of a view: by which definition it is made, what it is to readers, and how far it has come.

    `mine`: this program has its definition.
    """

    definition: Definition
    role: Role
    position: Position
    mine: bool


class Rebuilding:
    """What can be done to the tables of an application's views, and who does it."""

    def __init__(self, app: Declared, store: JournalStore, *, views: Views, counter: Counter) -> None:
        self.app = app
        self.store = store
        self.views = views
        self._counter = counter
        self._begun: dict[Kept, Rebuild[Any]] = {}

    def begin(self, what: object, *, step: int) -> Rebuild[Any]:
        """Build, or go on where there is something to go on with."""
        if type(step) is not int or step < 1:
            raise Invalid(f"rebuild: step: expected 1 event or more, found {step!r}")
        begun = self._handle(self.app.kept(what), step)
        begun.resume()
        return begun

    def resting(self, what: object) -> Rebuild[Any]:
        """What there is to go on with, as it stands."""
        kept = self.app.kept(what)
        place = self.views.shelf.place(kept)
        if place.candidate() is None:
            raise Invalid(f"there is no candidate of {place.plan.name}; rebuild it first")
        return self._handle(kept, STEP)

    def _handle(self, kept: Kept, step: int) -> Rebuild[Any]:
        place = self.views.shelf.place(kept)
        begun = self._begun.get(kept)
        if begun is None or not begun.alive:
            by_itself = self.views.shelf.building.get(kept)
            building = by_itself or Building(self.views.shelf.build(kept, step=step))
            begun = self._begun[kept] = Rebuild(place, building=building, rebuilding=self)
        return begun

    def versions(self, what: object) -> tuple[Version, ...]:
        """The tables of a view or projection, the live one first."""
        place = self.views.shelf.place(self.app.kept(what))
        mine = place.plan.shape.fingerprint
        found = [
            Version(definition_of(each.shape), each.role, each.mark.position, each.shape.fingerprint == mine)
            for each in place.tables()
        ]
        return tuple(sorted(found, key=lambda each: (each.role is not Role.LIVE, -each.definition.version)))

    def go_back(self, what: object, *, behind: bool, acting: Acting) -> Position:
        """Have the table that was live before take its place again."""
        meant = self.app.kept(what)
        place = self.views.shelf.place(meant)
        target, live = kept(place), live_of(place.tables())
        if live is None:
            raise Invalid(f"nothing of {place.plan.name} is live, so there is nothing to go back from")
        build = self.views.shelf.build(meant, standing=target)
        mine = target.shape.fingerprint == place.plan.shape.fingerprint

        def catch_up() -> None:
            if mine:
                build.catch_up()

        catch_up()
        standing = check_behind(place, target, live, behind=behind or mine)
        before, after = (place.digest(each.shape) for each in (live, standing))
        position = self.record(
            ViewTakenBack(
                view=place.plan.name,
                before=definition_of(live.shape),
                after=definition_of(target.shape),
                digest_before=before,
                digest_after=after,
                as_of=standing.mark.position,
            ),
            acting,
        )
        with self.views.switching():
            go_back(place, target, behind=behind, catch_up=catch_up)
        return position

    def cancel(self, what: object, *, acting: Acting) -> Position:
        """Give up every candidate of the view or projection."""
        meant = self.app.kept(what)
        place = self.views.shelf.place(meant)
        begun = self._begun.pop(meant, None)
        if begun is not None:
            begun.stop()
        found = [each for each in place.tables() if each.role is Role.CANDIDATE]
        if not found:
            raise Invalid(f"there is no candidate of {place.plan.name} to give up")
        position = 0
        for each in found:
            event = RebuildCancelled(
                view=place.plan.name, candidate=definition_of(each.shape), position=each.mark.position
            )
            position = self.record(event, acting)
            place.drop(each.shape.table)
        return position

    def record(self, event: Event, acting: Acting) -> Position:
        """Take down who did it, and why."""
        return self._counter.append((event,), condition=None, acting=acting, effective_at=None).position

    def stop(self) -> None:
        """Build no more; what was built stays."""
        for begun in self._begun.values():
            begun.stop()


class Rebuild(Generic[ViewT]):
    """A table of a view's definition, or all tables of a projection's, built beside what is live. Made by `Running.rebuild`; a
    thread works on it.

    Nobody sees anything of it until `switch`. Pausing, closing and being killed leave what was built; the next rebuild of the
    same definition goes on with it.
    """

    def __init__(self, place: Place[ViewT], *, building: Building, rebuilding: Rebuilding) -> None:
        self._place = place
        self._building = building
        self._rebuilding = rebuilding
        self._ended = False

    @property
    def view(self) -> type[ViewT]:
        """What is rebuilt: the view, or what a projection's author wrote."""
        return self._place.plan.cls

    @property
    def table(self) -> str:
        """The table that is built."""
        return self._build.plan.table

    @property
    def alive(self) -> bool:
        """Whether it can still be gone on with: not switched to, not cancelled, not closed."""
        live = self._place.live()
        return not self._ended and (live is None or live.shape.table != self._build.plan.shape.table)

    def progress(self) -> Pace:
        """How far it is, how fast it goes, and how long it will take."""
        return self._building.pace()

    def pause(self) -> None:
        """Stand still after the step under way."""
        self._building.pause()

    def resume(self) -> None:
        """Go on, also after trouble."""
        self._building.resume()

    def stop(self) -> None:
        """End, and leave what was built."""
        self._ended = True
        self._building.stop()

    def wait(self, *, timeout: float | None = None, progress: Progressed | None = None) -> None:
        """Until it has come as far as the live table; `progress` is told the position and the goal.

        Raises what keeps it from going on, and `Busy` after `timeout` seconds, or where it is paused.
        """
        self._building.wait(timeout=timeout, progress=progress)

    def cancel(self, *, actor: str | None = None, reason: str | None = None) -> Position:
        """Give it up: its table is taken away. Answers the position at which that is on record."""
        self.stop()
        return self._rebuilding.cancel(self._place.plan.name, acting=Acting(actor, reason=reason))

    def diff(self, *, old: type[View] | Declared | None = None, limit: int = SHOWN) -> Difference:
        """Compare with the live table, as of one and the same position; waits until the building is done.

        `old` is the definition that made the live rows: its class, or the application that has it. With it, each cell that
        differs is told the event since which it does. `limit` is how many rows are told one by one.
        """
        self.wait()
        return difference(self._build, limit=limit, explain=lambda position: self._explain(old, position))

    @property
    def _build(self) -> Build[ViewT]:
        return self._building.build

    def _explain(self, old: type[View] | Declared | None, until: Position) -> Explain | str:
        live = live_of(self._place.tables())
        assert live is not None
        if isinstance(self._place, Beside):
            return self._explain_made(self._place, old, live, until)
        codec = self._rebuilding.app.codec
        mine = Told(self._place.plan, codec)
        if live.shape.fingerprint == self._place.plan.shape.fingerprint:
            return Partings(self._rebuilding.store, live=mine, candidate=mine, until=until).explained
        if old is None:
            return (
                f"the definition of version {live.shape.version} is not at hand: rows and cells are compared, and no events "
                "looked for; give it as old=…"
            )
        cls = old.view_type(self._place.plan.table) if isinstance(old, Declared) else old
        plan = plan_of(cls)
        if plan.shape.fingerprint != live.shape.fingerprint:
            raise Invalid(
                f"old: {cls.__name__} is {definition_of(plan.shape)}, the live rows were made by {definition_of(live.shape)}"
            )
        told = Told(plan, old.codec if isinstance(old, Declared) else codec)
        return Partings(self._rebuilding.store, live=told, candidate=mine, until=until).explained

    def _explain_made(
        self, place: Beside, old: type[View] | Declared | None, live: Standing, until: Position
    ) -> Explain | str:
        """The same for what a projection has made."""
        if live.shape.fingerprint == place.projection.shape.fingerprint:
            return "both were made by the same definition: what differs was changed by somebody else, and by no event"
        if not isinstance(old, Declared):
            return (
                f"the definition of version {live.shape.version} is not at hand: rows and cells are compared, and no events "
                "looked for; give the application that has it as old=…"
            )
        before = old.projections.get(place.projection.name)
        if before is None or before.shape.fingerprint != live.shape.fingerprint:
            found = "none of that name" if before is None else str(definition_of(before.shape))
            raise Invalid(f"old: {old.name} has {found}, the live rows were made by {definition_of(live.shape)}")
        from actum.projection.parting_made import MadeBy, MadePartings  # noqa: PLC0415 - asked for by few

        live_by, mine = MadeBy(before, old.codec), MadeBy(place.projection, self._rebuilding.app.codec)
        return MadePartings(
            self._rebuilding.store, live=live_by, candidate=mine, database=place.database, until=until
        ).explained

    def switch(
        self, diffed: Difference | str | None = None, *, actor: str | None = None, reason: str | None = None
    ) -> Position:
        """Have it take the live table's place, for all readers at once; waits until the building is done.

        With `diffed`, what `diff` gave or the digest of the candidate in it, raises `Invalid` where a table is not what was
        compared. The table that was live is kept to go back to. Answers the position at which it is on record who did this
        and why; it is on record before it is done.
        """
        build = self._build
        if isinstance(diffed, str):
            check_digest(build, diffed)
        elif diffed is not None:
            check(build, diffed)
        self.wait()
        build.catch_up()
        live, mine = self._both()
        before, after = (self._place.digest(each.shape) for each in (live, mine))
        event = ViewSwitched(
            view=self._place.plan.name,
            before=definition_of(live.shape),
            after=definition_of(mine.shape),
            digest_before=before,
            digest_after=after,
            as_of=mine.mark.position,
            **_counts(diffed),
        )
        position = self._rebuilding.record(event, Acting(actor, reason=reason))
        with self._rebuilding.views.switching():
            switch(build)
        self._ended = True
        return position

    def _both(self) -> tuple[Standing, Standing]:
        """The live table and this one."""
        tables = self._place.tables()
        live = live_of(tables)
        mine = next((each for each in tables if each.shape.table == self._build.plan.shape.table), None)
        if mine is None or live is None:
            raise Invalid(f"the candidate of {self._place.plan.name} is not there any more; rebuild it")
        if live.shape.table == mine.shape.table:
            raise Invalid(f"this table of {self._place.plan.name} is live already")
        return live, mine


def _counts(diffed: Difference | str | None) -> dict[str, int]:
    """How many rows differed, where that is known."""
    if not isinstance(diffed, Difference):
        return {}
    return {"added": diffed.added, "removed": diffed.removed, "changed": diffed.changed}

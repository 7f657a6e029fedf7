"""A switch: another table takes the place of a view's live one, for all readers at once, and none of them goes back in time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from actum.journal.errors import Busy, Invalid
from actum.journal.event import LAST_POSITION, Position
from actum.journal.readmodel import Cut, Role
from actum.projection.changed import Definition, definition_of
from actum.projection.place import live_of
from actum.subscription.worker import worker_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from actum.journal.readmodel import Share, Standing
    from actum.projection.build import Build
    from actum.projection.difference import Difference
    from actum.projection.place import Place

ATTEMPTS = 20
"""How often one catches up with a live table that others move on, before they are told to be too fast."""

RACES = 5
"""How many of these attempts run after it while it moves; for the others it is held still."""

STILL = 5.0
"""Seconds for which a live table is held still at the most: who is killed meanwhile holds nobody up for longer."""

SHORTEST_DIGEST = 8
"""How many characters of a digest one gives at the least."""


class Switched(msgspec.Struct, frozen=True):
    """From which definition to which; `position` is how far the new live table had come."""

    before: Definition
    after: Definition
    position: Position


def check(build: Build[Any], found: Difference) -> None:
    """That both tables are what was compared. `Invalid`, with what is not, where they are not."""
    place = build.place
    tables = place.tables()
    live = live_of(tables)
    mine = next((each for each in tables if each.shape.table == build.plan.shape.table), None)
    again = "compare again"
    if mine is None or mine.shape.table != found.candidate.definition.table:
        raise Invalid(f"the candidate of {place.plan.name} that was compared is not there any more; {again}")
    if live is None or definition_of(live.shape) != found.live.definition:
        raise Invalid(f"the live table of {place.plan.name} is not the one that was compared; {again}")
    if mine.mark.position != found.position:
        raise Invalid(
            f"the candidate of {place.plan.name} was compared at position {found.position} and stands at "
            f"{mine.mark.position}; {again}"
        )
    for standing, side in ((mine, found.candidate), (live, found.live)):
        here = {each.mark.position for each in shares(place, standing)} == {found.position}
        if here and place.digest(standing.shape) != side.digest:
            raise Invalid(
                f"the rows of {standing.shape.table} are not those that were compared (digest {side.digest[:8]}…): "
                f"somebody has changed them; {again}"
            )


def check_digest(build: Build[Any], digest: str) -> None:
    """That the rows of the candidate have this digest, or one that begins so. `Invalid` where they have another."""
    found = build.place.digest(build.plan.shape) if build.mark() is not None else "none"
    if len(digest) < SHORTEST_DIGEST or not found.startswith(digest):
        raise Invalid(
            f"expected the candidate of {build.place.plan.name} to have the digest {digest}, found {found}; compare again"
        )


def switch(build: Build[Any]) -> Switched:
    """Put the table of the build in the live one's place, once it has come as far.

    Where others move the live one on faster, it is held still for that moment. `Busy` where even that is foiled.
    """
    place = build.place
    for attempt in range(ATTEMPTS):
        with _for_attempt(attempt, place):
            switched = _switch_now(build)
        if switched is not None:
            return switched
    raise Busy(
        f"the live table of {place.plan.name} moves on faster than its candidate; try again when there is less to do"
    )


def _switch_now(build: Build[Any]) -> Switched | None:
    """Catch up and switch; None where the live table has moved on meanwhile."""
    place = build.place
    build.catch_up()
    live = live_of(place.tables())
    if live is not None and live.shape.table != build.plan.shape.table:
        # Its workers may stand apart: the candidate comes as far as the first of them.
        build.bring_to(min(build.head(), max((each.mark.position for each in shares(place, live)), default=0)))
    mine = next((each for each in place.tables() if each.shape.table == build.plan.shape.table), None)
    if mine is None or live is None:
        return None
    ahead = live.mark.position > build.head()  # Of a journal that was put back: nobody else gets that far.
    until = LAST_POSITION if ahead else mine.mark.position
    if live.shape.table == mine.shape.table or _point(place, mine, live, until=until):
        return Switched(definition_of(live.shape), definition_of(mine.shape), mine.mark.position)
    return None


@contextmanager
def _for_attempt(attempt: int, place: Place[Any]) -> Iterator[None]:
    """At first as things are; later nobody moves the live table on meanwhile: its shares are taken, and given back."""
    live = None if attempt < RACES else live_of(place.tables())
    if live is None:
        yield
        return
    holder = worker_name()
    try:
        for share in shares(place, live):
            # In the name of whoever holds it, so that its lease does not matter. The new epoch keeps its writes out.
            owner = share.owner if share.held else holder
            cut = Cut(share.slices, holder)
            place.database.recut(live.shape.table, [share], [cut], worker=owner, seconds=STILL)
        yield
    finally:
        place.database.leave(holder)


def shares(place: Place[Any], standing: Standing) -> list[Share]:
    """The shares of a table."""
    return place.home(standing.shape).shares(standing.shape)


def _point(place: Place[Any], mine: Standing, live: Standing, *, until: Position) -> bool:
    aside = Role.TAKEN_BACK if mine.shape.version < live.shape.version else Role.KEPT
    with place.turn:
        pointed = place.point(mine.shape, instead_of=live.shape, until=until, aside=aside)
        place.forget()
    if pointed:
        _let_go(place, besides=live)
    return pointed


def _let_go(place: Place[Any], *, besides: Standing) -> None:
    """One table is kept to go back to; those that were kept before are let go of."""
    for each in place.tables():
        if each.role in (Role.KEPT, Role.TAKEN_BACK) and each.shape.table != besides.shape.table:
            place.drop(each.shape.table)


def kept(place: Place[Any]) -> Standing:
    """The table that was live before. `Invalid` where there is none to go back to."""
    found = [each for each in place.tables() if each.role is Role.KEPT]
    if not found:
        raise Invalid(f"no earlier table of {place.plan.name} is kept, so there is nothing to go back to")
    return max(found, key=lambda each: each.mark.position)


def go_back(place: Place[Any], target: Standing, *, behind: bool, catch_up: Callable[[], object]) -> Switched:
    """Put a kept table in the live one's place again, and take that one back. See `check_behind` for what is refused."""
    for attempt in range(ATTEMPTS):
        with _for_attempt(attempt, place):
            catch_up()
            live = live_of(place.tables())
            if live is None:
                break
            standing = check_behind(place, target, live, behind=behind)
            until = LAST_POSITION if behind else standing.mark.position
            if place.point(standing.shape, instead_of=live.shape, until=until, aside=Role.TAKEN_BACK):
                place.forget()
                return Switched(definition_of(live.shape), definition_of(standing.shape), standing.mark.position)
    raise Busy(f"the live table of {place.plan.name} moves on faster than the one that is kept; try again")


def check_behind(place: Place[Any], target: Standing, live: Standing, *, behind: bool) -> Standing:
    """The kept table as it is now. `Invalid` where it is behind the live one, unless that is accepted."""
    found = next((each for each in place.tables() if each.shape == target.shape), None)
    if found is None:
        raise Invalid(f"the kept table {target.shape.table} of {place.plan.name} is not there any more")
    if found.mark.position < live.mark.position and not behind:
        raise Invalid(
            f"version {found.shape.version} of {place.plan.name} stands at position {found.mark.position}, "
            f"{live.mark.position - found.mark.position} events behind the live table. It is kept up only by a program "
            "that has its definition: run that, or go back from there; or accept rows from then with behind=True"
        )
    return found

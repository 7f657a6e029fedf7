"""Where a projection's tables are: the live ones where plain SQL finds them, those of other definitions in rooms beside.

Its handler does not know: the same statements find the tables of whichever place they are done in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from actum.projection.made import digest_of_made
from actum.projection.place import Place, live_of

if TYPE_CHECKING:
    from actum.journal.event import Position
    from actum.journal.readmodel import ReadDatabase, Role, Shape, Standing
    from actum.projection.handling import Projection
    from actum.projection.view import Plan


class Beside(Place[Any]):
    """The place of a projection that makes its tables in `begin`. Safe to share between threads."""

    kind = "projection"

    def __init__(self, projection: Projection, database: ReadDatabase) -> None:
        super().__init__(cast("Plan[Any]", projection), database)
        self.projection = projection

    def tables(self) -> list[Standing]:
        """All definitions of this projection that are live or in a room."""
        return [*super().tables(), *self.database.rooms.standing(self.projection.name)]

    def live(self) -> Standing | None:
        """See `Place.live`."""
        return live_of(super().tables())

    def first(self) -> Plan[Any]:
        """See `Place.first`: the first one is called like the projection."""
        return self.plan

    def home(self, shape: Shape) -> ReadDatabase:
        """See `Place.home`."""
        live = self.live()
        return (
            self.database if live is not None and live.shape.table == shape.table else self.database.rooms.open(shape)
        )

    def prepare(self, plan: Any) -> None:
        """See `Place.prepare`. `Misdeclared` where its tables cannot be made beside the live ones."""
        home, live = self.home(plan.shape), self.live()
        home.prepare(plan.shape, plan.begin)
        if live is not None and home is not self.database:
            self.database.rooms.claim(live.shape, plan.shape)

    def point(self, shape: Shape, *, instead_of: Shape, until: Position, aside: Role) -> bool:
        """See `Place.point`."""
        return self.database.rooms.swap(shape, instead_of=instead_of, until=until, aside=aside)

    def drop(self, table: str) -> None:
        """See `Place.drop`."""
        self.database.rooms.drop(table)

    def digest(self, shape: Shape) -> str:
        """See `Place.digest`."""
        with self.home(shape).snapshot() as still:
            return digest_of_made(still, shape)

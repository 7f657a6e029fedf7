"""How far followers have come: in events and seconds behind the journal, share by share, and in whose hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actum.journal.clock import Microseconds
from actum.journal.event import Position
from actum.journal.query import Query
from actum.journal.readmodel import ALL_SLICES, Mark, Share, Slices
from actum.journal.store import EventStore

if TYPE_CHECKING:
    from actum.journal.readmodel import ReadDatabase
    from actum.subscription.worker import Followed

EVERYTHING = Query.all()
"""What concerns a follower that takes in every page of the journal."""


class ShareStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One share of a follower. `behind` counts events of the journal, `seconds` is how long the oldest of them has been there.

    `owner` is the worker that holds it for `lease` seconds more, "" where nobody does.
    """

    slices: Slices
    position: Position
    behind: int
    seconds: float
    owner: str
    lease: float
    epoch: int


class FollowerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One follower. It is as far behind as the share that is furthest behind.

    Not `divisible`: all its events belong to one key, so that one worker does all the work.
    """

    name: str
    table: str
    divisible: bool
    position: Position
    behind: int
    seconds: float
    shares: tuple[ShareStatus, ...]

    @property
    def workers(self) -> tuple[str, ...]:
        """Who holds shares of it."""
        return tuple(sorted({share.owner for share in self.shares if share.owner}))


def status_of(
    followed: Followed, *, database: ReadDatabase, store: EventStore, now: Microseconds, concerns: Query = EVERYTHING
) -> FollowerStatus:
    """Where a follower stands, at the time `now`. Before its table is made, it has no share and is behind by all.

    A share is behind from the first event on that `concerns` the follower and is not done.
    """
    head, shape = store.head(), followed.shape
    look = _Look(store, head, now, concerns)
    shares = tuple(look.at(share) for share in database.shares(shape))
    told = shares or (look.at(Share(ALL_SLICES, Mark())),)
    return FollowerStatus(
        name=followed.name,
        table=shape.name or shape.table,
        divisible=followed.divisible,
        position=min(share.position for share in told),
        behind=max(share.behind for share in told),
        seconds=max(share.seconds for share in told),
        shares=shares,
    )


class _Look(msgspec.Struct, frozen=True):
    """A look at the journal, at one time."""

    store: EventStore
    head: Position
    now: Microseconds
    concerns: Query

    def at(self, share: Share) -> ShareStatus:
        """How far a share has come."""
        position = share.mark.position
        first = (
            next(iter(self.store.read(self.concerns, after=position, limit=1)), None) if position < self.head else None
        )
        return ShareStatus(
            slices=share.slices,
            position=position,
            behind=0 if first is None else max(0, self.head - first.position + 1),
            seconds=0.0 if first is None else max(0.0, (self.now - first.recorded) / 1_000_000),
            owner=share.owner if share.held else "",
            lease=share.left,
            epoch=share.epoch,
        )

"""How far followers have come: in events and seconds behind the journal, share by share, and in whose hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actum.journal.event import Position
from actum.journal.query import Query
from actum.journal.readmodel import Slices

if TYPE_CHECKING:
    from actum.journal.clock import Microseconds
    from actum.journal.readmodel import ReadDatabase, Share
    from actum.journal.store import EventStore
    from actum.projection.holdings import Follows


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


def status_of(plan: Follows, *, database: ReadDatabase, store: EventStore, now: Microseconds) -> FollowerStatus:
    """Where a follower stands, at the time `now`. Before its table is made, it has no share and is behind by all."""
    head = store.head()
    shares = tuple(_share(share, store, head=head, now=now) for share in database.shares(plan.shape))
    return FollowerStatus(
        name=plan.name,
        table=plan.shape.name or plan.table,
        divisible=plan.divisible,
        position=min((share.position for share in shares), default=0),
        behind=max((share.behind for share in shares), default=head),
        seconds=max((share.seconds for share in shares), default=_waited(store, 0, now=now)),
        shares=shares,
    )


def _share(share: Share, store: EventStore, *, head: Position, now: Microseconds) -> ShareStatus:
    return ShareStatus(
        slices=share.slices,
        position=share.mark.position,
        behind=max(0, head - share.mark.position),
        seconds=_waited(store, share.mark.position, now=now) if share.mark.position < head else 0.0,
        owner=share.owner if share.held else "",
        lease=share.left,
        epoch=share.epoch,
    )


def _waited(store: EventStore, position: Position, *, now: Microseconds) -> float:
    """For how long the event behind that position has been there."""
    event = next(iter(store.read(Query.all(), after=position, limit=1)), None)
    return 0.0 if event is None else max(0.0, (now - event.recorded) / 1_000_000)

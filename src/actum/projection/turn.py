"""Whose turn it is to build a table: one process at a time, by a short lease, so that nobody builds the same in vain.

The lease spares work, no more: that each event counts once is seen to by the checkpoint. Whoever is killed loses the turn within
seconds, and somebody else goes on from where the table stands.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from actum.journal.readmodel import ALL_SLICES, Cut
from actum.subscription.worker import worker_name

if TYPE_CHECKING:
    from actum.journal.readmodel import ReadDatabase, Shape

LEASE = 1.0
"""Seconds for which a turn lasts unless it is prolonged."""


class Turn:
    """The turn at one table. For one thread at a time."""

    def __init__(self, database: ReadDatabase, shape: Shape, *, lease: float = LEASE) -> None:
        self._database = database
        self._shape = shape
        self._lease = lease
        self._name = worker_name()
        self._prolong = 0.0
        self.owner: str | None = None
        """In whose name shares are moved: "" where several hold it, and there is no turn; None while it is somebody else's."""

    def take(self) -> bool:
        """Have the turn, or go on having it; whether one has."""
        now = time.monotonic()
        if self.owner is not None and now < self._prolong:
            return True
        self._prolong = now + self._lease / 3
        self.owner = self._taken()
        if self.owner is None:
            self.leave()
        return self.owner is not None

    def _taken(self) -> str | None:
        table = self._shape.table
        self._database.keep(self._name, followers=[table], seconds=self._lease)
        shares = self._database.shares(self._shape)
        if len(shares) != 1:
            return ""
        (share,) = shares
        if share.held:
            return self._name if share.owner == self._name else None
        cut = Cut(ALL_SLICES, self._name)
        return (
            self._name if self._database.recut(table, [share], [cut], worker=self._name, seconds=self._lease) else None
        )

    def leave(self) -> None:
        """It is somebody else's at once."""
        self.owner = None
        self._database.leave(self._name)

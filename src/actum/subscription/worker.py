"""A worker's part in dividing the followers: it says that it is alive, and holds the shares that are its own among all.

It knows nothing of what is done with a share. Losing one is told afterwards; until then, the epoch keeps harm away.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

from actum.journal.errors import ActumError
from actum.journal.readmodel import Shape
from actum.subscription.sharing import aim, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actum.journal.readmodel import ReadDatabase

_LOG = logging.getLogger(__name__)

LEASE = 10.0
"""Seconds for which a worker holds its shares unless it says again that it is alive."""

BEATS = 10
"""How many times a lease a worker says so."""


class Followed(msgspec.Struct, frozen=True):
    """A follower to divide, with its name for people; not `divisible` where all its events belong to one key."""

    shape: Shape
    divisible: bool = True
    name: str = ""


def worker_name() -> str:
    """A name that no worker ever had: machine, process, and a random part."""
    return f"{os.uname().nodename}-{os.getpid()}-{uuid4().hex[:12]}"


class Holder:
    """Holds the shares of a worker. `beat` now and then, well before the lease is over; `leave` in the end."""

    def __init__(
        self, database: ReadDatabase, followed: Sequence[Followed], *, name: str, lease: float = LEASE
    ) -> None:
        self._database = database
        self._followed = {one.shape.table: one for one in followed}
        self.name = name
        self._lease = lease
        self._holds: object = None

    def beat(self) -> bool:
        """Be alive, and go on towards what is one's own; whether what one holds has changed."""
        alive = self._database.keep(self.name, followers=tuple(self._followed), seconds=self._lease)
        holds = [self._go_on(one, alive[table]) for table, one in self._followed.items()]
        changed, self._holds = holds != self._holds, holds
        return changed

    def _go_on(self, one: Followed, workers: Sequence[str]) -> list[object]:
        """Every step there is, until none is left or another worker was faster; what one holds then."""
        table = one.shape.table
        own = aim(self.name, workers, follower=table, divisible=one.divisible)
        shares = self._database.shares(one.shape)
        while todo := steps(shares, worker=self.name, own=own):
            done = [
                self._database.recut(table, step.seen, step.cuts, worker=self.name, seconds=self._lease)
                for step in todo
            ]
            shares = self._database.shares(one.shape)
            if not all(done):
                break
        return [(share.slices, share.epoch) for share in shares if share.owner == self.name]

    def leave(self) -> None:
        """Give everything back, for others to take at once."""
        self._database.leave(self.name)


class Heart:
    """A thread that beats, and calls `changed` when the worker holds something else than before."""

    def __init__(self, holder: Holder, *, changed: Callable[[], None], lease: float = LEASE) -> None:
        self._holder = holder
        self._changed = changed
        self._pause = lease / BEATS
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"actum-heart-{holder.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for that. What is held stays held until the lease is over, or the holder leaves."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._holder.beat():
                    self._changed()
            except ActumError as trouble:
                # The lease may run out for it. Others then take over, which is what leases are for.
                _LOG.warning("%s could not say that it is alive: %s", self._holder.name, trouble)
            self._stopping.wait(self._pause)

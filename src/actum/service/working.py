"""Workers: an application's followers divided among threads, processes and machines, which may come and go.

Each worker has its share of every follower's slices, by a lease in the read database. Whoever joins is given some, what a
worker held that left or died is taken over, and nothing stops meanwhile.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Self

from actum.journal.errors import Busy, Invalid, Unavailable
from actum.projection.notes import SCRIBE, Scribe
from actum.projection.projector import Projector
from actum.projection.stretch import PAGE
from actum.subscription.progress import Progress
from actum.subscription.runner import Runner
from actum.subscription.worker import LEASE, Followed, Heart, Holder, worker_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from actum.journal.codec import Codec
    from actum.journal.readmodel import ReadDatabase
    from actum.journal.store import EventStore
    from actum.projection.holdings import Follows
    from actum.subscription.patience import Trouble

_LOG = logging.getLogger(__name__)

MOST_WORKERS = 256
"""How many workers one process can have."""

LOOK_AROUND = 0.5
"""Seconds between two looks at whether a view was switched to another table."""

SHORTEST_LEASE = 0.1
"""Seconds that a lease lasts at the least."""


class Worker:
    """One worker, in threads of its own: one follows the journal, one says that the worker is alive."""

    def __init__(
        self,
        store: EventStore,
        codec: Codec,
        *,
        database: ReadDatabase,
        plans: Sequence[Follows],
        lease: float = LEASE,
        page: int = PAGE,
        scribe: Scribe = SCRIBE,
    ) -> None:
        if not SHORTEST_LEASE <= lease <= 86_400:
            raise Invalid(f"lease: expected {SHORTEST_LEASE} to 86,400 seconds, found {lease!r}")
        self.name = worker_name()
        self.progress = Progress(f"the worker {self.name}")
        self._projector = Projector(
            store, codec, database=database, plans=plans, page=page, owner=self.name, scribe=scribe
        )
        followed = [Followed(plan.shape, plan.divisible) for plan in plans]
        self._holder = Holder(database, followed, name=self.name, lease=lease)
        self._heart = Heart(self._holder, changed=self._changed, lease=lease)
        self._runner = Runner(
            store,
            self._projector.step,
            position=lambda: self._projector.position,
            progress=self.progress,
            name=self.name,
            trouble=lambda: self._projector.trouble,
            rest=self._projector.rest,
        )

    @property
    def trouble(self) -> Trouble | None:
        """What keeps a view from going on; None while all is well."""
        return self._projector.trouble

    def start(self) -> None:
        """Begin: have the tables there, join the others, and follow."""
        self._projector.make_tables()
        self._holder.beat()
        self._runner.start()
        self._heart.start()

    def _changed(self) -> None:
        self._projector.look_again()
        self._runner.nudge()

    def stop(self) -> None:
        """End after the page under way, and leave what one holds to the others at once."""
        self._runner.stop()
        self._heart.stop()
        self._holder.leave()


class Workers:
    """Some workers of this process, more or fewer of them at any time. A context manager that stops them."""

    def __init__(self, worker: Callable[[], Worker], *, plans: Callable[[], Sequence[Follows]]) -> None:
        self._make = worker
        self._plans = plans
        self._lock = threading.Lock()
        self._workers: list[Worker] = []
        self._tables: list[str] = []
        self._stopping = threading.Event()
        self._watch: threading.Thread | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Who they are."""
        return tuple(worker.name for worker in self._workers)

    @property
    def trouble(self) -> Trouble | None:
        """What keeps one of them from going on; None while all is well."""
        return next((worker.trouble for worker in tuple(self._workers) if worker.trouble is not None), None)

    def rescale(self, count: int) -> None:
        """Have that many. Those that come join, those that go leave their shares to the others; nobody stops meanwhile."""
        if type(count) is not int or not 0 <= count <= MOST_WORKERS:
            raise Invalid(f"expected 0 to {MOST_WORKERS} workers, found {count!r}")
        with self._lock:
            plans = self._plans()
            self._tables = [plan.table for plan in plans]
            if self._watch is None:
                self._warn(plans)
            while len(self._workers) > count:
                self._workers.pop().stop()
            while len(self._workers) < count:
                self._add()
            if self._watch is None:
                self._watch = threading.Thread(target=self._look_around, name="actum-workers", daemon=True)
                self._watch.start()

    def _add(self) -> None:
        worker = self._make()
        worker.start()
        self._workers.append(worker)

    def _look_around(self) -> None:
        """Somebody may switch a view to another table: then one worker after another goes on with that."""
        while not self._stopping.wait(LOOK_AROUND):
            try:
                tables = [plan.table for plan in self._plans()]
            except (Busy, Unavailable) as trouble:
                _LOG.debug("workers: %s; looking again in %g s", trouble, LOOK_AROUND)
                continue
            with self._lock:
                if tables == self._tables or self._stopping.is_set():
                    continue
                self._tables = tables
                for _ in range(len(self._workers)):
                    self._workers.pop(0).stop()
                    self._add()

    def _warn(self, plans: Sequence[Follows]) -> None:
        """Name what more workers do not make faster."""
        for plan in plans:
            if not plan.divisible:
                _LOG.warning(
                    "%s has one key for all events, so one worker does all of it, however many there are; "
                    "give it an identity, or by=…, to divide it",
                    plan.name,
                )

    def stop(self) -> None:
        """Stop them all."""
        self._stopping.set()
        self.rescale(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

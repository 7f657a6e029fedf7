"""Workers: an application's followers divided among threads, processes and machines, which may come and go.

What follows the journal is views and projections, and the processes that react. Each worker has its share of every follower's slices, by a lease in the read database. Whoever joins is given some, what a
worker held that left or died is taken over, and nothing stops meanwhile.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol, Self

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
    from actum.journal.event import Position
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


class Hand(Protocol):
    """What a worker does with what it holds. One thread calls `step`."""

    @property
    def followed(self) -> Sequence[Followed]:
        """What there is to hold."""
        ...

    @property
    def position(self) -> Position:
        """Up to where everything is done, by whomever."""
        ...

    @property
    def trouble(self) -> Trouble | None:
        """What it copes with; None while all is well."""
        ...

    def prepare(self) -> None:
        """Have the places there where checkpoints are kept."""
        ...

    def look_again(self) -> None:
        """The worker holds something else than before."""
        ...

    def step(self) -> bool:
        """Do a piece of work; whether there may be more."""
        ...

    def rest(self, longest: float) -> float:
        """For how many seconds there is nothing to do at the most, unless the journal grows."""
        ...

    def close(self) -> None:
        """There will be no further step."""
        ...


class Projecting:
    """Keeps views and projections up. With another `page` than usual, so many events go into a transaction."""

    def __init__(
        self,
        store: EventStore,
        codec: Codec,
        *,
        database: ReadDatabase,
        plans: Sequence[Follows],
        owner: str,
        page: int = PAGE,
        scribe: Scribe = SCRIBE,
    ) -> None:
        self.followed = [Followed(plan.shape, plan.divisible, plan.name) for plan in plans]
        projector = Projector(store, codec, database=database, plans=plans, page=page, owner=owner, scribe=scribe)
        self._projector = projector
        self.prepare = projector.make_tables
        self.look_again = projector.look_again
        self.step = projector.step
        self.rest = projector.rest

    @property
    def position(self) -> Position:
        """See `Hand.position`."""
        return self._projector.position

    @property
    def trouble(self) -> Trouble | None:
        """See `Hand.trouble`."""
        return self._projector.trouble

    def close(self) -> None:
        """See `Hand.close`."""


class Worker:
    """One worker, in threads of its own: one for each of its `hands`, and one that says that the worker is alive.

    `hands` makes them for the name that the worker goes by; each may call what it is given where there is more to do.
    """

    def __init__(
        self,
        store: EventStore,
        hands: Callable[[str, Callable[[], None]], Sequence[Hand]],
        *,
        database: ReadDatabase,
        lease: float = LEASE,
    ) -> None:
        if not SHORTEST_LEASE <= lease <= 86_400:
            raise Invalid(f"lease: expected {SHORTEST_LEASE} to 86,400 seconds, found {lease!r}")
        self.name = worker_name()
        self._runners: list[Runner] = []
        self._hands = hands(self.name, self._nudge)
        self._holder = Holder(database, self.followed, name=self.name, lease=lease)
        self._heart = Heart(self._holder, changed=self._changed, lease=lease)
        self._runners = [self._runner(store, hand) for hand in self._hands]

    def _runner(self, store: EventStore, hand: Hand) -> Runner:
        return Runner(
            store,
            hand.step,
            position=lambda: hand.position,
            progress=Progress(f"the worker {self.name}"),
            name=self.name,
            trouble=lambda: hand.trouble,
            rest=hand.rest,
        )

    @property
    def followed(self) -> list[Followed]:
        """All that it takes part in."""
        return [one for hand in self._hands for one in hand.followed]

    @property
    def trouble(self) -> Trouble | None:
        """What keeps a view from going on; None while all is well."""
        return next((hand.trouble for hand in self._hands if hand.trouble is not None), None)

    def start(self) -> None:
        """Begin: have the tables there, join the others, and follow."""
        for hand in self._hands:
            hand.prepare()
        self._holder.beat()
        for runner in self._runners:
            runner.start()
        self._heart.start()

    def _changed(self) -> None:
        for hand in self._hands:
            hand.look_again()
        self._nudge()

    def _nudge(self) -> None:
        for runner in self._runners:
            runner.nudge()

    def stop(self) -> None:
        """End after the piece of work under way, and leave what one holds to the others at once."""
        for hand, runner in zip(self._hands, self._runners, strict=True):
            runner.stop()
            hand.close()
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
            while len(self._workers) > count:
                self._workers.pop().stop()
            while len(self._workers) < count:
                self._add()
            if self._watch is None:
                self._warn()
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

    def _warn(self) -> None:
        """Name what more workers do not make faster."""
        for one in [one for worker in self._workers[:1] for one in worker.followed if not one.divisible]:
            _LOG.warning(
                "%s has one key for all events, so one worker does all of it, however many there are; "
                "give it an identity, or by=…, to divide it",
                one.name,
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

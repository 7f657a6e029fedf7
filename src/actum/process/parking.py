"""What cannot be taken is parked, and what comes later for the same instance waits behind it, in order.

Nothing sleeps here: when a parked event is tried again is on record, and so is everything that waits. What may pass by
itself (a journal that is busy or out of reach) parks nothing: the whole page is tried again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING

from actum.decision.acting import Acting
from actum.journal.clock import to_datetime
from actum.journal.errors import Busy, Conflict, Corrupted, OutcomeUnknown, Reused, Unavailable
from actum.journal.readmodel import ALL_SLICES, slice_of
from actum.process.agenda import Wish
from actum.process.books import looked_up
from actum.process.instances import Instance, OutOfTurn, Park, Serve, Wait
from actum.process.naming import derived
from actum.process.together import Chain, together
from actum.subscription.patience import pause
from actum.subscription.policy import Policy, park

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from uuid import UUID

    from actum.decision.outcome import Decided
    from actum.journal.codec import Codec
    from actum.journal.event import Event, Position, SequencedEvent
    from actum.journal.readmodel import Slices
    from actum.journal.store import JournalStore
    from actum.process.agenda import Give

PASSING = (Busy, Conflict, OutcomeUnknown, Unavailable)
"""What may be over when one tries again, and is nobody's mistake; but for `Corrupted`: see `may_pass`."""

PARKS = park(attempts=5, pause=1.0, longest=600.0)
"""How a process is patient that does not say: after so many attempts, what is parked is left to a person."""

LONGEST_ERROR = 2000
"""How many characters of an error go on record."""


class Taker(ABC):
    """Takes events for the instances they concern, each instance in its own order and all of them together."""

    from_beginning = False
    policy: Policy = PARKS
    """How often, and after which pauses, what is parked is tried again by itself."""

    def __init__(self, name: str, *, store: JournalStore, codec: Codec, give: Give) -> None:
        self.name = name
        self.store = store
        self.codec = codec
        self._give = give
        self._parked: set[str] = set()

    @property
    @abstractmethod
    def events(self) -> Sequence[type[Event]]:
        """Which events it wants."""

    @abstractmethod
    def instances(self, stored: SequencedEvent) -> Iterable[str]:
        """Which instances an event concerns."""

    @abstractmethod
    def work(self, instance: str, stored: SequencedEvent, *, after: Position) -> Chain:
        """What is to be done about one event for one instance; done again, it is found done."""

    @abstractmethod
    def prepare(self, chains: dict[str, list[SequencedEvent]]) -> None:
        """Have at hand what the work on these will take."""

    @abstractmethod
    def set_aside(self, instance: str) -> None:
        """What is kept of that instance is not to be relied on any more."""

    def planned(self, instance: str, stored: SequencedEvent) -> Iterable[UUID]:
        """The ids of the commands on record that are to be given about an event."""
        return ()

    def timer(self, stored: SequencedEvent) -> UUID | None:
        """Which timer the event set, where what is to be done about it is to fire it."""
        return None

    def forget(self) -> None:
        """Keep nothing."""
        self._parked.clear()

    def take(self, events: Sequence[SequencedEvent], *, after: Position, slices: Slices = ALL_SLICES) -> None:
        """See `Purpose.take`."""
        chains: dict[str, list[SequencedEvent]] = {}
        for stored in events:
            for instance in self.instances(stored):
                if slices == ALL_SLICES or slice_of(instance) in slices:
                    chains.setdefault(instance, []).append(stored)
        self.prepare(chains)
        together((self._all(instance, todo, after) for instance, todo in chains.items()), self._give)

    def serve(self, instances: Iterable[str], *, after: Position) -> None:
        """Try again what is parked there, and then what waits behind it; else everything up to `after` is done."""
        together((self._serve(instance, after) for instance in instances), self._give)

    def _all(self, instance: str, events: Sequence[SequencedEvent], after: Position) -> Chain:
        for stored in events:
            yield from self._one(instance, stored, after)

    def _one(self, instance: str, stored: SequencedEvent, after: Position) -> Chain:
        if instance in self._parked and (yield from self._waits(instance, stored)):
            return
        try:
            yield from self.work(instance, stored, after=after)
        except OutOfTurn:
            self.set_aside(instance)
            if not (yield from self._waits(instance, stored)):
                yield from self._one(instance, stored, after)
        except Exception as wrong:
            if may_pass(wrong):
                raise
            yield from self._park(instance, stored, 1, wrong)

    def _waits(self, instance: str, stored: SequencedEvent) -> Generator[Wish, Decided, bool]:
        """Let it wait behind what is parked; whether there is anything to wait for."""
        command = Wait(instance=instance, event=stored.uuid, position=stored.position)
        try:
            yield self._wish(command, stored, "wait", instance, stored.uuid)
        except OutOfTurn:
            self._parked.discard(instance)
            return False
        self._parked.add(instance)
        return True

    def _park(self, instance: str, stored: SequencedEvent, attempt: int, wrong: Exception) -> Chain:
        again = None
        if attempt < self.policy.attempts:
            wait = pause(attempt, first=self.policy.pause, longest=self.policy.longest)
            again = to_datetime(self.store.now()) + timedelta(seconds=wait)
        command = Park(
            instance=instance,
            process=self.name,
            event=stored.uuid,
            position=stored.position,
            attempt=attempt,
            error=f"{type(wrong).__name__}: {wrong}"[:LONGEST_ERROR],
            again=again,
            timer=self.timer(stored),
        )
        self.set_aside(instance)
        self._parked.add(instance)
        try:
            yield self._wish(command, stored, "park", instance, stored.uuid, attempt)
        except Reused:
            return  # Another worker parked it, with a text or at a time of its own.
        except OutOfTurn:
            if not (yield from self._waits(instance, stored)):
                raise

    def _serve(self, instance: str, after: Position) -> Chain:
        while (books := self.books(instance)).queue:
            event, position = books.queue[0]
            stored = next(iter(self.store.read(after=position - 1, until=position, limit=1)))
            self.set_aside(instance)
            try:
                self.prepare({instance: [stored]})
                yield from self.work(instance, stored, after=after)
            except OutOfTurn:
                return
            except Exception as wrong:
                if may_pass(wrong):
                    raise
                yield from self._park(instance, stored, books.attempt + 1, wrong)
                return
            finally:
                self.set_aside(instance)
            yield self._wish(Serve(instance=instance, event=event), stored, "serve", instance, event)
        self._parked.discard(instance)

    def books(self, instance: str) -> Instance:
        """What the books say of an instance."""
        return looked_up(Instance, instance, store=self.store, codec=self.codec)

    def _wish(self, command: Park | Wait | Serve, cause: SequencedEvent, *name: object) -> Wish:
        return Wish(command, derived(*name), because(cause, self.name))


def may_pass(wrong: Exception) -> bool:
    """Whether it is the journal's trouble, to be tried again; not that of one event, which is parked: the others go on."""
    return isinstance(wrong, PASSING) and not isinstance(wrong, Corrupted)


def because(cause: SequencedEvent, name: str) -> Acting:
    """Who acts where an event is the cause: the process, for whoever the event was done for, in the same story."""
    said, actor = cause.said, f"process:{name}"
    if said is None:
        return Acting(actor, correlation=cause.uuid, causation=cause.uuid)
    return Acting(
        actor=actor,
        on_behalf_of=said.on_behalf_of or said.actor,
        tenant=said.tenant,
        reason=said.reason,
        correlation=said.correlation_id or cause.uuid,
        causation=cause.uuid,
        traceparent=said.traceparent,
        tracestate=said.tracestate,
    )

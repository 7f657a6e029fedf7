"""The desk where commands are decided: load, decide, append under a condition, and on a conflict again.

Works on batches from a lane: what is not kept is loaded with one call, rules run one after another, each seeing what
the ones before it led to, and everything is appended with one call, each under its own condition.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from actum.decision.answering import events_of, first_answer, nothing, refusal
from actum.decision.cache import Kept, StateCache
from actum.decision.lane import Ticket
from actum.decision.loading import Loader
from actum.decision.order import Entry, Job, Order
from actum.decision.outcome import Decided, NothingChanged
from actum.journal.errors import ActumError, Busy, Invalid, Misdeclared, OutcomeUnknown, Refused, Unavailable
from actum.journal.query import AppendCondition, union
from actum.journal.store import Append, Appended, Collided, DecisionKey, Repeated

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from actum.decision.handler import Key
    from actum.journal.clock import Ids
    from actum.journal.codec import Codec
    from actum.journal.event import Event, EventData
    from actum.journal.store import JournalStore, Outcome

ATTEMPTS = 5
"""How often a command is decided where something happens meanwhile each time; the last time, nobody else may write."""

STATES_KEPT = 10_000
"""How many states are kept between decisions."""

_BESIDE_OTHERS: AbstractContextManager[None] = nullcontext()

Desked: TypeAlias = "Ticket[Job, Decided]"


class _Try(msgspec.Struct, eq=False):
    """One attempt at one job: what it wants to append, and which kept states it has touched."""

    ticket: Desked
    append: Append | None = None
    events: tuple[Event, ...] = ()
    refusal: Refused | None = None
    touched: list[Key] = []


class Desk:
    """Decides what a lane brings. Not to be shared between threads: the lane sees to that."""

    def __init__(self, store: JournalStore, codec: Codec, *, ids: Ids, states_kept: int = STATES_KEPT) -> None:
        if type(states_kept) is not int or states_kept < 0:
            raise Invalid(f"states_kept: expected 0 or more, found {states_kept!r}")
        self._store = store
        self._codec = codec
        self._ids = ids
        self._cache = StateCache(states_kept)
        self._loader = Loader(store, codec, self._cache)
        self._retried = False
        self._unknown: OutcomeUnknown | None = None

    def work(self, batch: Sequence[Desked]) -> None:
        """Settle every ticket of the batch."""
        self._unknown = None
        waiting = self._not_decided_before(batch) if self._retried else list(batch)
        collisions: dict[int, Collided] = {}
        for left in range(ATTEMPTS, 0, -1):
            waiting = self._round(waiting, collisions, alone=left == 1)
            if not waiting:
                break
        for ticket in waiting:
            ticket.fail(_given_up(collisions.get(id(ticket))))
        self._cache.shrink()

    def _not_decided_before(self, batch: Sequence[Desked]) -> list[Desked]:
        """Retries come together, as when an import is run again: then asking first spares loading, deciding and undoing."""
        left = [ticket for ticket in batch if not self._repeated(ticket)]
        self._retried = len(left) < len(batch)
        return left

    def _repeated(self, ticket: Desked) -> bool:
        earlier = self._store.decision(ticket.job.id) if isinstance(ticket.job, Order) else None
        if earlier is not None:
            self._repeat(ticket, Repeated(earlier))
        return earlier is not None

    def _round(self, tickets: Sequence[Desked], collisions: dict[int, Collided], *, alone: bool) -> list[Desked]:
        """Each ticket is tried once. Those that must try again are the answer.

        `alone`: nobody else writes meanwhile, so that whoever was overtaken again and again is decided now.
        """
        again: list[Desked] = []
        while tickets:
            overtaken, tickets = self._attempt(tickets, collisions, alone=alone)
            again += overtaken
        return again

    def _attempt(
        self, tickets: Sequence[Desked], collisions: dict[int, Collided], *, alone: bool
    ) -> tuple[list[Desked], list[Desked]]:
        """Load, decide, append. The tickets that were overtaken, and those that were not tried yet."""
        try:
            with self._store.alone() if alone else _BESIDE_OTHERS:
                self._loader.load([one.job for one in tickets])
                ready, left = self._decide_all(tickets)
                outcomes = self._store.append(*[one.append for one in ready if one.append is not None]) if ready else []
        except Invalid as wrong:
            self._cache.clear()
            return self._one_by_one(tickets, wrong, collisions, alone=alone), []
        except OutcomeUnknown as unknown:
            self._cache.clear()
            self._unknown = unknown
            return [ticket for ticket in tickets if not self._found_out(ticket, unknown)], []
        except BaseException as wrong:
            self._cache.clear()
            if self._unknown is not None and isinstance(wrong, Busy | Unavailable):
                # That this attempt wrote nothing says nothing of the one before it.
                raise self._unknown from wrong
            raise
        return self._settle(ready, outcomes, collisions), left

    def _one_by_one(
        self, tickets: Sequence[Desked], wrong: Invalid, collisions: dict[int, Collided], *, alone: bool
    ) -> list[Desked]:
        """The store would not take something of the batch: only whoever brought it shall hear of it."""
        left = [ticket for ticket in tickets if not ticket.done]
        if len(left) == 1:
            left[0].fail(wrong)
            return []
        return [again for ticket in left for again in self._round([ticket], collisions, alone=alone)]

    def _found_out(self, ticket: Desked, unknown: OutcomeUnknown) -> bool:
        """The commit broke off: the journal knows each command that it decided. One it does not know is tried again."""
        if ticket.done:
            return True
        if not isinstance(ticket.job, Order):
            ticket.fail(unknown)
            return True
        try:
            earlier = self._store.decision(ticket.job.id)
        except ActumError:
            ticket.fail(unknown)
            return True
        if earlier is not None:
            self._repeat(ticket, Repeated(earlier))
        return earlier is not None

    # Decide.

    def _decide_all(self, tickets: Sequence[Desked]) -> tuple[list[_Try], list[Desked]]:
        """What is to be appended; and the tickets that are left because a rule that failed has spoilt what they look at."""
        dirty: set[Key] = set()
        spoilt: set[Key] = set()
        ready: list[_Try] = []
        left: list[Desked] = []
        for ticket in tickets:
            one = _Try(ticket)
            job = ticket.job
            if spoilt and not spoilt.isdisjoint(job.needs):
                left.append(ticket)
                continue
            try:
                if isinstance(job, Order):
                    self._decide(one, job, dirty)
                else:
                    self._take_down(one, job)
            except Exception as wrong:  # noqa: BLE001 - whatever it is, whoever waits must hear it
                spoilt.update(self._fail(one, wrong))
            else:
                ready.append(one)
            dirty.update(one.touched)
        return ready, left

    def _decide(self, one: _Try, order: Order, dirty: set[Key]) -> None:
        kept = self._cache.kept
        needed = [kept[key] for key in order.needs]
        given = [each.fold.likeness(each.state) for each in needed]
        tags: tuple[str, ...] | None = None
        try:
            one.events = events_of(order.handler, order.handler.answer(order.command, needed))
        except Refused as refused:
            one.refusal = refused
            one.events = (refusal(order, refused),)
            tags = order.handler.tags(order.command)
        for each, before in zip(needed, given, strict=True):
            if each.fold.likeness(each.state) != before:
                raise Misdeclared(
                    f"{order.handler.name} changed the {each.fold.name} that it was given; a rule answers events, and only "
                    "evolve changes a state"
                )
        if not one.events:
            one.events = (nothing(order),)
            tags = order.handler.tags(order.command)
        data = self._encode(one, order, tags)
        whole = (
            one.refusal is not None or isinstance(one.events[0], NothingChanged) or not dirty.isdisjoint(order.needs)
        )
        condition = self._condition(order, needed, whole=whole)
        one.append = Append(data, condition, DecisionKey(order.id, order.digest, order.handler.name), sequel=True)

    def _encode(self, one: _Try, job: Job, tags: tuple[str, ...] | None = None) -> tuple[EventData, ...]:
        """The events as they will be stored, and every kept state they concern advanced."""
        encode, ids, advance = self._codec.encode, self._ids, self._cache.advance
        metadata, effective, afresh = job.metadata, job.effective, self._codec.afresh
        # All of them before any state moves: an event may hold what is in a state.
        data = [encode(event, ids=ids, metadata=metadata, effective=effective, tags=tags) for event in one.events]
        for event, stored in zip(one.events, data, strict=True):
            read = afresh.get(type(event))
            if read is None:
                advance(event, stored.tags, one.touched)
            else:
                advance(event, stored.tags, one.touched, afresh=partial(read, stored.data))
        return tuple(data)

    def _condition(self, order: Order, needed: Sequence[Kept], *, whole: bool) -> AppendCondition | None:
        """What must not have happened since. `whole`: nothing may be left out.

        Because a state holds what is not yet written; or because what is left out makes only a yes more true, no refusal.
        """
        conflicts = order.handler.conflicts
        queries = [one.query for one in needed]
        if not whole and conflicts is not None:
            # A guard holds whatever the rule says of its own conflicts.
            reads = len(needed) - len(order.handler.guards)
            narrowed = [one.narrowed(conflicts, self._codec) for one in needed[:reads]]
            queries[:reads] = [query for query in narrowed if query is not None]
        return AppendCondition(union(queries), after=self._cache.as_of) if queries else None

    def _take_down(self, one: _Try, entry: Entry) -> None:
        one.events = entry.events
        one.append = Append(self._encode(one, entry), entry.condition)

    def _fail(self, one: _Try, wrong: BaseException) -> list[Key]:
        """A rule failed: which states are kept no more. If the command was decided before, that is its answer nevertheless."""
        job = one.ticket.job
        spoilt = [*one.touched, *job.needs]
        self._cache.drop(spoilt)
        if not isinstance(job, Order) or not self._repeated(one.ticket):
            one.ticket.fail(wrong)
        return spoilt

    # Settle.

    def _settle(
        self, ready: Sequence[_Try], outcomes: Sequence[Outcome], collisions: dict[int, Collided]
    ) -> list[Desked]:
        again: list[Desked] = []
        head = self._cache.as_of
        for one, outcome in zip(ready, outcomes, strict=True):
            match outcome:
                case Appended():
                    if outcome.first != head + 1:
                        self._loader.forget_stale(head, outcome.first - 1)
                    head = outcome.last
                    self._answer(one, outcome)
                case Repeated():
                    self._retried = True
                    self._cache.drop(one.touched)
                    self._repeat(one.ticket, outcome)
                case Collided():
                    self._cache.drop(one.touched)
                    if self._may_try_again(one.ticket, outcome, collisions):
                        again.append(one.ticket)
        self._cache.as_of = head
        return again

    def _may_try_again(self, ticket: Desked, collided: Collided, collisions: dict[int, Collided]) -> bool:
        """A rule decides anew on what there is now; facts that came with a condition of their own are turned down."""
        if not isinstance(ticket.job, Order):
            ticket.fail(collided.error())
            return False
        self._cache.drop(ticket.job.needs)
        collisions[id(ticket)] = collided
        return True

    def _answer(self, one: _Try, outcome: Appended) -> None:
        job = one.ticket.job
        if one.refusal is not None:
            one.refusal.position = outcome.last
            one.ticket.fail(one.refusal)
            return
        events = () if isinstance(one.events[0], NothingChanged) else self._as_stored(one)
        one.ticket.succeed(
            Decided(
                events=events,
                position=outcome.last,
                recorded=outcome.recorded,
                command=job.id if isinstance(job, Order) else None,
            )
        )

    def _as_stored(self, one: _Try) -> tuple[Event, ...]:
        """The events as anybody reads them who asks later. What a rule has put into one may be part of a kept state."""
        afresh = self._codec.afresh
        if one.append is None or afresh.keys().isdisjoint(map(type, one.events)):
            return one.events
        pairs = zip(one.events, one.append.events, strict=True)
        return tuple(afresh[type(event)](stored.data) if type(event) in afresh else event for event, stored in pairs)

    def _repeat(self, ticket: Desked, outcome: Repeated) -> None:
        """The command was decided before: give the first answer again."""
        try:
            assert isinstance(ticket.job, Order)
            ticket.succeed(first_answer(self._store, self._codec, ticket.job, outcome.decision))
        except (ActumError, LookupError) as wrong:
            ticket.fail(wrong)


def _given_up(collided: Collided | None) -> ActumError:
    if collided is None:
        return OutcomeUnknown(
            "the journal failed again and again in the middle of a commit; repeat the call with the same command id"
        )
    return collided.error()

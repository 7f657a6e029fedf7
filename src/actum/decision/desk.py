"""The desk where commands are decided: load, decide, append under a condition, and on a conflict again.

Works on batches from a lane: what is not kept is loaded with one call, rules run one after another, each seeing what
the ones before it led to, and everything is appended with one call, each under its own condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec

from actum.decision.cache import Kept, StateCache
from actum.decision.command import Command
from actum.decision.handler import Handler, Key
from actum.decision.lane import Ticket
from actum.decision.outcome import CommandRefused, Decided, NothingChanged
from actum.journal.clock import Microseconds, uuid_of
from actum.journal.errors import ActumError, Busy, Invalid, Misdeclared, OutcomeUnknown, Refused, Reused, Unavailable
from actum.journal.event import Event, EventData, Position
from actum.journal.message import from_json, tagger, to_json
from actum.journal.query import AppendCondition, Query, QueryItem
from actum.journal.store import Append, Appended, Collided, DecisionKey, Repeated, Snapshot

if TYPE_CHECKING:
    from actum.decision.state import Fold
    from actum.journal.clock import Ids
    from actum.journal.codec import Codec
    from actum.journal.event import SequencedEvent
    from actum.journal.store import JournalStore, Outcome

ATTEMPTS = 10
"""How often a command is decided anew because something happened meanwhile, before its caller learns of the conflict."""

STATES_KEPT = 10_000
"""How many states are kept between decisions."""


class Order(msgspec.Struct, frozen=True, gc=False):
    """A command on its way to be decided, with everything its envelope says."""

    handler: Handler
    command: Command
    needs: tuple[Key, ...]
    content: bytes
    digest: bytes
    id: bytes
    metadata: bytes
    effective: Microseconds | None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """Events on their way into the journal without a rule: facts from elsewhere."""

    events: tuple[Event, ...]
    condition: AppendCondition | None
    metadata: bytes
    effective: Microseconds | None


Job: TypeAlias = Order | Entry
Desked: TypeAlias = "Ticket[Job, Decided]"


class _Try:
    """One attempt at one job: what it wants to append, and which kept states it has touched."""

    __slots__ = ("append", "error", "events", "refusal", "ticket", "touched")

    def __init__(self, ticket: Desked) -> None:
        self.ticket = ticket
        self.append: Append | None = None
        self.events: tuple[Event, ...] = ()
        self.refusal: Refused | None = None
        self.error: BaseException | None = None
        self.touched: list[Key] = []


class Desk:
    """Decides what a lane brings. Not to be shared between threads: the lane sees to that."""

    def __init__(self, store: JournalStore, codec: Codec, *, ids: Ids, states_kept: int = STATES_KEPT) -> None:
        if type(states_kept) is not int or states_kept < 0:
            raise Invalid(f"states_kept: expected 0 or more, found {states_kept!r}")
        self._store = store
        self._codec = codec
        self._ids = ids
        self._cache = StateCache(states_kept)
        self._types: dict[Fold[Any], frozenset[str]] = {}
        self._retried = False
        self._unknown: OutcomeUnknown | None = None

    def work(self, batch: Sequence[Desked]) -> None:
        """Settle every ticket of the batch."""
        self._unknown = None
        waiting = self._not_decided_before(batch) if self._retried else list(batch)
        collisions: dict[int, Collided] = {}
        for _ in range(ATTEMPTS):
            waiting = self._attempt(waiting, collisions)
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

    def _attempt(self, tickets: Sequence[Desked], collisions: dict[int, Collided]) -> list[Desked]:
        """One round: load, decide, append. The tickets that must try again are the answer."""
        try:
            self._load(tickets)
            ready = [one for one in self._decide_all(tickets) if one.append is not None]
            outcomes = self._append(ready)
        except Invalid as wrong:
            self._cache.clear()
            return self._one_by_one(tickets, wrong, collisions)
        except OutcomeUnknown as unknown:
            self._cache.clear()
            self._unknown = unknown
            return [ticket for ticket in tickets if not self._found_out(ticket, unknown)]
        except BaseException as wrong:
            self._cache.clear()
            if self._unknown is not None and isinstance(wrong, Busy | Unavailable):
                # That this attempt wrote nothing says nothing of the one before it.
                raise self._unknown from wrong
            raise
        return self._settle(ready, outcomes, collisions)

    def _one_by_one(self, tickets: Sequence[Desked], wrong: Invalid, collisions: dict[int, Collided]) -> list[Desked]:
        """The store would not take something of the batch: only whoever brought it shall hear of it."""
        left = [ticket for ticket in tickets if not ticket.done]
        if len(left) == 1:
            left[0].fail(wrong)
            return []
        return [again for ticket in left for again in self._attempt([ticket], collisions)]

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

    # Load.

    def _load(self, tickets: Sequence[Desked]) -> None:
        """Have every state that the commands name in the cache, as of one position."""
        needs = dict.fromkeys(key for one in tickets if isinstance(one.job, Order) for key in one.job.needs)
        missing = [key for key in needs if self._cache.get(key) is None]
        if not missing and self._cache.as_of:
            return
        self._fetch(missing)
        if any(self._cache.get(key) is None for key in needs):
            # What came in meanwhile from elsewhere has made states stale that were there: all of them, as of one position.
            self._fetch(list(needs))

    def _fetch(self, keys: Sequence[Key]) -> None:
        kept = [self._begin(fold, ids) for fold, ids in keys]
        head, loaded = self._store.load([one.query for _, one in kept], after=[position for position, _ in kept])
        self._catch_up(head)
        for key, (_, one), events in zip(keys, kept, loaded, strict=True):
            self._fold(key, one, events, head)

    def _begin(self, fold: Fold[Any], ids: tuple[Any, ...]) -> tuple[Position, Kept]:
        """Where the fold of a state begins: at a snapshot of this very fold, or at nothing."""
        tags = fold.tags(ids)
        position, state = self._remembered(fold, ids)
        types = self._types.get(fold)
        if types is None:
            types = self._types[fold] = self._codec.names(fold.events)
        return position, Kept(fold, tags, Query((QueryItem(types, tags),)), state)

    def _remembered(self, fold: Fold[Any], ids: tuple[Any, ...]) -> tuple[Position, Any]:
        if fold.snapshot_every is not None:
            snapshot = self._store.snapshot(_snapshot_key(fold, ids))
            if snapshot is not None and snapshot.fingerprint == fold.fingerprint:
                return snapshot.position, from_json(snapshot.data, fold.cls)
        return 0, fold.new(ids)

    def _fold(self, key: Key, kept: Kept, events: Sequence[SequencedEvent], head: Position) -> None:
        fold, ids = key
        fold.replay(kept.state, events, self._codec)
        self._cache.put(key, kept)
        if fold.snapshot_every is not None and len(events) >= fold.snapshot_every:
            with suppress(ActumError):  # What is remembered only spares work: a decision must not fail for it.
                self._store.remember(_snapshot_key(fold, ids), Snapshot(head, fold.fingerprint, to_json(kept.state)))

    def _catch_up(self, head: Position) -> None:
        """Forget what events from elsewhere have made stale, so that all that is kept is valid as of `head`."""
        if head > self._cache.as_of:
            self._forget_stale(self._cache.as_of, head)
            self._cache.as_of = head

    def _forget_stale(self, after: Position, until: Position) -> None:
        if until - after > 10_000:
            self._cache.clear()
            return
        for event in self._store.read(Query.all(), after=after, until=until):
            self._cache.drop_tagged(event.tags)

    # Decide.

    def _decide_all(self, tickets: Sequence[Desked]) -> list[_Try]:
        dirty: set[Key] = set()
        tries: list[_Try] = []
        for ticket in tickets:
            one = _Try(ticket)
            job = ticket.job
            try:
                if isinstance(job, Order):
                    self._decide(one, job, dirty)
                else:
                    self._take_down(one, job)
            except Exception as wrong:  # noqa: BLE001 - whatever it is, whoever waits must hear it
                self._fail(one, wrong)
            dirty.update(one.touched)
            tries.append(one)
        return tries

    def _decide(self, one: _Try, order: Order, dirty: set[Key]) -> None:
        needed = [self._kept(key) for key in order.needs]
        try:
            one.events = _events(self._answer_of(order, needed)) or (_nothing(order),)
        except Refused as refused:
            one.refusal = refused
            one.events = (_refusal(order, refused),)
        data = self._encode(one.events, order)
        condition = self._condition(order, needed, whole=not dirty.isdisjoint(order.needs))
        for event, stored in zip(one.events, data, strict=True):
            one.touched += self._cache.advance(event, stored.tags)
        one.append = Append(data, condition, DecisionKey(order.id, order.digest, order.handler.name), sequel=True)

    def _answer_of(self, order: Order, needed: Sequence[Kept]) -> Any:
        """What the rule says to the command and its states; the guards speak first."""
        handler, command = order.handler, order.command
        if handler.guards:
            for (guard, _), kept in zip(handler.guards, needed[-len(handler.guards) :], strict=True):
                if kept.state.found:
                    raise Refused(guard.because, **{guard.by: getattr(command, guard.by)})
        arguments: dict[str, Any] = {}
        states = iter(needed)
        for read in handler.reads:
            if read.several:
                arguments[read.parameter] = [next(states).state for _ in read.keys(command)]
            else:
                arguments[read.parameter] = next(states).state
        return handler.decide(command, **arguments)

    def _kept(self, key: Key) -> Kept:
        kept = self._cache.get(key)
        assert kept is not None
        return kept

    def _encode(self, events: tuple[Event, ...], order: Order) -> tuple[EventData, ...]:
        encode, ids = self._codec.encode, self._ids
        data = tuple(encode(event, ids=ids, metadata=order.metadata, effective=order.effective) for event in events)
        if isinstance(events[0], CommandRefused | NothingChanged):
            return (msgspec.structs.replace(data[0], tags=tagger(type(order.command))(order.command)),)
        return data

    def _condition(self, order: Order, needed: Sequence[Kept], *, whole: bool) -> AppendCondition | None:
        """What must not have happened since. `whole`: a state holds what is not yet written, so nothing may be left out."""
        conflicts, guards = order.handler.conflicts, len(order.handler.guards)
        items: tuple[QueryItem, ...] = ()
        for left, kept in zip(range(len(needed), 0, -1), needed, strict=True):
            guards_here = left <= guards  # A guard holds whatever the rule says of its own conflicts.
            query = kept.query if whole or conflicts is None or guards_here else kept.narrowed(conflicts, self._codec)
            if query is not None:
                items += query.items
        return AppendCondition(Query(items), after=self._cache.as_of) if items else None

    def _take_down(self, one: _Try, entry: Entry) -> None:
        one.events = entry.events
        data = tuple(
            self._codec.encode(event, ids=self._ids, metadata=entry.metadata, effective=entry.effective)
            for event in entry.events
        )
        for event, stored in zip(one.events, data, strict=True):
            one.touched += self._cache.advance(event, stored.tags)
        one.append = Append(data, entry.condition)

    def _fail(self, one: _Try, wrong: BaseException) -> None:
        """A rule failed. If the command was decided before, that decision is its answer nevertheless."""
        self._cache.drop(one.touched)
        job = one.ticket.job
        if isinstance(job, Order):
            self._cache.drop(job.needs)
            earlier = self._store.decision(job.id)
            if earlier is not None:
                self._repeat(one.ticket, Repeated(earlier))
                return
        one.ticket.fail(wrong)

    # Append.

    def _append(self, ready: Sequence[_Try]) -> list[Outcome]:
        if not ready:
            return []
        appends = [one.append for one in ready if one.append is not None]
        return self._store.append(*appends)

    def _settle(
        self, ready: Sequence[_Try], outcomes: Sequence[Outcome], collisions: dict[int, Collided]
    ) -> list[Desked]:
        again: list[Desked] = []
        head = self._cache.as_of
        for one, outcome in zip(ready, outcomes, strict=True):
            match outcome:
                case Appended():
                    if outcome.first != head + 1:
                        self._forget_stale(head, outcome.first - 1)
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
        events = () if isinstance(one.events[0], NothingChanged) else one.events
        one.ticket.succeed(
            Decided(
                events=events,
                position=outcome.last,
                recorded=outcome.recorded,
                command=job.id if isinstance(job, Order) else None,
            )
        )

    def _repeat(self, ticket: Desked, outcome: Repeated) -> None:
        """The command was decided before: give the first answer again."""
        try:
            ticket.succeed(self._first_answer(ticket.job, outcome))
        except (ActumError, LookupError) as wrong:
            ticket.fail(wrong)

    def _first_answer(self, job: Job, outcome: Repeated) -> Decided:
        assert isinstance(job, Order)
        record = outcome.decision
        if record.digest != job.digest:
            raise Reused(
                f"the command id {uuid_of(job.id)} already stands for another command, decided at position "
                f"{record.first}; give this {job.command.__kind__.type} an id of its own"
            )
        stored = list(self._store.read(Query.all(), after=record.first - 1, until=record.last))
        events = tuple(event for one in stored for event in self._codec.decode(one))
        for event in events:
            if isinstance(event, CommandRefused):
                raise event.error(record.first)
        return Decided(
            events=tuple(event for event in events if not isinstance(event, NothingChanged)),
            position=record.last,
            recorded=stored[-1].recorded,
            command=job.id,
            repeated=True,
        )


def _given_up(collided: Collided | None) -> ActumError:
    if collided is None:
        return OutcomeUnknown(
            "the journal failed again and again in the middle of a commit; repeat the call with the same command id"
        )
    return collided.error()


def _events(answer: object) -> tuple[Event, ...]:
    if answer is None:
        return ()
    if isinstance(answer, Event):
        return (answer,)
    events: list[Event] = []
    for event in cast("Iterable[object]", answer) if isinstance(answer, Iterable) else (answer,):
        if not isinstance(event, Event):
            raise Misdeclared(f"a rule answered {event!r:.80}; expected events, or None where there is nothing to do")
        events.append(event)
    return tuple(events)


def _nothing(order: Order) -> NothingChanged:
    return NothingChanged(command=str(order.command.__kind__), said=msgspec.Raw(order.content))


def _refusal(order: Order, refused: Refused) -> CommandRefused:
    facts = {name: str(value) for name, value in refused.facts.items()}
    said = msgspec.Raw(order.content)
    return CommandRefused(command=str(order.command.__kind__), reason=refused.reason, facts=facts, said=said)


def _snapshot_key(fold: Fold[Any], ids: tuple[Any, ...]) -> str:
    return msgspec.json.encode([fold.name, [str(value) for value in ids]]).decode()

"""Where commands are handed in: checked, put into their envelope, and brought to the lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actum.decision.acting import NOBODY, Acting, Envelope, current
from actum.decision.command import Command, command_id_of, digest_of
from actum.decision.desk import STATES_KEPT, Desk
from actum.decision.lane import Lane
from actum.decision.order import Entry, Job, Order
from actum.decision.outcome import Decided
from actum.journal.clock import to_microseconds
from actum.journal.errors import ActumError, Invalid
from actum.journal.event import Event
from actum.journal.message import to_json
from actum.journal.query import AppendCondition

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from actum.journal.clock import Ids
    from actum.journal.store import JournalStore
    from actum.service.declared import Declared


ENVELOPES_KEPT = 1000
"""How many combinations of who does what are kept ready to write."""


class Counter:
    """Where commands are handed in: one lane and one desk, shared by all callers of a process, blocking or awaiting."""

    def __init__(
        self, app: Declared, store: JournalStore, *, ids: Ids, acting: Acting = NOBODY, states_kept: int = STATES_KEPT
    ) -> None:
        self._app = app
        self._ids = ids
        self._acting = acting
        self._envelopes: dict[tuple[Acting, Acting, str | None], Envelope] = {}
        self._lane: Lane[Job, Decided] = Lane(
            Desk(store, app.codec, ids=ids, states_kept=states_kept).work, name=app.name
        )

    def execute(
        self, command: Command, *, id: UUID | str | None, acting: Acting, effective_at: datetime | None
    ) -> Decided:
        """Have the command decided, blocking."""
        return self._lane.call(self._order(command, id, acting, effective_at))

    def execute_all(
        self, commands: Sequence[tuple[Command, UUID | str | None, Acting]]
    ) -> list[Decided | BaseException]:
        """Have many commands decided, in as few commits as can be, blocking; what one of them raises stands in its place."""
        orders: list[Order | BaseException] = []
        for command, id, acting in commands:
            try:
                orders.append(self._order(command, id, acting, None))
            except ActumError as wrong:
                orders.append(wrong)
        jobs = [order for order in orders if isinstance(order, Order)]
        answers = iter(self._lane.call_all(jobs) if jobs else ())
        return [next(answers) if isinstance(order, Order) else order for order in orders]

    async def execute_async(
        self, command: Command, *, id: UUID | str | None, acting: Acting, effective_at: datetime | None
    ) -> Decided:
        """Have the command decided, awaiting."""
        return await self._lane.call_async(self._order(command, id, acting, effective_at))

    def append(
        self,
        events: tuple[Event, ...],
        *,
        condition: AppendCondition | None,
        acting: Acting,
        effective_at: datetime | None,
    ) -> Decided:
        """Have facts taken down without a rule, blocking."""
        return self._lane.call(self._entry(events, condition, acting, effective_at))

    async def append_async(
        self,
        events: tuple[Event, ...],
        *,
        condition: AppendCondition | None,
        acting: Acting,
        effective_at: datetime | None,
    ) -> Decided:
        """Have facts taken down without a rule, awaiting."""
        return await self._lane.call_async(self._entry(events, condition, acting, effective_at))

    def at(self, store: JournalStore) -> Counter:
        """A counter like this one, for the journal as it is seen through somebody's transaction."""
        return Counter(self._app, store, ids=self._ids, acting=self._acting)

    def close(self) -> None:
        """Finish what was handed in, and take no more."""
        self._lane.close()

    def _envelope(self, acting: Acting, command_type: str | None) -> Envelope:
        """Who acts here and now, ready to write; the same people do the same things again and again."""
        key = (acting, current(), command_type)
        envelope = self._envelopes.get(key)
        if envelope is None:
            if len(self._envelopes) >= ENVELOPES_KEPT:
                self._envelopes.clear()
            who = acting.within(key[1]).within(self._acting)
            envelope = self._envelopes[key] = who.envelope(command_type=command_type, producer=self._app.producer)
        return envelope

    def _order(self, command: Command, id: UUID | str | None, acting: Acting, effective_at: datetime | None) -> Order:
        cls = type(command)
        if not isinstance(command, Command):
            raise Invalid(f"expected a command, found {command!r:.80} ({cls.__name__})")
        handler = self._app.handler(cls)
        handler.check(command)
        content = to_json(command)
        command_id = self._ids.new() if id is None else command_id_of(id)
        return Order(
            handler=handler,
            command=command,
            needs=handler.needs(command),
            content=content,
            digest=digest_of(cls.__kind__, content),
            id=command_id,
            metadata=self._envelope(acting, cls.__kind__.type).of(command_id),
            effective=None if effective_at is None else to_microseconds(effective_at),
        )

    def _entry(
        self,
        events: tuple[Event, ...],
        condition: AppendCondition | None,
        acting: Acting,
        effective_at: datetime | None,
    ) -> Entry:
        if not events:
            raise Invalid("append: expected at least one event")
        for event in events:
            if not isinstance(event, Event):
                raise Invalid(f"append: expected events, found {event!r:.80} ({type(event).__name__})")
        if condition is not None and not isinstance(condition, AppendCondition):
            raise Invalid(f"append: condition: expected an AppendCondition, found {condition!r:.80}")
        metadata = self._envelope(acting, None).without_command()
        effective = None if effective_at is None else to_microseconds(effective_at)
        return Entry(events=events, condition=condition, metadata=metadata, effective=effective)

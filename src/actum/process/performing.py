"""Performing effects: claimed on record, called once, answered on record; and what becomes of one of which nobody knows.

A call is claimed by an event with a time until which its worker has it; so two workers never call at once, and a worker
that dies leaves a call of which nobody knows whether it was had. Such a one is shown, and treated as its effect declares.
What a call came to and the journal could not take at once is kept and put on record later; the outside is not called for it.
"""

from __future__ import annotations

import itertools
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from actum.decision.acting import Acting
from actum.decision.outcome import Decided
from actum.journal.clock import to_datetime
from actum.journal.errors import Busy, Invalid, Reused
from actum.process.agenda import Wish
from actum.process.effect import Attempt, Unknown
from actum.process.errands import BeginEffect, FailEffect, FinishEffect
from actum.process.instances import OutOfTurn
from actum.process.naming import derived
from actum.process.parking import LONGEST_ERROR, PASSING, because, may_pass
from actum.process.record import said

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from actum.decision.command import Command
    from actum.journal.codec import Codec
    from actum.journal.event import Event, SequencedEvent
    from actum.journal.store import JournalStore
    from actum.process.agenda import DueEffect, Give
    from actum.process.effect import EffectPlan
    from actum.process.record import Said

_LOG = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=0.5)
"""Until a failed effect is seen to again; twice as long after each failure."""

LONGEST_PAUSE = timedelta(minutes=10)
"""Between two attempts at the most."""

AT_ONCE = 8
"""How many effects one worker calls at a time."""


class Performer:
    """Sees to effects. With `threads`, calls go on beside the worker's own thread; without, in it.

    `freed` is called when a call is over, so that whoever was busy with others is asked again.
    """

    def __init__(
        self,
        plans: dict[str, EffectPlan],
        *,
        store: JournalStore,
        codec: Codec,
        give: Give,
        worker: str,
        threads: bool,
        freed: Callable[[], None],
    ) -> None:
        self._plans = plans
        self._store = store
        self._codec = codec
        self._give = give
        self._worker = worker
        self._freed = freed
        self._claims = itertools.count(1)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="actum-effect") if threads else None
        self._under_way: dict[UUID, Future[None]] = {}
        self._unrecorded: dict[UUID, Wish] = {}
        self._lock = threading.Lock()

    def see_to(self, due: Sequence[DueEffect]) -> int:
        """Put on record what could not be before, then begin on these, as far as there are hands; how many were begun."""
        self._catch_up_on_records()
        begun = 0
        for one in due:
            plan = self._plans.get(one.request_type)
            with self._lock:
                taken = one.effect in self._under_way or len(self._under_way) >= AT_ONCE
            if plan is None or taken:
                continue
            begun += 1
            if self._pool is None:
                self._perform(plan, one)
            else:
                self._begin(self._pool, plan, one)
        return begun

    def finish(self) -> bool:
        """Wait for the calls that are under way; whether there were any."""
        with self._lock:
            under_way = list(self._under_way.values())
        wait(under_way)
        return bool(under_way)

    def close(self) -> None:
        """Wait for what is under way, and for its record, if the journal can take it now."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)
        with suppress(*PASSING):
            self._catch_up_on_records()

    def _begin(self, pool: ThreadPoolExecutor, plan: EffectPlan, one: DueEffect) -> None:
        with self._lock:
            future = self._under_way[one.effect] = pool.submit(self._perform, plan, one)
        future.add_done_callback(lambda done: self._over(one.effect, done))

    def _over(self, effect: UUID, done: Future[None]) -> None:
        with self._lock:
            self._under_way.pop(effect, None)
        if (trouble := done.exception()) is not None:
            _LOG.warning("effect %s: %s; it will be seen to again", effect, trouble)
        self._freed()

    # One effect.

    def _perform(self, plan: EffectPlan, one: DueEffect) -> None:
        stored = next(iter(self._store.read(after=one.position - 1, until=one.position, limit=1)))
        errand = _Errand(self, plan, one, stored, self._codec)
        doubted = one.status in ("begun", "failed") and not one.undone
        if doubted and plan.ask is None and plan.unknown is Unknown.PERSON:
            errand.fail(one.attempt, f"nothing was heard of it within {plan.lease}", again=None)
        else:
            errand.call(doubted=doubted)

    def now(self) -> datetime:
        """What the journal's clock says."""
        return to_datetime(self._store.now())

    def given(self, command: Command, id: UUID, acting: Acting) -> Decided | None:
        """The decision; None where somebody else was first."""
        (answer,) = self._give([Wish(command, id, acting)])
        if isinstance(answer, Decided):
            return answer
        if isinstance(answer, OutOfTurn | Reused):
            return None
        raise answer

    def put_on_record(self, effect: UUID, wish: Wish) -> None:
        """Have on record what a call came to. What the journal cannot take now is kept, and raised: see `see_to`."""
        try:
            self.given(wish.command, wish.id, wish.acting)
        except Exception as wrong:
            if may_pass(wrong):
                with self._lock:
                    self._unrecorded[effect] = wish
            raise

    def _catch_up_on_records(self) -> None:
        """What cannot be recorded at all is shown as unknown once its time is over; the others go on."""
        with self._lock:
            unrecorded = list(self._unrecorded.items())
        for effect, wish in unrecorded:
            try:
                self.given(wish.command, wish.id, wish.acting)
            except Exception as wrong:
                if may_pass(wrong):
                    raise
                _LOG.warning("effect %s: what it came to cannot be put on record: %s", effect, wrong)
            with self._lock:
                del self._unrecorded[effect]

    def caller(self) -> str:
        """Who calls, told apart from every earlier call: who claims again what it had claimed, and forgot, does not get it."""
        return f"{self._worker}/{next(self._claims)}"


class _Errand:
    """One effect at one attempt."""

    def __init__(
        self, performer: Performer, plan: EffectPlan, due: DueEffect, stored: SequencedEvent, codec: Codec
    ) -> None:
        self._performer = performer
        self._plan = plan
        self._due = due
        self._stored = stored
        self._codec = codec
        self._acting = because(stored, plan.name)

    def call(self, *, doubted: bool) -> None:
        """Claim the next attempt; find out first where nobody knows of the last one; call where it came to nothing."""
        number, now = self._due.attempt + 1, self._performer.now()
        begin = BeginEffect(
            effect=self._due.effect,
            attempt=number,
            worker=self._performer.caller(),
            now=now,
            until=now + self._plan.lease,
        )
        if self._performer.given(begin, derived("begin effect", self._due.effect, number), self._acting) is None:
            return
        attempt = Attempt(self._stored, key=self._due.effect, number=number)
        try:
            answers = self._said(number, self._answer(attempt, doubted=doubted))
        except Exception as wrong:  # noqa: BLE001 - whatever it is, what is known of the call is on record
            self._failed(number, wrong)
        else:
            self._finish(number, answers)

    def _answer(self, attempt: Attempt, *, doubted: bool) -> tuple[Event, ...]:
        """What the outside says; it is asked first where nobody knows of an attempt before. `_Undone` where nothing was done."""
        try:
            request = self._request()
        except Exception as wrong:
            raise wrong if doubted else _Undone(wrong) from wrong
        if doubted and self._plan.ask is not None:
            found = self._plan.inquire(request, attempt)
            if found is not None:
                return found
            doubted = False
        try:
            return self._plan.call(request, attempt)
        except Busy as wrong:
            raise wrong if doubted else _Undone(wrong) from wrong

    def _request(self) -> Event:
        """What is asked for, in today's words."""
        for event in self._codec.decode(self._stored):
            if isinstance(event, self._plan.request):
                return event
        raise Invalid(f"expected {self._plan.name} at position {self._stored.position}, found no such event any more")

    def _said(self, number: int, answer: tuple[Event, ...]) -> tuple[Said, ...]:
        return tuple(said(one, derived("answer", self._due.effect, number, place)) for place, one in enumerate(answer))

    def _finish(self, number: int, answers: tuple[Said, ...]) -> None:
        """Put the answer on record; that it cannot be is no reason to believe that nothing was done."""
        command = FinishEffect(effect=self._due.effect, attempt=number, answers=answers)
        try:
            self._put_on_record("finish effect", number, command)
        except Exception as wrong:
            if may_pass(wrong):
                raise
            self._failed(number, wrong)

    def fail(self, number: int, error: str, *, again: datetime | None, undone: bool = False) -> None:
        """Put on record that there is no answer."""
        effect = self._due.effect
        command = FailEffect(effect=effect, attempt=number, error=error[:LONGEST_ERROR], undone=undone, again=again)
        self._put_on_record("fail effect", number, command)

    def _put_on_record(self, what: str, number: int, command: Command) -> None:
        effect = self._due.effect
        self._performer.put_on_record(effect, Wish(command, derived(what, effect, number), self._acting))

    def _failed(self, number: int, wrong: Exception) -> None:
        undone = isinstance(wrong, _Undone)
        hopeless = self._plan.unknown is Unknown.PERSON and self._plan.ask is None and not undone
        again = None
        if not hopeless and number < self._plan.attempts:
            again = self._performer.now() + min(FIRST_PAUSE * 2 ** (number - 1), LONGEST_PAUSE)
        what = wrong.trouble if isinstance(wrong, _Undone) else wrong
        self.fail(number, f"{type(what).__name__}: {what}", again=again, undone=undone)


class _Undone(Exception):
    """Nothing was done, at this attempt or any before: that is known."""

    def __init__(self, trouble: Exception) -> None:
        super().__init__(str(trouble))
        self.trouble = trouble

"""A lane: many callers, one at a time, in batches. One implementation for those who block and those who await.

Whoever finds the lane free leads: it takes all that waits, works on it as one batch, and wakes the first, who wakes the
next. A lone blocking caller so pays for no thread; under load one commit serves all. Awaiters never lead: a thread of the
lane's own does it for them, and each event loop is woken once a batch. Source of the idea: flat combining (Hendler,
Incze, Shavit, Tzafrir, 2010) and group commit.

Cancelling an awaiter abandons the answer, never half the work.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from actum.journal.errors import Misdeclared, OutcomeUnknown, Unavailable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence, Sized

Job = TypeVar("Job")
Result = TypeVar("Result")

MOST_AT_ONCE = 256
"""How many jobs go into one batch."""

PATIENCE = 0.5
"""For which part of the last batch's time a leader waits for those who were just answered."""

LONGEST_PATIENCE = 0.002
"""For how many seconds at the most."""

_INTERRUPTED = "the thread that wrote was interrupted; repeat the call with the same command id"


class Ticket(Generic[Job, Result]):
    """A job under way. Whoever works on it calls `succeed` or `fail`, once."""

    __slots__ = ("_awaited", "_error", "_loop", "_result", "_wake", "abandoned", "done", "following", "job", "leads")

    def __init__(self, job: Job, loop: asyncio.AbstractEventLoop | None) -> None:
        self.job = job
        self.done = False
        self.leads = False
        self.abandoned = False
        self.following: Ticket[Job, Result] | None = None
        self._loop = loop
        self._awaited: asyncio.Future[None] | None = None if loop is None else loop.create_future()
        self._wake: threading.Lock | None = None
        self._result: Result | None = None
        self._error: BaseException | None = None

    def will_wait(self) -> None:
        """A thread is going to block for it. Not said of one that finds the lane free, which leads at once."""
        if self._wake is None:
            self._wake = threading.Lock()
            self._wake.acquire()

    def succeed(self, result: Result) -> None:
        """The answer."""
        self._result = result
        self.done = True

    def fail(self, error: BaseException) -> None:
        """What went wrong instead."""
        self._error = error
        self.done = True

    def answer(self) -> Result:
        """The result, or the error raised."""
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]

    def outcome(self) -> Result | BaseException:
        """The result, or the error as a value."""
        return self._result if self._error is None else self._error  # type: ignore[return-value]

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop of the awaiter, None for a blocked thread."""
        return self._loop

    @property
    def can_lead(self) -> bool:
        """Whether a blocked thread stands behind it."""
        return self._loop is None and not self.abandoned

    def wait(self) -> None:
        """Block until woken: because it is done, or to lead."""
        assert self._wake is not None
        self._wake.acquire()

    def wake(self) -> None:
        """Let the blocked thread go on. To say it twice does no harm."""
        assert self._wake is not None
        with suppress(RuntimeError):
            self._wake.release()

    def pass_on(self) -> None:
        """Let the one behind go on, too. To say it twice does no harm."""
        if self.following is not None:
            self.following.wake()
            self.following = None

    async def awaited(self) -> None:
        """Until `resolve` was called on the loop."""
        assert self._awaited is not None
        await self._awaited

    def resolve(self) -> None:
        """Let the awaiter go on. Called on its loop."""
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)


class _Herd:
    """Callers who were answered together tend to come back together. Half of them would make two commits where one does.

    The leader waits for as many as there were, for a fraction of the time that the last batch took; where they do not
    come, it does not wait for them again.
    """

    def __init__(self) -> None:
        self.expected = 0
        self.whole = threading.Event()
        self._began = 0.0
        self._ended = 0.0

    def gather(self, waiting: Sized) -> None:
        """Until the herd is whole, or it has had its time."""
        now = time.monotonic()
        patience = min((self._ended - self._began) * PATIENCE, LONGEST_PATIENCE)
        if 1 < len(waiting) + 1 <= self.expected and now - self._ended < patience:
            self.whole.clear()
            if len(waiting) < self.expected and not self.whole.wait(patience):
                self.expected = len(waiting)
        self._began = time.monotonic()

    def answered(self, herd: int) -> None:
        """A batch is done; so many may come back."""
        self.expected = min(herd, MOST_AT_ONCE)
        self._ended = time.monotonic()


class Lane(Generic[Job, Result]):
    """`work` gets batches of tickets and settles each. It is never called twice at the same time."""

    def __init__(self, work: Callable[[Sequence[Ticket[Job, Result]]], None], *, name: str) -> None:
        self._work = work
        self._name = name
        self._mutex = threading.Lock()
        self._waiting: deque[Ticket[Job, Result]] = deque()
        self._led = False
        self._at_work: int | None = None
        self._closed = False
        self._free = threading.Condition(self._mutex)
        self._thread: threading.Thread | None = None
        self._call_thread = threading.Semaphore(0)
        self._herd = _Herd()

    def call(self, job: Job) -> Result:
        """Have the job done and block until it is."""
        ticket: Ticket[Job, Result] = Ticket(job, None)
        if not self._enter(ticket):
            try:
                ticket.wait()
                ticket.pass_on()
            except BaseException:
                self._abandon(ticket)
                raise
        if not ticket.done:
            self._lead(ticket)
        return ticket.answer()

    def call_all(self, jobs: Sequence[Job]) -> list[Result | BaseException]:
        """Have all of them done in as few batches as can be, and block until they are; an error stands for itself."""
        tickets: list[Ticket[Job, Result]] = [Ticket(job, None) for job in jobs]
        for ticket in tickets:
            ticket.will_wait()
        entered = [self._enter(ticket) for ticket in tickets]
        led = tickets[-1] if any(entered) else None
        try:
            if led is not None:
                self._lead(led)
            for ticket in tickets:
                if ticket is not led:
                    self._until_done(ticket)
        except BaseException:
            for ticket in tickets:
                self._abandon(ticket)
            raise
        return [ticket.outcome() for ticket in tickets]

    def _until_done(self, ticket: Ticket[Job, Result]) -> None:
        """Also where it is done: whoever is behind it in the row waits for its being woken."""
        ticket.wait()
        ticket.pass_on()
        if not ticket.done:
            self._lead(ticket)

    async def call_async(self, job: Job) -> Result:
        """Have the job done and await it."""
        import asyncio  # noqa: PLC0415 - whoever awaits has it; for all others it is half of what `import actum` costs

        ticket: Ticket[Job, Result] = Ticket(job, asyncio.get_running_loop())
        if self._enter(ticket):
            self._lead_by_thread()
        await ticket.awaited()
        return ticket.answer()

    def _enter(self, ticket: Ticket[Job, Result]) -> bool:
        """Queue up; whether the lane was free, so that the caller must lead."""
        with self._mutex:
            if self._closed:
                raise Unavailable(f"{self._name} is closed; open it again")
            if self._led and self._at_work == threading.get_ident():
                raise Misdeclared(
                    f"{self._name}: a rule, or what is called while commands are decided, gives a command itself and would wait "
                    "for itself; let a rule answer events, and give commands from a process or after the answer"
                )
            if self._led and ticket.loop is None:
                ticket.will_wait()
            self._waiting.append(ticket)
            if self._led:
                if len(self._waiting) >= self._herd.expected:
                    self._herd.whole.set()
                return False
            self._led = True
            return True

    def _lead(self, mine: Ticket[Job, Result] | None) -> None:
        """Work batch by batch; hand over once my own is done, or, without one of mine, once nobody waits."""
        while True:
            batch: Sequence[Ticket[Job, Result]] = ()
            try:
                self._herd.gather(self._waiting)
                batch = self._take()
                self._at_work = threading.get_ident()
                self._work(batch)
            except Exception as wrong:  # noqa: BLE001 - whatever it is, whoever waits must hear it
                _fail_all(batch, wrong)
            except BaseException:
                self._at_work = None
                _fail_all(batch, OutcomeUnknown(_INTERRUPTED))
                self._wake(batch, mine)
                if mine is not None:
                    mine.abandoned = True
                self._hand_over()
                raise
            self._at_work = None
            self._herd.answered(len(batch) + len(self._waiting))
            self._wake(batch, mine)
            if self._step_down(mine):
                return

    def _wake(self, batch: Sequence[Ticket[Job, Result]], mine: Ticket[Job, Result] | None) -> None:
        """Let everybody know. Blocked threads wake one another in a row: all at once, they would fight for the interpreter."""
        if len(batch) == 1 and batch[0] is mine:
            return
        loops: dict[asyncio.AbstractEventLoop, list[Ticket[Job, Result]]] = {}
        first: Ticket[Job, Result] | None = None
        with self._mutex:
            for ticket in reversed(batch):
                if ticket.loop is not None:
                    loops.setdefault(ticket.loop, []).append(ticket)
                elif ticket is not mine and not ticket.abandoned:
                    ticket.following = first
                    first = ticket
        if first is not None:
            first.wake()
        for loop, tickets in loops.items():
            try:
                loop.call_soon_threadsafe(_resolve, tickets[::-1])
            except RuntimeError:
                continue  # The loop was closed: nobody awaits there any more.

    def _take(self) -> list[Ticket[Job, Result]]:
        waiting = self._waiting
        return [waiting.popleft() for _ in range(min(len(waiting), MOST_AT_ONCE))]

    def _step_down(self, mine: Ticket[Job, Result] | None) -> bool:
        """Whether somebody else leads now, or nobody needs to."""
        with self._mutex:
            if not self._waiting:
                self._rest()
                return True
            if mine is None or not mine.done:
                return False
        self._hand_over()
        return True

    def _rest(self) -> None:
        """Nobody waits, nobody leads. The mutex is held."""
        self._led = False
        if self._closed:
            self._free.notify_all()

    def _hand_over(self) -> None:
        """Make the first blocked caller lead, or the lane's thread where only awaiters wait."""
        with self._mutex:
            if not self._waiting:
                self._rest()
                return
            successor = next((ticket for ticket in self._waiting if ticket.can_lead), None)
            if successor is not None:
                successor.leads = True
        if successor is None:
            self._lead_by_thread()
        else:
            successor.wake()

    def _abandon(self, ticket: Ticket[Job, Result]) -> None:
        """The blocked caller was interrupted and goes away; its job may still be done."""
        with self._mutex:
            ticket.abandoned = True
            must_hand_over = ticket.leads and not ticket.done
        ticket.pass_on()
        if must_hand_over:
            self._hand_over()

    def _lead_by_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"actum-lane-{self._name}", daemon=True)
            self._thread.start()
        self._call_thread.release()

    def _run(self) -> None:
        while True:
            self._call_thread.acquire()
            if self._closed and not self._waiting:
                return
            self._lead(None)

    def close(self) -> None:
        """Take no more jobs, and wait until those taken are done."""
        with self._mutex:
            self._closed = True
            while self._led:
                self._free.wait()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._call_thread.release()
            self._thread.join()


def _fail_all(batch: Sequence[Ticket[Job, Result]], wrong: BaseException) -> None:
    for ticket in batch:
        if not ticket.done:
            ticket.fail(wrong)


def _resolve(tickets: Sequence[Ticket[Job, Result]]) -> None:
    for ticket in tickets:
        ticket.resolve()

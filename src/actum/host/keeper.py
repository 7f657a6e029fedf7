"""A keeper: has one piece run, starts it again where it ends by itself or hangs, and knows when that is no use."""

from __future__ import annotations

import asyncio
import logging
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from actum.host.liveness import until_it_hangs
from actum.host.process import Process, is_stopped
from actum.host.standing import stands_in_the_way, wait_until_stopped
from actum.journal.errors import Invalid
from actum.service.control import Piece, PieceState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actum.host.plan import Wanted

_LOG = logging.getLogger(__name__)

MOST_TRIES = 500
"""How often one tries to have a piece stand still where it stands in nobody's way."""

_ASKABLE = (PieceState.RUNNING, PieceState.PAUSED)


class Patience(msgspec.Struct, frozen=True):
    """How long a keeper waits for what, in seconds."""

    first_pause: float = 0.5
    """Before a piece that ended by itself twice in a row is started again; each time twice as long."""
    longest_pause: float = 10.0
    steady: float = 10.0
    """A piece that ran for so long is started again at once, as if nothing had been."""
    most_falls: int = 5
    """After so many ends in a row that came sooner, it is held."""
    stop: float = 40.0
    """For what is under way, when it is to end."""
    silence: float = 60.0
    """A piece that answers nothing for so long hangs, and is started again; 0: it may be silent for ever."""
    last_words: float = 5.0
    """For one that hangs to write down where it stood."""


class Keeper:
    """Keeps one piece. Belongs to one event loop."""

    def __init__(
        self,
        wanted: Wanted,
        *,
        begin: Callable[[], Awaitable[Process]],
        changed: Callable[[Keeper], None],
        patience: Patience,
        url: str | None = None,
    ) -> None:
        self.wanted = wanted
        self.state = PieceState.STOPPED
        self.since = datetime.now(UTC)
        self.url = url
        self.restarts = 0
        self.why: str | None = None
        self.again = 0.0
        """Seconds until it is started again, where it is failing."""
        self._begin = begin
        self._changed = changed
        self._patience = patience
        self._process: Process | None = None
        self._next: Process | None = None
        self._on = False
        self._fell: str | None = None
        self._told = asyncio.Condition()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    @property
    def piece(self) -> Piece:
        """The piece as it is now."""
        wanted, process = self.wanted, self._process
        return Piece(
            name=wanted.name,
            context=wanted.context,
            kind=wanted.kind,
            state=self.state,
            since=self.since,
            pid=None if process is None or process.ended or self.state is PieceState.STOPPED else process.pid,
            url=self.url,
            restarts=self.restarts,
            why=self.why,
        )

    async def _become(self, state: PieceState, why: str | None = None) -> None:
        async with self._told:
            self.why = why
            if state is not self.state:
                self.state, self.since = state, datetime.now(UTC)
                _LOG.info("%s is %s%s", self.wanted.name, state.value, f": {why}" if why else "")
                self._changed(self)
            self._told.notify_all()

    async def until(self, *states: PieceState) -> None:
        """Until it is in one of these states."""
        async with self._told:
            await self._told.wait_for(lambda: self.state in states)

    # What can be done to it.

    async def start(self) -> None:
        """Have it run; until it does, or has failed to."""
        async with self._turn:
            if self.state is PieceState.PAUSED:
                await self._resume()
            if self._on and self.state is PieceState.FAILING:
                await self._become(PieceState.STARTING)
            self._wake.set()
            if not self._on:
                await self._over()
                self._on = True
                await self._become(PieceState.STARTING)
                self._task = asyncio.create_task(self._tend())
            await self.until(PieceState.RUNNING, PieceState.FAILING, PieceState.HELD)

    async def stop(self) -> None:
        """Have it end gently, and stay so."""
        async with self._turn:
            await self._end(gently=True)

    async def kill(self) -> None:
        """Have it end at once, and stay so."""
        async with self._turn:
            await self._end(gently=False)

    async def pause(self) -> None:
        """Have it stand still."""
        async with self._turn:
            if self._process is None or self.state not in _ASKABLE:
                raise Invalid(f"{self.wanted.name} is {self.state.value}: only what runs can be paused")
            await self._stand_still(self._process)
            await self._become(PieceState.PAUSED, "paused")

    async def _stand_still(self, process: Process) -> None:
        """Between two writes, so that nobody waits for what it holds."""
        for _ in range(MOST_TRIES):
            process.signal(signal.SIGSTOP)
            await asyncio.to_thread(wait_until_stopped, process.pid)
            if not stands_in_the_way(process.pid):
                return
            process.signal(signal.SIGCONT)
            await asyncio.sleep(0.002)
        process.signal(signal.SIGSTOP)

    async def resume(self) -> None:
        """Have it go on."""
        async with self._turn:
            if self.state is not PieceState.PAUSED:
                raise Invalid(f"{self.wanted.name} is {self.state.value}: only what is paused can be resumed")
            await self._resume()

    async def _resume(self) -> None:
        if self._process is not None:
            self._process.signal(signal.SIGCONT)
            await self._become(PieceState.RUNNING, "resumed")

    async def reload(self) -> str | None:
        """Have a new process take its place. What keeps that from beginning; the old one then goes on."""
        async with self._turn:
            if self.state is not PieceState.RUNNING or self._process is None:
                return None
            new = await self._begin()
            if not await new.prepared():
                await new.wait()
                return new.failed or "it could not be prepared; its log says why"
            self._next = new
            await self._become(PieceState.RELOADING)
            await self._process.stop(self._patience.stop)
            await self.until(PieceState.RUNNING, PieceState.FAILING, PieceState.HELD)
            return None

    async def look(self) -> None:
        """See whether somebody else has it stand still, or go on."""
        process = self._process
        if process is None or process.ended or self.state not in _ASKABLE or self._turn.locked():
            return
        stopped = is_stopped(process.pid)
        if stopped and self.state is PieceState.RUNNING:
            await self._become(PieceState.PAUSED, "paused by somebody else")
        elif stopped is False and self.state is PieceState.PAUSED:
            await self._become(PieceState.RUNNING, "resumed by somebody else")

    # Tending it.

    async def _over(self) -> None:
        if self._task is not None:
            await self._task
            self._task = None

    async def _end(self, *, gently: bool) -> None:
        self._on = False
        self._wake.set()
        await self._become(PieceState.STOPPED, "stopped" if gently else "killed")
        if self._process is not None and not self._process.ended:
            if gently:
                await self._process.stop(self._patience.stop)
            else:
                self._process.signal(signal.SIGKILL)
        await self._over()

    async def _tend(self) -> None:
        """Have it run for as long as it is to run."""
        falls = 0
        loop = asyncio.get_running_loop()
        while self._on:
            begun = loop.time()
            code = await self._run()
            if self._is_over():
                return
            if code is None:
                continue
            falls = 1 if loop.time() - begun > self._patience.steady else falls + 1
            why = self._why(code)
            if falls > self._patience.most_falls:
                self._on = False
                await self._become(PieceState.HELD, f"ended {falls} times in a row, the last time because {why}")
                return
            await self._rest(falls, why)
            self.restarts += 1

    def _is_over(self) -> bool:
        return not self._on

    async def _run(self) -> int | None:
        """One process, from its beginning to its end: its exit code; None where another one takes its place."""
        process, self._next = self._next, None
        if process is None:
            await self._become(PieceState.STARTING)
            try:
                process = await self._begin()
            except OSError as wrong:
                _LOG.error("%s cannot be begun: %s", self.wanted.name, wrong)
                return 1
            self._process = process
            if not await process.prepared():
                return await process.wait()
        self._process = process
        if self._is_over():
            process.signal(signal.SIGKILL)
        url = await process.go()
        watching: asyncio.Task[None] | None = None
        if url is not None and not self._is_over():
            self.url = url
            await self._become(PieceState.RUNNING, self._ready())
            watching = asyncio.create_task(self._watch(process, url))
        code = await process.wait()
        if watching is not None:
            watching.cancel()
        return None if self._next is not None else code

    def _ready(self) -> str:
        """Also after it has come back, it stands there why it had to."""
        fell, self._fell = self._fell, None
        return "ready" if fell is None else f"started again: {fell}"

    async def _watch(self, process: Process, url: str) -> None:
        """Where it hangs, end it: it is asked to write down where it stood, and is not asked twice."""
        silence = self._patience.silence
        if not silence:
            return
        await until_it_hangs(url, silence=silence, is_to_answer=lambda: self._is_to_answer(process))
        process.failed = f"it answered nothing for {silence:g} s; where it stood is in `actum logs {self.wanted.name}`"
        _LOG.warning("%s hangs: %s", self.wanted.name, process.failed)
        process.note(f"{self.wanted.name} answered nothing for {silence:g} s: ended, and started again")
        process.signal(signal.SIGABRT)
        await asyncio.sleep(self._patience.last_words)
        process.signal(signal.SIGKILL)

    def _is_to_answer(self, process: Process) -> bool:
        return self.state is PieceState.RUNNING and not self._turn.locked() and not is_stopped(process.pid)

    def _why(self, code: int) -> str:
        if self._process is not None and self._process.failed:
            return self._process.failed
        if code < 0:
            return f"somebody sent it {signal.Signals(-code).name}"
        return f"it ended with exit code {code}; see `actum logs {self.wanted.name}`"

    async def _rest(self, falls: int, why: str) -> None:
        """The first time at once, then longer each time."""
        patience = self._patience
        self.again = 0.0 if falls == 1 else min(patience.longest_pause, patience.first_pause * 2 ** (falls - 2))
        self._wake.clear()
        self._fell = why
        await self._become(PieceState.FAILING, why)
        if self.again:
            try:
                async with asyncio.timeout(self.again):
                    await self._wake.wait()
            except TimeoutError:
                return

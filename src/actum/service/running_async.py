"""The asynchronous twin of `Running`: the same verbs, awaited. Commands wait on the lane itself, reads hop to a thread once."""

from __future__ import annotations

import asyncio
import itertools
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from actum.decision.acting import Acting
from actum.decision.state import State
from actum.history.as_of import position_at
from actum.journal.query import Query
from actum.journal.recorded import Recorded, recorded
from actum.projection.changed import STEP
from actum.service.rebuild_async import AsyncRebuild, AsyncRowsRebuild
from actum.subscription.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType
    from uuid import UUID

    from actum.decision.command import Command
    from actum.decision.outcome import Decided
    from actum.decision.state import Identity
    from actum.history.as_of import Moment
    from actum.history.explain import Explanation
    from actum.journal.event import Event, Position
    from actum.journal.query import AppendCondition
    from actum.messaging.source import Source
    from actum.projection.handling import Handles
    from actum.projection.parking import Key, ParkedKey
    from actum.projection.projector import Progressed
    from actum.projection.query import AnswerT
    from actum.projection.query import Query as Question
    from actum.projection.status import FollowerStatus
    from actum.projection.table import Table
    from actum.projection.target import Target
    from actum.projection.view import View, ViewT
    from actum.service.declared import Declared
    from actum.service.delivering import Delivery
    from actum.service.listening import Listening
    from actum.service.rebuild import Rebuild, Version
    from actum.service.rebuild_rows import RowsRebuild
    from actum.service.running import Running
    from actum.service.within import Within
    from actum.service.working import Workers

StateT = TypeVar("StateT", bound=State)

PAGE = 500
"""How many events are fetched in one hop."""

_ALL = Query.all()


class AsyncRunning:
    """Made by `App.open_async`. Share one between the tasks of an event loop; an async context manager that closes it.

    Cancelling an awaiter abandons its answer, never half of what it asked for.
    """

    def __init__(self, running: Running) -> None:
        self.running = running
        """The same application for callers who block."""

    @property
    def app(self) -> Declared:
        """What runs."""
        return self.running.app

    async def execute(
        self,
        command: Command,
        *,
        id: UUID | str | None = None,
        actor: str | None = None,
        on_behalf_of: str | None = None,
        reason: str | None = None,
        correlation: UUID | None = None,
        causation: UUID | None = None,
        effective_at: datetime | None = None,
    ) -> Decided:
        """See `Running.execute`."""
        acting = Acting(actor, on_behalf_of, None, reason, correlation, causation)
        return await self.running.counter.execute_async(command, id=id, acting=acting, effective_at=effective_at)

    async def append(
        self,
        *events: Event,
        condition: AppendCondition | None = None,
        actor: str | None = None,
        reason: str | None = None,
        effective_at: datetime | None = None,
    ) -> Decided:
        """See `Running.append`."""
        return await self.running.counter.append_async(
            events, condition=condition, acting=Acting(actor, reason=reason), effective_at=effective_at
        )

    def within(self, connection: object) -> Within:
        """See `Running.within`. A transaction of yours on a blocking connection, and blocking itself: do it in a thread,
        as in `await asyncio.to_thread(book, running)`.
        """
        return self.running.within(connection)

    async def head(self) -> Position:
        """See `Running.head`."""
        return await asyncio.to_thread(self.running.head)

    async def state(self, state: type[StateT], *identity: Identity, at: Moment | None = None) -> StateT:
        """See `Running.state`."""
        return await asyncio.to_thread(self.running.state, state, *identity, at=at)

    async def explain(
        self,
        state: type[StateT],
        *identity: Identity,
        column: str,
        at: Moment | None = None,
        since: Moment | None = None,
        last: int | None = None,
        language: str = "en",
    ) -> Explanation:
        """See `Running.explain`."""
        return await asyncio.to_thread(
            self.running.explain, state, *identity, column=column, at=at, since=since, last=last, language=language
        )

    async def events(
        self,
        query: Query = _ALL,
        *,
        after: Position = 0,
        until: Position | None = None,
        limit: int | None = None,
        backwards: bool = False,
    ) -> AsyncIterator[Recorded]:
        """See `Running.events`."""
        found = self.running.events(query, after=after, until=until, limit=limit, backwards=backwards)
        while events := await asyncio.to_thread(_page, found):
            for event in events:
                yield event

    async def follow(self, query: Query = _ALL, *, after: Position = 0) -> AsyncIterator[Recorded]:
        """See `Running.follow`. Waiting costs no thread."""
        await asyncio.to_thread(position_at, self.running.store, after, what="after")
        with Subscription(self.running.store, query, after=after) as subscription:
            async for stored in subscription:
                for event in recorded(stored, self.app.codec):
                    yield event

    def view(self, view: type[ViewT]) -> Table[ViewT]:
        """The table of a view. Its reads are quick and block; `ask` answers a query without blocking the event loop."""
        return self.running.view(view)

    async def ask(
        self,
        query: Question[AnswerT],
        *,
        at: Moment | None = None,
        wait_for: Position | None = None,
        timeout: float = 10.0,
    ) -> AnswerT:
        """See `Running.ask`."""
        if wait_for is not None:
            await self.wait_for(wait_for, timeout=timeout)
        return await asyncio.to_thread(self.running.ask, query, at=at)

    def subscribe(self, query: Question[AnswerT], *, pause: float = 0.05) -> AsyncIterator[AnswerT]:
        """See `Running.subscribe`."""
        from actum.service.subscribing import answers_async, checked_pause  # noqa: PLC0415 - asked for by few

        return answers_async(self.running.views, query, pause=checked_pause(pause))

    async def wait_for(self, position: Position, *, timeout: float = 10.0) -> None:
        """See `Running.wait_for`. Waiting costs no thread."""
        await self.running.views.wait_for_async(position, timeout=timeout)

    async def catch_up(self, progress: Progressed | None = None) -> Position:
        """See `Running.catch_up`."""
        return await asyncio.to_thread(self.running.catch_up, progress)

    @overload
    async def rebuild(self, view: type[ViewT], *, step: int = STEP) -> AsyncRebuild[ViewT]: ...

    @overload
    async def rebuild(self, view: Handles, *, step: int = STEP) -> AsyncRebuild[Any]: ...

    async def rebuild(
        self, view: type[ViewT] | Handles, *, step: int = STEP
    ) -> AsyncRebuild[ViewT] | AsyncRebuild[View]:
        """See `Running.rebuild`."""
        begun: Rebuild[Any] = await asyncio.to_thread(self.running.rebuild, view, step=step)
        return AsyncRebuild(begun)

    async def rebuild_rows(
        self,
        view: type[ViewT],
        *,
        keys: Sequence[Identity | tuple[Identity, ...]] = (),
        tags: Sequence[str] = (),
        since: Moment | None = None,
        until: Moment | None = None,
        progress: Progressed | None = None,
    ) -> AsyncRowsRebuild[ViewT]:
        """See `Running.rebuild_rows`."""
        begin = partial(self.running.rebuild_rows, view, keys=keys, tags=tags, since=since, until=until)
        begun: RowsRebuild[ViewT] = await asyncio.to_thread(begin, progress=progress)
        return AsyncRowsRebuild(begun)

    @overload
    async def candidate(self, view: type[ViewT]) -> AsyncRebuild[ViewT]: ...

    @overload
    async def candidate(self, view: Handles) -> AsyncRebuild[Any]: ...

    async def candidate(self, view: type[ViewT] | Handles) -> AsyncRebuild[ViewT] | AsyncRebuild[View]:
        """See `Running.candidate`."""
        found: Rebuild[Any] = await asyncio.to_thread(self.running.candidate, view)
        return AsyncRebuild(found)

    async def rollback(
        self, view: Handles, *, behind: bool = False, actor: str | None = None, reason: str | None = None
    ) -> Position:
        """See `Running.rollback`."""
        return await asyncio.to_thread(self.running.rollback, view, behind=behind, actor=actor, reason=reason)

    async def cancel_rebuild(self, view: Handles, *, actor: str | None = None, reason: str | None = None) -> Position:
        """See `Running.cancel_rebuild`."""
        return await asyncio.to_thread(self.running.cancel_rebuild, view, actor=actor, reason=reason)

    async def versions(self, view: Handles) -> tuple[Version, ...]:
        """See `Running.versions`."""
        return await asyncio.to_thread(self.running.versions, view)

    async def digest(self, view: type[View]) -> str:
        """See `Running.digest`."""
        return await asyncio.to_thread(self.running.digest, view)

    async def followers(self) -> tuple[FollowerStatus, ...]:
        """See `Running.followers`."""
        return await asyncio.to_thread(self.running.followers)

    async def parked(self) -> tuple[ParkedKey, ...]:
        """See `Running.parked`."""
        return await asyncio.to_thread(self.running.parked)

    async def retry(
        self,
        view: type[View] | str,
        key: Key | None = None,
        *,
        one: bool = False,
        actor: str | None = None,
        reason: str | None = None,
    ) -> bool:
        """See `Running.retry`."""
        return await asyncio.to_thread(self.running.retry, view, key, one=one, actor=actor, reason=reason)

    async def discard(self, view: type[View] | str, key: Key, *, reason: str, actor: str | None = None) -> bool:
        """See `Running.discard`."""
        return await asyncio.to_thread(self.running.discard, view, key, reason=reason, actor=actor)

    async def work(self, workers: int = 1, *, lease: float = 10.0) -> Workers:
        """See `Running.work`."""
        return await asyncio.to_thread(self.running.work, workers, lease=lease)

    async def deliver(self, target: Target, *events: type[Event], page: int = 500) -> Delivery:
        """See `Running.deliver`."""
        return await asyncio.to_thread(self.running.deliver, target, *events, page=page)

    async def listen(self, sources: Mapping[str, Running | AsyncRunning | Source]) -> Listening:
        """See `Running.listen`; what is waited for then, is in a thread."""
        found = {name: one.running if isinstance(one, AsyncRunning) else one for name, one in sources.items()}
        return await asyncio.to_thread(self.running.listen, found)

    async def close(self) -> None:
        """See `Running.close`."""
        await asyncio.to_thread(self.running.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _page(found: Iterator[Recorded]) -> list[Recorded]:
    return list(itertools.islice(found, PAGE))


class OpeningAsync:
    """An application about to run: `async with` it, or await it."""

    def __init__(self, open_: Callable[[], Running]) -> None:
        self._open = open_
        self._running: AsyncRunning | None = None

    def __await__(self) -> Generator[object, None, AsyncRunning]:
        return self._opened().__await__()

    async def _opened(self) -> AsyncRunning:
        return AsyncRunning(await asyncio.to_thread(self._open))

    async def __aenter__(self) -> AsyncRunning:
        self._running = await self._opened()
        return self._running

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running is not None:
            await self._running.close()

"""The client for those who await: the same verbs on the same contract."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self, TypeVar

import httpx2

from actum.decision.acting import Acting
from actum.decision.state import State
from actum.http.client import NOTHING, TRIES, UNSENT, answer_in, more, streaming
from actum.http.wire import Answer, Blocks, Contract, lost, pause_after, turned_away
from actum.journal.errors import Invalid
from actum.journal.query import Query, checked_query

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime
    from types import TracebackType
    from uuid import UUID

    from actum.decision.command import Command
    from actum.decision.outcome import Decided
    from actum.decision.state import Identity
    from actum.history.as_of import Moment
    from actum.http.wire import Ask, Block
    from actum.journal.errors import ActumError
    from actum.journal.event import Position
    from actum.journal.recorded import Recorded
    from actum.projection.query import AnswerT
    from actum.projection.query import Query as Question
    from actum.projection.view import ViewT
    from actum.service.declared import Declared

StateT = TypeVar("StateT", bound=State)

_ALL = Query.all()


class AsyncClient:
    """See `Client`: the same verbs, awaited. Share one between the tasks of an event loop; an async context manager that closes it."""

    def __init__(
        self,
        url: str,
        app: Declared,
        *,
        actor: str | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 40.0,
        tries: int = TRIES,
    ) -> None:
        if tries < 1:
            raise Invalid(f"tries: expected 1 or more, found {tries}")
        self._contract = Contract(app, acting=Acting(actor), token=token, headers=headers)
        self._http = httpx2.AsyncClient(base_url=url, timeout=timeout)
        self._streaming = streaming(timeout)
        self._tries = tries

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
        """See `Client.execute`."""
        acting = Acting(actor, on_behalf_of, None, reason, correlation, causation)
        ask = self._contract.command(command, id=id, acting=acting, effective=effective_at)
        return self._contract.decided((await self._send(ask)).body)

    async def ask(
        self,
        query: Question[AnswerT],
        *,
        at: Moment | None = None,
        wait_for: Position | None = None,
        timeout: float | None = None,
    ) -> AnswerT:
        """See `Client.ask`."""
        ask = self._contract.query(query, at=at, wait_for=wait_for, timeout=timeout)
        answer: AnswerT = self._contract.answer((await self._send(ask)).body, type(query))
        return answer

    async def state(self, state: type[StateT], *identity: Identity, at: Moment | None = None) -> StateT:
        """See `Client.state`."""
        return self._contract.stated((await self._send(self._contract.state(state, identity, at))).body, state)

    async def row(
        self,
        view: type[ViewT],
        *identity: Identity,
        at: Moment | None = None,
        wait_for: Position | None = None,
        timeout: float | None = None,
    ) -> ViewT | None:
        """See `Client.row`."""
        answer = await self._send(self._contract.row(view, identity, at, wait_for, timeout))
        return None if answer.nothing else self._contract.view(answer.body, view)

    async def head(self) -> Position:
        """See `Client.head`."""
        return next((event.position for event in await self.newest(limit=1)), 0)

    async def newest(self, query: Query = _ALL, *, limit: int) -> list[Recorded]:
        """See `Client.newest`."""
        ask = self._contract.newest(checked_query(query), limit=limit)
        return self._contract.page((await self._send(ask)).body)[0]

    async def page(
        self, query: Query = _ALL, *, after: Position = 0, until: Position | None = None
    ) -> tuple[list[Recorded], Position | None]:
        """See `Client.page`."""
        ask = self._contract.events(checked_query(query), after=after, until=until)
        return self._contract.page((await self._send(ask)).body)

    async def events(
        self, query: Query = _ALL, *, after: Position = 0, until: Position | None = None
    ) -> AsyncIterator[Recorded]:
        """See `Client.events`."""
        place: Position | None = after
        while place is not None:
            events, place = await self.page(query, after=place, until=until)
            for event in events:
                yield event

    async def follow(self, query: Query = _ALL, *, after: Position = 0) -> AsyncIterator[Recorded]:
        """See `Client.follow`."""
        async for block in self._listen(lambda place: self._contract.feed(checked_query(query), after=place), after):
            for event in self._contract.recorded(block.data):
                yield event

    async def watch(self, query: Question[AnswerT]) -> AsyncIterator[AnswerT]:
        """See `Client.watch`."""
        async for block in self._listen(lambda _: self._contract.live(query), 0):
            answer: AnswerT = self._contract.answer(block.data, type(query))
            yield answer

    async def close(self) -> None:
        """See `Client.close`."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # Sending.

    async def _send(self, ask: Ask) -> Answer:
        """The answer; or the error that it says, where sending the same again cannot help or has not."""
        attempt = 0
        while True:
            attempt += 1
            answer, failure = await self._once(ask)
            if failure is None or answer.nothing:
                return answer
            pause = pause_after(failure, answer.retry_after, attempt=attempt)
            if pause is None or attempt >= self._tries:
                raise failure
            await asyncio.sleep(pause)

    async def _once(self, ask: Ask) -> tuple[Answer, ActumError | None]:
        try:
            answer = answer_in(await self._http.request(ask.method, ask.path, **more(ask)))
        except httpx2.HTTPError as wrong:
            return NOTHING, lost(ask, wrong, sent=not isinstance(wrong, UNSENT))
        return answer, answer.failure

    async def _listen(self, again: Callable[[Position], Ask], place: Position) -> AsyncIterator[Block]:
        """The blocks of a stream; where the line breaks, those of the next one."""
        blocks, heard = Blocks(place), False
        while True:
            ask = again(blocks.position)
            try:
                async with self._http.stream(ask.method, ask.path, timeout=self._streaming, **more(ask)) as response:
                    if response.status_code == 200:
                        heard = True
                        async for piece in response.aiter_bytes():
                            for block in blocks.take(piece):
                                yield block
                    else:
                        await response.aread()
                        turned_away(answer_in(response))
            except httpx2.HTTPError as wrong:
                if not heard:
                    raise lost(ask, wrong, sent=False) from wrong
            blocks.broken()
            await asyncio.sleep(blocks.retry)

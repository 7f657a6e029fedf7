"""The same application from elsewhere: typed calls over HTTP that answer, and fail, as they do in process.

```python
with Client("http://127.0.0.1:8000", bank, actor="teller-7") as web:
    done = web.execute(Deposit(account="A-1", amount=Decimal("10.00")))
    page = web.ask(Richest(), wait_for=done.position)
```
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self, TypedDict, TypeVar

import httpx2

from actum.decision.acting import Acting
from actum.decision.state import State
from actum.http.limits import Limits
from actum.http.wire import Answer, Blocks, Contract, lost, pause_after, turned_away
from actum.journal.errors import Invalid
from actum.journal.query import Query, checked_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
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

TRIES = 4
"""How often a call is sent before its error is raised, where sending it again may help."""

UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
"""What went wrong before anything was sent."""

SILENCE = 2.5 * Limits().heartbeat
"""Seconds in which nothing comes of a stream after which its line counts as broken: a door says more often that it is alive."""

_ALL = Query.all()


class Client:
    """An application served elsewhere, for callers who block. Share one between threads; a context manager that closes it.

    `actor` is who acts where a command does not say and no `acting(…)` is around it; `token` is who asks, where the door
    wants to know, and `headers` go along with each call, for a door that knows people by them. `timeout` is how many seconds to wait for an answer; what streams may be silent for longer, as long as the door is by default. A call that found the server busy, or whose outcome is
    not known, is sent again with the same id, `tries` times in all: a command is decided once.
    """

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
        self._http = httpx2.Client(base_url=url, timeout=timeout)
        self._streaming = streaming(timeout)
        self._tries = tries

    def execute(
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
        """See `Running.execute`. The facts of a `Refused` are texts here, as they are on record."""
        acting = Acting(actor, on_behalf_of, None, reason, correlation, causation)
        ask = self._contract.command(command, id=id, acting=acting, effective=effective_at)
        return self._contract.decided(self._send(ask).body)

    def ask(
        self,
        query: Question[AnswerT],
        *,
        at: Moment | None = None,
        wait_for: Position | None = None,
        timeout: float | None = None,
    ) -> AnswerT:
        """See `Running.ask`."""
        ask = self._contract.query(query, at=at, wait_for=wait_for, timeout=timeout)
        answer: AnswerT = self._contract.answer(self._send(ask).body, type(query))
        return answer

    def state(self, state: type[StateT], *identity: Identity, at: Moment | None = None) -> StateT:
        """See `Running.state`."""
        return self._contract.stated(self._send(self._contract.state(state, identity, at)).body, state)

    def row(
        self,
        view: type[ViewT],
        *identity: Identity,
        at: Moment | None = None,
        wait_for: Position | None = None,
        timeout: float | None = None,
    ) -> ViewT | None:
        """One row of a view, None where nothing is known of that thing."""
        answer = self._send(self._contract.row(view, identity, at, wait_for, timeout))
        return None if answer.nothing else self._contract.view(answer.body, view)

    def head(self) -> Position:
        """The position of the newest event."""
        return next((event.position for event in self.newest(limit=1)), 0)

    def events(self, query: Query = _ALL, *, after: Position = 0, until: Position | None = None) -> Iterator[Recorded]:
        """See `Running.events`. Over HTTP a query has one item."""
        place: Position | None = after
        while place is not None:
            events, place = self.page(query, after=place, until=until)
            yield from events

    def newest(self, query: Query = _ALL, *, limit: int) -> list[Recorded]:
        """The last events that match, the newest first."""
        return self._contract.page(self._send(self._contract.newest(checked_query(query), limit=limit)).body)[0]

    def page(
        self, query: Query = _ALL, *, after: Position = 0, until: Position | None = None
    ) -> tuple[list[Recorded], Position | None]:
        """Some of the events that match, and behind which position the next ones begin; None where there are no more."""
        ask = self._contract.events(checked_query(query), after=after, until=until)
        return self._contract.page(self._send(ask).body)

    def follow(self, query: Query = _ALL, *, after: Position = 0) -> Iterator[Recorded]:
        """The events that match, and then those that come, for ever. A line that breaks is taken up where it broke."""
        for block in self._listen(lambda place: self._contract.feed(checked_query(query), after=place), after):
            yield from self._contract.recorded(block.data)

    def watch(self, query: Question[AnswerT]) -> Iterator[AnswerT]:
        """The answer to a query, and again whenever it is another one, for ever."""
        for block in self._listen(lambda _: self._contract.live(query), 0):
            answer: AnswerT = self._contract.answer(block.data, type(query))
            yield answer

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Sending.

    def _send(self, ask: Ask) -> Answer:
        """The answer; or the error that it says, where sending the same again cannot help or has not."""
        attempt = 0
        while True:
            attempt += 1
            answer, failure = self._once(ask)
            if failure is None or answer.nothing:
                return answer
            pause = pause_after(failure, answer.retry_after, attempt=attempt)
            if pause is None or attempt >= self._tries:
                raise failure
            time.sleep(pause)

    def _once(self, ask: Ask) -> tuple[Answer, ActumError | None]:
        try:
            answer = answer_in(self._http.request(ask.method, ask.path, **more(ask)))
        except httpx2.HTTPError as wrong:
            return NOTHING, lost(ask, wrong, sent=not isinstance(wrong, UNSENT))
        return answer, answer.failure

    def _listen(self, again: Callable[[Position], Ask], place: Position) -> Iterator[Block]:
        """The blocks of a stream; where the line breaks, those of the next one."""
        blocks, heard = Blocks(place), False
        while True:
            ask = again(blocks.position)
            try:
                with self._http.stream(ask.method, ask.path, timeout=self._streaming, **more(ask)) as response:
                    if response.status_code == 200:
                        heard = True
                        for piece in response.iter_bytes():
                            yield from blocks.take(piece)
                    else:
                        response.read()
                        turned_away(answer_in(response))
            except httpx2.HTTPError as wrong:
                if not heard:
                    raise lost(ask, wrong, sent=False) from wrong
            blocks.broken()
            time.sleep(blocks.retry)


NOTHING = Answer(0, b"")


def streaming(timeout: float) -> httpx2.Timeout:
    """How long to wait for what a stream says, where any other answer is waited for so many seconds."""
    return httpx2.Timeout(timeout, read=max(timeout, SILENCE))


class More(TypedDict):
    """What a request has besides method and address."""

    params: list[tuple[str, str | int | float | bool | None]]
    headers: dict[str, str]
    content: bytes | None


def more(ask: Ask) -> More:
    """The rest of the request."""
    return More(params=[*ask.parameters], headers=ask.headers, content=ask.content)


def answer_in(response: httpx2.Response) -> Answer:
    """The answer that came, read whole."""
    return Answer(response.status_code, response.content, response.headers.get("retry-after", ""))

"""What goes over the wire between a client and a door, made and read without any input or output.

One contract, the application itself, stands on both sides: its classes make the requests and read the answers.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import msgspec

from actum.decision.acting import Acting, current
from actum.decision.state import State, fold_of, hints_of
from actum.http.answers import Events, Outcome, Recording, Stated, decided_of, stored_of
from actum.http.problem import error_of, read
from actum.http.said import IDEMPOTENCY_KEY, LAST_EVENT_ID, Said, headers_for
from actum.journal.clock import SYSTEM_IDS, uuid_of
from actum.journal.conforming import checker
from actum.journal.decoders import decoder_for
from actum.journal.errors import Busy, Invalid, OutcomeUnknown, Unavailable
from actum.journal.event import Position
from actum.journal.message import decoder_of, to_json
from actum.journal.recorded import Recorded, recorded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from actum.decision.command import Command
    from actum.decision.outcome import Decided
    from actum.decision.state import Identity
    from actum.history.as_of import Moment
    from actum.journal.errors import ActumError
    from actum.journal.query import Query as Choice
    from actum.projection.query import Query
    from actum.service.declared import Declared

StateT = TypeVar("StateT", bound=State)

FIRST_PAUSE = 0.1
"""Seconds before the first new attempt where the server does not say; twice as many before each next one."""


class Ask(msgspec.Struct, frozen=True):
    """A request to send."""

    method: str
    path: str
    parameters: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = {}
    content: bytes | None = None


class Contract:
    """An application as both sides know it."""

    def __init__(
        self, app: Declared, *, acting: Acting, token: str | None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.app = app
        self._acting = acting
        self._along = dict(headers or {}) | ({} if token is None else {"authorization": f"Bearer {token}"})

    # Requests.

    def command(self, command: Command, *, id: UUID | str | None, acting: Acting, effective: datetime | None) -> Ask:
        """Have it decided. It gets an id in any case, so that it can be sent again."""
        cls = type(command)
        self.app.command_type(cls.__kind__.type)
        checker(cls)(command)
        who = acting.within(current()).within(self._acting)
        said = Said(uuid_of(SYSTEM_IDS.new()) if id is None else id, who, effective)
        headers = headers_for(said) | {"content-type": "application/json"}
        return Ask("POST", f"/commands/{cls.__kind__.type}", (), headers | self._along, to_json(command))

    def query(
        self, query: Query, *, at: Moment | None = None, wait_for: Position | None = None, timeout: float | None = None
    ) -> Ask:
        """Ask it."""
        checker(type(query))(query)
        parameters = _fields(query) + _timing(at, wait_for, timeout)
        return self._get(f"/queries/{type(query).__kind__.type}", parameters)

    def live(self, query: Query) -> Ask:
        """Ask it for as long as one listens."""
        checker(type(query))(query)
        return self._get(f"/live/{type(query).__kind__.type}", _fields(query))

    def state(self, cls: type[State], ids: Sequence[Identity], at: Moment | None) -> Ask:
        """One thing as rules see it."""
        return self._get(f"/states/{cls.__name__}{_path(fold_of(cls).ids(ids))}", _timing(at, None, None))

    def row(
        self,
        cls: type[State],
        ids: Sequence[Identity],
        at: Moment | None,
        wait_for: Position | None,
        timeout: float | None,
    ) -> Ask:
        """One row of a view."""
        path = f"/views/{cls.__name__}{_path(fold_of(cls).ids(ids))}"
        return self._get(path, _timing(at, wait_for, timeout))

    def events(self, choice: Choice, *, after: Position, until: Position | None) -> Ask:
        """A page of events: as many as the door gives."""
        bound = () if until is None else (("until", str(until)),)
        return self._get("/events", (*_chosen(choice), ("after", str(after)), *bound))

    def newest(self, choice: Choice, *, limit: int) -> Ask:
        """The last events, the newest first."""
        return self._get("/events", (*_chosen(choice), ("limit", str(limit)), ("newest", "true")))

    def feed(self, choice: Choice, *, after: Position) -> Ask:
        """The events that are there, and those that come."""
        asked = self._get("/feed", _chosen(choice))
        return msgspec.structs.replace(asked, headers=asked.headers | {LAST_EVENT_ID: str(after)})

    def _get(self, path: str, parameters: tuple[tuple[str, str], ...]) -> Ask:
        acting = current()
        story = Acting(correlation=acting.correlation, traceparent=acting.traceparent, tracestate=acting.tracestate)
        return Ask("GET", path, parameters, headers_for(Said(None, story, None)) | self._along)

    # Answers.

    def decided(self, body: bytes) -> Decided:
        """What came of a command."""
        return decided_of(_decoded(body, Outcome), self.app.codec)

    def answer(self, body: bytes, query: type[Query]) -> Any:
        """The answer to a query, as its function would have given it."""
        function = self.app.answer(query).function
        return _decoded(body, hints_of(function, function.__qualname__).get("return", Any))

    def stated(self, body: bytes, cls: type[StateT]) -> StateT:
        """A state."""
        return decoder_of(cls).decode(_decoded(body, Stated).state)

    def view(self, body: bytes, cls: type[StateT]) -> StateT:
        """A row."""
        row: StateT = _decoded(body, cls)
        return row

    def page(self, body: bytes) -> tuple[list[Recorded], Position | None]:
        """Events, and behind which position the next ones begin."""
        page = _decoded(body, Events)
        return [event for one in page.events for event in self._recorded(one)], page.next

    def recorded(self, data: bytes) -> tuple[Recorded, ...]:
        """What one block of a feed says."""
        return self._recorded(_decoded(data, Recording))

    def _recorded(self, recording: Recording) -> tuple[Recorded, ...]:
        return recorded(stored_of(recording), self.app.codec)


def _decoded(body: bytes, kind: Any) -> Any:
    try:
        return decoder_for(kind).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise Unavailable(
            f"the server's answer is not what its application declares here: {wrong}; is it another version?"
        ) from wrong


def _fields(query: Query) -> tuple[tuple[str, str], ...]:
    fields: dict[str, Any] = msgspec.json.decode(to_json(query))
    return tuple((name, word) for name, value in fields.items() for word in _words(value))


def _words(value: Any) -> list[str]:
    match value:
        case None:
            return []
        case str():
            return [value]
        case bool():
            return ["true" if value else "false"]
        case _:
            return [msgspec.json.encode(value).decode()]


def _timing(at: Moment | None, wait_for: Position | None, timeout: float | None) -> tuple[tuple[str, str], ...]:
    said = {
        "at": at.isoformat() if isinstance(at, datetime) else at,
        "wait_for": wait_for,
        "timeout": None if timeout is None else f"{timeout:g}",
    }
    return tuple((name, str(value)) for name, value in said.items() if value is not None)


def _chosen(choice: Choice) -> tuple[tuple[str, str], ...]:
    if choice.is_all:
        return ()
    if len(choice.items) > 1:
        raise Invalid("over HTTP events are chosen by one item: one of some types, all of some tags; ask several times")
    item = next(iter(choice.items))
    return (*(("type", name) for name in sorted(item.types)), *(("tag", tag) for tag in sorted(item.tags)))


def _path(ids: Iterable[Identity]) -> str:
    return "".join("/" + quote(str(value), safe="").replace(".", "%2E") for value in ids)


# What went wrong.


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes
    retry_after: str = ""

    @property
    def failure(self) -> ActumError | None:
        """What it says went wrong: the error that was raised inside the application."""
        return None if 200 <= self.status < 300 else error_of(read(self.body, status=self.status))

    @property
    def nothing(self) -> bool:
        """Whether it says that there is no such row, where all the names were right."""
        return self.status == 404 and read(self.body, status=404).what is None


def lost(ask: Ask, wrong: Exception, *, sent: bool) -> ActumError:
    """The error for a line that broke: whether a command was decided is then not known, unless it never left."""
    if not sent:
        return Unavailable(f"the server cannot be reached: {str(wrong) or type(wrong).__name__}")
    if ask.method == "GET":
        return Unavailable(f"the line broke: {str(wrong) or type(wrong).__name__}; ask again")
    return OutcomeUnknown(
        f"the line broke before the answer: {str(wrong) or type(wrong).__name__}; "
        f"repeat the command with id={ask.headers[IDEMPOTENCY_KEY]}"
    )


def turned_away(answer: Answer) -> None:
    """Raise why a stream was not given; nothing where it may be given later."""
    failure = answer.failure
    if failure is not None and not isinstance(failure, Busy):
        raise failure


def pause_after(error: ActumError, retry_after: str, *, attempt: int) -> float | None:
    """How many seconds to wait before the same again; None where that would not help. A command may: it is decided once."""
    if not isinstance(error, Busy | OutcomeUnknown):
        return None
    return float(retry_after) if retry_after.isdigit() else FIRST_PAUSE * 2.0**attempt


class Block(msgspec.Struct, frozen=True):
    """One server-sent event that carries data."""

    data: bytes
    position: Position


class Blocks:
    """Reads server-sent events as they come in, and knows where to go on when the line breaks."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self.retry = 2.0
        self._rest = b""
        self._data: list[bytes] = []
        self._event = "message"

    def take(self, piece: bytes) -> Iterator[Block]:
        """The blocks of data that end within this piece."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            yield from self._line(line.removesuffix(b"\r"))

    def broken(self) -> None:
        """The line broke: what was begun is void."""
        self._rest, self._data, self._event = b"", [], "message"

    def _line(self, line: bytes) -> Iterator[Block]:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match field:
            case b"" if not line:
                if self._data and self._event == "message":
                    yield Block(b"\n".join(self._data), self.position)
                self._data, self._event = [], "message"
            case b"data":
                self._data.append(value)
            case b"event":
                self._event = value.decode(errors="replace")
            case b"id" if value.isdigit():
                self.position = int(value)
            case b"retry" if value.isdigit():
                self.retry = int(value) / 1000
            case _:
                pass

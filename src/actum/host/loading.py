"""A load on a gateway: commands and questions at a steady rate, each command with a key of its own and its fate on record."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from actum.host.upstream import Lost, Unsent, Upstream, request_of
from actum.http.examples import example_of
from actum.http.problem import read
from actum.journal.clock import SYSTEM_IDS
from actum.journal.message import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

    from actum.decision.command import Command
    from actum.host.upstream import Reply
    from actum.service.system import System

MOST = 300
"""How many requests are under way at once at the most; above it, one is left out and counted."""

PATIENCE = 60.0
"""Seconds that an answer may take."""

THINGS = 40
"""Over how many identities of each kind made-up commands are spread."""

UNDECIDED = ("outcome-unknown", "busy", "conflict", "unavailable")
"""Answers after which one asks again with the same key."""


OFF = ("service-off", "unavailable", "busy", "draining", "storage-full", "read-only")
"""Answers of which it is known why they are none, and that it will pass."""


def wrongly(status: int) -> bool:
    """Whether an answer of that status, where nothing is known to be off, is a fault: of the program, or of whom it lets in."""
    return status >= 500 or status in (401, 403)


class Wished(Protocol):
    """A command that somebody wants a context to decide."""

    @property
    def context(self) -> str:
        """Whose command it is."""
        ...

    @property
    def command(self) -> Command:
        """The command."""
        ...

    @property
    def actor(self) -> str:
        """Who gives it."""
        ...


class Wish(msgspec.Struct, frozen=True):
    """A wish that was made up."""

    context: str
    command: Command
    actor: str = "drill"


class Fate(Enum):
    """What became of a command, as far as the first answer says."""

    DECIDED = "decided"
    """By the rules: done or refused, or told that it cannot be."""
    TURNED_DOWN = "turned down"
    """Whoever would decide it is off."""
    UNKNOWN = "unknown at first"
    """Nobody could say whether it was decided."""
    FAILED = "failed"
    """A fault of the program, or nobody is let in."""


class Given(msgspec.Struct):
    """A command that was given: when, under which key, and what was answered. `problem` is empty for a decision."""

    context: str
    key: str
    request: bytes
    at: float
    status: int = 0
    problem: str = ""
    position: int = 0
    took: float = 0.0
    answered: asyncio.Event = msgspec.field(default_factory=asyncio.Event)

    @property
    def acknowledged(self) -> bool:
        """Whether a decision was answered: made, or refused by the rules; both are on record."""
        return self.status == 200 or self.problem == "refused"

    @property
    def fate(self) -> Fate:
        """What became of it."""
        if self.problem in OFF:
            return Fate.TURNED_DOWN
        if self.status == 0 or self.problem == "outcome-unknown":
            return Fate.UNKNOWN
        return Fate.FAILED if wrongly(self.status) else Fate.DECIDED

    @property
    def turned_down(self) -> bool:
        """Whether it was said that nothing was kept of it."""
        return self.problem in ("service-off", "draining", "storage-full", "read-only")


def made_up(system: System, chance: Random) -> Iterator[Wished]:
    """Commands of all kinds, from the examples that types have, spread over some identities. Many will be refused."""
    kinds = [(name, cls) for name, app in system.contexts.items() for cls in app.commands.values()]
    while kinds:
        context, cls = chance.choice(kinds)
        yield Wish(context, from_json(msgspec.json.encode(_varied(example_of(cls), chance)), cls))


def _varied(example: Any, chance: Random) -> Any:
    """The example, with other identities and numbers in it."""
    match example:
        case dict():
            return {name: _varied(value, chance) for name, value in cast("dict[str, Any]", example).items()}
        case list():
            return [_varied(item, chance) for item in cast("Sequence[Any]", example)]
        case str() if example.endswith("-1") and example.count("-") == 1:
            return f"{example[:-1]}{chance.randint(1, THINGS)}"
        case _:
            return example


class Load:
    """Gives and asks until it is stopped. `asks` are targets to read, in turn."""

    def __init__(
        self, gateway: str, wishes: Iterator[Wished], asks: Sequence[str], *, rate: float, token: str | None = None
    ) -> None:
        place = urlsplit(gateway)
        self._host = place.netloc
        self._upstream = Upstream(place.hostname or "127.0.0.1", place.port or 80)
        self._wishes = wishes
        self._asks = asks
        self._rate = rate
        self._token = token
        self._under_way: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._turn = 0
        self.given: list[Given] = []
        self.asked: Counter[int] = Counter()
        self.waited: list[float] = []
        self.left_out = 0

    async def run(self) -> None:
        """Go on until stopped, at the rate, whatever becomes of the answers; then wait for those."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not self._stopping.is_set():
            due = max(due + 1 / self._rate, loop.time() - 0.25)
            await asyncio.sleep(max(0.0, due - loop.time()))
            self._begin()
        if self._under_way:
            await asyncio.wait(self._under_way)

    def stop(self) -> None:
        """Give no more."""
        self._stopping.set()

    def close(self) -> None:
        """Give the connections back."""
        self._upstream.abandon("the load is over")

    def _begin(self) -> None:
        if len(self._under_way) >= MOST:
            self.left_out += 1
            return
        self._turn += 1
        give = self._give if self._turn % 2 or not self._asks else self._ask
        task = asyncio.create_task(give())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _give(self) -> None:
        wish = next(self._wishes, None)
        if wish is None:
            return
        key = str(UUID(bytes=SYSTEM_IDS.new()))
        target = f"/{wish.context}/commands/{type(wish.command).__kind__.type}"
        headers = [("content-type", "application/json"), ("idempotency-key", key), ("actum-actor", wish.actor)]
        request = self.request("POST", target, headers, to_json(wish.command))
        given = Given(wish.context, key, request, time.monotonic())
        self.given.append(given)
        await self.give(given)

    async def give(self, given: Given) -> None:
        """Give it, or give it again; what is answered is kept in it."""
        begun = time.monotonic()
        status, headers, body = await self._sent(given.request)
        given.took = time.monotonic() - begun
        given.status, given.problem = status, "" if status == 200 else read(body, status=status).short or str(status)
        if given.acknowledged:
            given.position = int(headers.get(b"actum-position", b"0")) or read(body, status=status).position
        given.answered.set()
        self.waited.append(given.took)

    async def _ask(self) -> None:
        begun = time.monotonic()
        status, _, _ = await self._sent(self.request("GET", self._asks[self._turn // 2 % len(self._asks)]))
        self.asked[status] += 1
        self.waited.append(time.monotonic() - begun)

    def request(self, method: str, target: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> bytes:
        """A request as it is sent to this gateway."""
        said = [("host", self._host), *headers]
        if self._token is not None:
            said = [pair for pair in said if pair[0] != "actum-actor"]
            said.append(("authorization", f"Bearer {self._token}"))
        pairs = [(name.encode(), value.encode()) for name, value in said]
        return request_of(method, target.encode(), pairs, body)

    async def ask(self, request: bytes) -> Reply:
        """Send a request; the answer, once it begins."""
        return await self._upstream.ask(request, patience=PATIENCE)

    async def _sent(self, request: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
        """What is answered; 0 where nothing is."""
        try:
            reply = await self.ask(request)
            return reply.status, dict(reply.headers), await reply.whole()
        except (Unsent, Lost):
            return 0, {}, b""

    async def answered(self, given: Sequence[Given]) -> None:
        """Until each of these has some answer."""
        for one in given:
            await one.answered.wait()

    async def settle(self, given: Sequence[Given], *, patience: float) -> list[Given]:
        """Ask again, with the same keys, for what nobody knows; those of which nobody knows even then."""
        deadline = time.monotonic() + patience
        while unknown := [one for one in given if undecided(one)]:
            if time.monotonic() > deadline:
                return unknown
            await asyncio.gather(*(self.give(one) for one in unknown[:50]))
            await asyncio.sleep(0.05)
        return []


def undecided(given: Given) -> bool:
    """Whether nobody knows what became of it."""
    return given.status == 0 or given.problem in UNDECIDED


def chosen(system: System, named: str | None, chance: Random, find: Callable[[str], Any]) -> Iterator[Wished]:
    """What is to be wished for: what the name stands for, a function from a `Random` to wishes; else made-up commands."""
    if named is None:
        return made_up(system, chance)
    wishes: Iterator[Wished] = iter(find(named)(chance))
    return wishes

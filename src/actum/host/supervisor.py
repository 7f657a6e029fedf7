"""The supervisor: begins the pieces of a system in their order, keeps each, replaces them by new code, and ends them in order."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING

import msgspec

from actum.host.directory import Tended
from actum.host.keeper import Keeper, Patience
from actum.host.logs import Log
from actum.host.plan import PAGE
from actum.host.ports import is_free, next_free, port_of, ports_for
from actum.host.process import Process
from actum.host.starting import ASKED, Asked
from actum.journal.errors import Invalid, Unavailable, Unknown
from actum.service.consequences import CONSOLE
from actum.service.control import Piece, PieceState
from actum.service.part import Part

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from actum.host.folder import Folder
    from actum.host.plan import Wanted

_LOG = logging.getLogger(__name__)

LOOK = 0.2
"""Seconds between two looks at whether somebody else has a piece stand still."""

AT_ONCE = 3
"""How many pieces are begun at the same time: each takes a processor for the better part of a second."""

ENDING = (
    (CONSOLE, PAGE),
    (Part.COMMANDS.value,),
    (Part.PROCESSES.value,),
    (Part.PROJECTIONS.value,),
    (Part.QUERIES.value,),
)
"""Which kinds end after which: first what only looks, then who writes, and who shows what was written last."""


class Program(msgspec.Struct, frozen=True):
    """How the processes of a system are begun, and what they are told by their environment, since it has secrets in it."""

    asked: Asked

    def describing(self) -> list[str]:
        """The command line of whoever describes the system."""
        return [sys.executable, "-m", "actum.host.describing"]

    def command(self, piece: str, port: int) -> list[str]:
        """The command line of one piece."""
        return [sys.executable, "-m", "actum.host", piece, str(port)]

    @property
    def environment(self) -> dict[str, str]:
        """What is added to the environment."""
        return {ASKED: msgspec.json.encode(self.asked).decode()}


class Supervisor:
    """Keeps the pieces of one system. Belongs to one event loop."""

    def __init__(
        self,
        system: str,
        wanted: Iterable[Wanted],
        *,
        program: Program,
        folder: Folder,
        patience: Patience | None = None,
        external: Mapping[str, str] | None = None,
        told: Callable[[Piece], None] = lambda _: None,
    ) -> None:
        self._system = system
        self.program = program
        self._folder = folder
        self._patience = patience or Patience()
        self._told = told
        self._external = dict(external or {})
        self._ports: dict[str, int] = {}
        self._keepers: dict[str, Keeper] = {}
        self._gates = asyncio.Semaphore(AT_ONCE)
        self._looking: asyncio.Task[None] | None = None
        self.directory = Tended(self._again)
        for one in wanted:
            self._add(one)

    def _add(self, wanted: Wanted) -> None:
        keeper = Keeper(
            wanted,
            begin=lambda: self._begin(wanted.name),
            changed=self._changed,
            patience=self._patience,
            url=self._external.get(wanted.service),
        )
        if wanted.service in self._external:
            keeper.state = PieceState.EXTERNAL
        self._keepers[wanted.name] = keeper
        self.directory.changed(wanted.service, keeper.piece)

    def _changed(self, keeper: Keeper) -> None:
        self.directory.changed(keeper.wanted.service, keeper.piece)
        self._told(keeper.piece)

    # Looking.

    def pieces(self) -> tuple[Piece, ...]:
        """Every piece, as it is now."""
        return tuple(keeper.piece for keeper in self._keepers.values())

    def _again(self, service: str) -> float:
        return min((keeper.again for keeper in self._keepers.values() if keeper.wanted.service == service), default=0.0)

    def called(self, name: str) -> list[Keeper]:
        """The piece of that name, all that do the service of that name, or all of the context of that name."""
        found = [
            keeper
            for keeper in self._keepers.values()
            if name in (keeper.wanted.name, keeper.wanted.service, keeper.wanted.context)
        ]
        if not found:
            raise Unknown("piece", name, tuple(self._keepers))
        return found

    # Beginning and ending.

    async def begin(self) -> None:
        """Begin everything; until all of it is ready. `Unavailable` where a piece cannot be begun."""
        wanted = [name for name, keeper in self._keepers.items() if keeper.state is not PieceState.EXTERNAL]
        self._ports = ports_for(self._system, wanted, known=self._folder.ports())
        self._folder.keep_ports(self._ports)
        self._looking = asyncio.create_task(self._look())
        starts = [asyncio.create_task(self._keepers[name].start()) for name in wanted]
        await asyncio.gather(*starts)
        for name in wanted:
            piece = self._keepers[name].piece
            if piece.state is not PieceState.RUNNING and piece.restarts == 0:
                raise Unavailable(f"{name} cannot be begun: {piece.why}; see {self._folder.log(name)}")

    async def _begin(self, name: str) -> Process:
        async with self._gates:
            command = self.program.command(name, self._port(name))
            process = await Process.begin(
                command, environment=self.program.environment, log=Log(self._folder.log(name))
            )
            process.note(f"{name} begun, process {process.pid}")
            await process.prepared()
            return process

    def _port(self, name: str) -> int:
        """The port of the piece, or the next one where somebody else has taken it meanwhile."""
        port = self._ports[name]
        if self._keepers[name].state is PieceState.RUNNING or is_free(port):
            return port
        self._ports[name] = next_free(port, taken=set(self._ports.values()))
        _LOG.warning("port %s of %s is taken by somebody else; %s instead", port, name, self._ports[name])
        self._folder.keep_ports(self._ports)
        return self._ports[name]

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            for keeper in self._keepers.values():
                await keeper.look()

    async def end(self) -> None:
        """End everything, in its order: what is under way is finished."""
        if self._looking is not None:
            self._looking.cancel()
        for kinds in ENDING:
            await asyncio.gather(*(one.stop() for one in self._keepers.values() if one.wanted.kind in kinds))

    async def reload(self) -> dict[str, str]:
        """Have every piece replaced by the same with new code, two at a time; what kept those from it that go on with the old."""
        turn = asyncio.Semaphore(2)

        async def replace(keeper: Keeper) -> tuple[str, str | None]:
            async with turn:
                return keeper.wanted.name, await keeper.reload()

        done = await asyncio.gather(*(replace(keeper) for keeper in self._keepers.values()))
        return {name: why for name, why in done if why is not None}

    async def adopt(self, wanted: Iterable[Wanted]) -> None:
        """Have these pieces and no others: what is new is begun, what is not wanted any more ends."""
        named = {one.name: one for one in wanted}
        for name in [name for name in self._keepers if name not in named]:
            await self._keepers[name].stop()
            self.directory.gone(self._keepers[name].wanted.service, name)
            del self._keepers[name]
        new = [name for name in named if name not in self._keepers]
        for name in new:
            self._add(named[name])
            self._ports[name] = next_free(port_of(self._system, name), taken=set(self._ports.values()))
        await asyncio.gather(*(self._keepers[name].start() for name in new))

    # What can be done to pieces.

    async def do(self, verb: str, name: str) -> tuple[Piece, ...]:
        """Start, stop, kill, pause or resume what is called so; how it is then."""
        keepers = self.called(name)
        for keeper in keepers:
            if keeper.state is PieceState.EXTERNAL:
                raise Invalid(f"{keeper.wanted.name} is run by somebody else, at {keeper.url}: it is theirs to {verb}")
        await asyncio.gather(*(_VERBS[verb](keeper) for keeper in keepers))
        return tuple(keeper.piece for keeper in keepers)


_VERBS: dict[str, Callable[[Keeper], Awaitable[None]]] = {
    "start": Keeper.start,
    "stop": Keeper.stop,
    "kill": Keeper.kill,
    "pause": Keeper.pause,
    "resume": Keeper.resume,
}
VERBS = tuple(_VERBS)

"""A system at work as many processes: the supervisor with its pieces, the gateway in front of them, the control door beside."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import threading
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from actum.host import watching
from actum.host.admitting import Admission
from actum.host.control import ControlClient
from actum.host.control_door import ControlDoor
from actum.host.describing import ask
from actum.host.folder import Folder, Reached
from actum.host.gateway import Gateway
from actum.host.keeper import Patience
from actum.host.plan import external, pieces_of, scaled
from actum.host.secured import Secured
from actum.host.starting import Asked
from actum.host.supervisor import Program, Supervisor
from actum.http.reach import is_loopback
from actum.http.serving import Serving
from actum.journal.errors import ActumError, Invalid
from actum.service.named import load_system

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from os import PathLike
    from types import TracebackType

    from actum.host.plan import Described
    from actum.service.control import Control, Piece

_LOG = logging.getLogger(__name__)


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What is to run, and how. `target` is the system or application, as `module:attribute`."""

    target: str
    data: Path
    store: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    scale: tuple[str, ...] = ()
    external: tuple[str, ...] = ()
    security: Secured | None = None
    token: str | None = None
    actor: str | None = None
    reload: bool = False
    patience: Patience = Patience()


class Host:
    """What `hosting` gives: the supervisor, and where the gateway is."""

    def __init__(self, setup: Setup, supervisor: Supervisor, gateway: str) -> None:
        self.setup = setup
        self.supervisor = supervisor
        self.gateway = gateway
        self._reloading = asyncio.Lock()

    async def reload(self) -> dict[str, str]:
        """Have all pieces run the code as it is now; what kept those from it that go on with the old one."""
        async with self._reloading:
            described = await ask(self.supervisor.program)
            await self.supervisor.adopt(pieces_of(described, scale=scaled(described, self.setup.scale)))
            return await self.supervisor.reload()


async def _watch(host: Host, folders: tuple[str, ...], told: Callable[[str], None]) -> None:
    async for files in watching.changes(folders):
        names = ", ".join(sorted(Path(file).name for file in files))
        told(f"{names} changed: reloading")
        await reloaded(host.reload, told)


async def reloaded(reload: Callable[[], Awaitable[dict[str, str]]], told: Callable[[str], None]) -> None:
    """Reload, and tell what came of it. Whatever kept it from happening, the next change is tried again."""
    try:
        kept = await reload()
    except Exception as wrong:  # noqa: BLE001 - whoever watches goes on
        if not isinstance(wrong, ActumError):
            _LOG.error("the reload failed", exc_info=wrong)
        told(f"the new code does not fit, the old one goes on: {wrong}")
        return
    for name, why in kept.items():
        told(f"{name} goes on with the old code: {why}")
    if not kept:
        told("reloaded")


def program_of(setup: Setup, *, gateway: str, key: str) -> Program:
    """How the pieces of a setup are begun."""
    return Program(
        Asked(
            target=setup.target,
            data=str(setup.data),
            store=setup.store,
            security=setup.security,
            actor=setup.actor,
            gateway=gateway,
            key=key,
            token=setup.token,
        )
    )


@asynccontextmanager
async def hosting(
    setup: Setup,
    *,
    told: Callable[[Piece], None] = lambda _: None,
    said: Callable[[str], None] = _LOG.info,
    begun: Callable[[Host], None] = lambda _: None,
) -> AsyncIterator[Host]:
    """Run it for the time of an `async with` block. `told` hears of pieces that change, `begun` of the gateway's address.

    Raises `Busy` where a host runs on the folder already, `Misdeclared` where the application does not fit, `Unavailable`
    where a piece cannot be begun, `Invalid` where it is to be reached from elsewhere and nobody knows who asks.
    """
    if setup.security is None and not is_loopback(setup.host):
        raise Invalid(f"{setup.host} can be reached from other machines: say --security, or listen on 127.0.0.1")
    folder, key = Folder(setup.data), secrets.token_urlsafe(32)
    async with AsyncExitStack() as stack:
        stack.enter_context(folder.held())
        described = await ask(program_of(setup, gateway="", key=key))
        supervisor = _supervisor(setup, described, folder, told)
        gateway = Gateway(
            frozenset(name.partition("/")[0] for name in described.services),
            supervisor.directory,
            key=key,
            secured=setup.security is not None,
            means=lambda service: described.means.get(service, ""),
            admits=_admission(setup),
        )
        serving = Serving(gateway, host=setup.host, port=setup.port)
        supervisor.program = program_of(setup, gateway=near(serving.url), key=key)
        stack.push_async_callback(supervisor.end)
        host = Host(setup, supervisor, serving.url)
        await stack.enter_async_context(_beside(serving))
        token = secrets.token_urlsafe(32)
        control = Serving(ControlDoor(supervisor, token=token, reload=host.reload))
        await stack.enter_async_context(control.here())
        folder.publish(Reached(described.name, control.url, token, serving.url, os.getpid()))
        stack.callback(folder.withdraw)
        begun(host)
        await supervisor.begin()
        if setup.reload:
            watch = asyncio.create_task(_watch(host, described.folders, said))
            stack.callback(watch.cancel)
        yield host


def _admission(setup: Setup) -> Admission | None:
    """Who may see what runs. Only for this does the host itself take up the code of the system."""
    if setup.security is None:
        return None
    return Admission(setup.security.load(data=setup.data), load_system(setup.target))


@asynccontextmanager
async def _beside(serving: Serving) -> AsyncIterator[None]:
    """The gateway in a thread and an event loop of its own, so that nothing else is in its way."""
    await asyncio.to_thread(serving.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(serving.__exit__, None, None, None)


def _supervisor(setup: Setup, described: Described, folder: Folder, told: Callable[[Piece], None]) -> Supervisor:
    return Supervisor(
        described.name,
        pieces_of(described, scale=scaled(described, setup.scale)),
        program=program_of(setup, gateway="", key=""),
        folder=folder,
        patience=setup.patience,
        external=external(described, setup.external),
        told=told,
    )


def near(url: str) -> str:
    """The address at which this machine reaches what listens on all of its addresses."""
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


class Up:
    """A system that runs as many processes, begun and ended by somebody who blocks. Made by `up`."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._ready: Future[str] = Future()
        self._over: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="actum-host", daemon=True)

    @property
    def url(self) -> str:
        """The gateway's address."""
        return self._ready.result()

    @property
    def control(self) -> Control:
        """Starts and stops its pieces."""
        return ControlClient(self._setup.data)

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with hosting(self._setup) as host:
                self._ready.set_result(host.gateway)
                await self._over.wait()
        except BaseException as wrong:
            if self._ready.done():
                raise
            self._ready.set_exception(wrong)

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.url  # noqa: B018 - what keeps it from beginning is raised here
        except BaseException:
            self._thread.join()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        assert self._over is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()


def up(
    target: str,
    *,
    data: str | PathLike[str],
    store: str | None = None,
    port: int = 0,
    scale: Sequence[str] = (),
    reload: bool = False,
    actor: str | None = None,
    security: str | None = None,
    token: str | None = None,
) -> Up:
    """The system named `module:attribute`, run as many processes for the time of a `with` block: `.url`, `.control`.

    `security` names a `Security` likewise, and `token` is with which the contexts then hear each other.
    """
    setup = Setup(
        target=target,
        data=Path(data),
        store=store,
        port=port,
        scale=tuple(scale),
        reload=reload,
        actor=actor,
        security=None if security is None else Secured(security),
        token=token,
    )
    return Up(setup)

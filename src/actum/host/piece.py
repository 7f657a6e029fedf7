"""One piece of a system at work in this process: a part of a context behind its own small door, the console, the page."""

from __future__ import annotations

import importlib
import importlib.util
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any, cast

import msgspec

from actum.host.admitting import Admission, Permitted
from actum.host.behind import Behind, Plain
from actum.host.plan import PAGE
from actum.http.asgi import asgi
from actum.http.serving import Serving
from actum.journal.errors import ActumError, Invalid, Misdeclared, Unknown
from actum.projection.changed import Rebuilds
from actum.service.consequences import CONSOLE
from actum.service.part import Part
from actum.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from actum.console.app import Console
    from actum.host.child import Teller
    from actum.http.elsewhere import Elsewhere
    from actum.http.security import Security
    from actum.http.serving import Served
    from actum.http.specified import ASGIApp
    from actum.service.control import Control
    from actum.service.running import Running
    from actum.service.system import Place, System


LEASE = 5.0
"""Seconds after which what a killed process was keeping up is taken over by another."""


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What a piece is told of its surroundings: where journals lie, where the gateway is, who may do what."""

    system: System
    places: dict[str, Place]
    gateway: str | None = None
    key: str | None = None
    token: str | None = None
    """With which it asks other contexts through the gateway, where that wants to know who asks."""
    security: Security | None = None
    actor: str | None = None
    data: Path | None = None
    control: Control | None = None

    @property
    def admission(self) -> Admission | None:
        """Who comes in where no context asks; None where nobody is known."""
        return None if self.security is None else Admission(self.security, self.system)


def run_piece(name: str, around: Around, *, host: str, port: int, teller: Teller) -> None:
    """Have the piece work until it is told to stop. `Unknown` for a name that is none."""
    teller.prepared()
    try:
        with _served(name, around) as door:
            behind = Behind(door, prefix=prefix_of(name), key=around.key)
            serving = Serving(behind, host=host, port=port)
            serving.run(lambda: teller.ready(serving.url))
    except ActumError as wrong:
        teller.failed(str(wrong))
        raise


def prefix_of(name: str) -> str:
    """The path under which a piece stands at the gateway."""
    return {CONSOLE: "/console", PAGE: ""}.get(name, "/" + name.partition("/")[0])


def service_of(piece: str) -> str:
    """The service that a piece does: `accounts/projections.2` does `accounts/projections`."""
    return piece.partition(".")[0]


@contextmanager
def _served(name: str, around: Around) -> Iterator[Served]:
    if name == PAGE:
        yield page_of(around)
    elif name == CONSOLE:
        with consoled(around) as door:
            yield door
    else:
        with working(name, around) as (_, door):
            yield door


@contextmanager
def working(name: str, around: Around) -> Iterator[tuple[Running, Served]]:
    """A service at work, and its door."""
    service = around.system.service(service_of(name))
    app, place = around.system.app(service.context), around.places[service.context]
    with (
        app.open(place.journal, read_database=place.read_database, part=service.part, actor=around.actor) as running,
        at_work(service.part, running, around),
    ):
        yield running, asgi(app, running, security=around.security, beside=around.system.contexts.values())


@contextmanager
def at_work(part: Part | None, running: Running, around: Around) -> Iterator[None]:
    """What goes on by itself in a service of that part, beside answering."""
    with ExitStack() as stack:
        if part is Part.PROJECTIONS:
            stack.enter_context(running.work(lease=LEASE))
        if part is Part.PROCESSES and running.app.heard:
            sources = {name: stack.enter_context(closing(elsewhere(name, around))) for name in running.app.heard}
            stack.enter_context(running.listen(sources))
        yield


def elsewhere(context: str, around: Around) -> Elsewhere:
    """Another context, heard through the gateway like anybody hears it."""
    if around.gateway is None:
        raise Invalid(f"{context} is heard through the gateway: say where that is with --gateway")
    from actum.http.elsewhere import Elsewhere  # noqa: PLC0415 - only who hears others needs a client

    return Elsewhere(f"{around.gateway}/{context}", around.system.app(context), token=around.token)


def page_of(around: Around) -> Served:
    """The system's own page, made for where it stands."""
    named = around.system.page
    if named is None:
        raise Unknown("page", PAGE)
    entrance, control = around.admission, around.control
    if entrance is not None and control is not None:
        control = Permitted(control)
    site = Site(around.system, around.gateway or "", around.places, around.data, control, entrance)
    login = f"{prefix_of(CONSOLE)}/login" if has_console() else None
    return Plain(cast("ASGIApp", loaded(named)(site)), entrance=entrance, login=login)


def loaded(name: str) -> Any:
    """What stands under `module:attribute`. `Misdeclared` where there is nothing."""
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as wrong:
        raise Misdeclared(f"page={name!r} cannot be found: {wrong}; expected module:attribute") from wrong


@contextmanager
def consoled(around: Around) -> Iterator[Served]:
    """The console over all contexts, which looks into journals and read databases itself."""
    with ExitStack() as stack:
        contexts = {
            name: stack.enter_context(
                app.open(
                    around.places[name].journal,
                    read_database=around.places[name].read_database,
                    follow=False,
                    rebuilds=Rebuilds.BY_HAND,
                    actor=around.actor or CONSOLE,
                )
            )
            for name, app in around.system.contexts.items()
        }
        yield console_over(contexts, around)


def console_over(contexts: Mapping[str, Running], around: Around) -> Console:
    """The console over contexts that are open."""
    try:
        from actum.console.app import console  # noqa: PLC0415 - comes with the extra `console`
    except ModuleNotFoundError as missing:
        raise Invalid(f"the console needs {missing.name}; pip install 'actum[console]'") from missing
    search = None
    if around.data is not None:
        search = around.data / "host" / "search"
        search.mkdir(mode=0o700, parents=True, exist_ok=True)
    return console(
        contexts,
        name=around.system.name,
        control=around.control,
        security=around.security,
        search=search,
        older=around.system.older,
    )


def has_console() -> bool:
    """Whether the console is installed."""
    return importlib.util.find_spec("jinja2") is not None

"""Who may see what runs, and who comes to the system's own page: the host's guard, for what no context answers."""

from __future__ import annotations

from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from actum.http.call import NOTHING
from actum.http.opening import Opening
from actum.http.policy import CONTROL
from actum.http.security import SAFE, Guard
from actum.http.sessions import CSRF
from actum.journal.errors import Denied
from actum.service.site import Visitor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, MutableMapping
    from contextlib import AsyncExitStack

    from actum.http.policy import Principal
    from actum.http.security import Security
    from actum.http.specified import Scope
    from actum.service.control import Control, Piece
    from actum.service.system import System

SEE = "services:read"
"""The permission to see which services run."""

LOOK = "page:look"
"""The permission to see the system's own page, and to send it a form."""

_VISITING: ContextVar[Visitor] = ContextVar("visiting")

_SAYING_WHO = ("authorization", "cookie")


class _Visit:
    """A request, as much of it as a guard looks at."""

    def __init__(self, scope: Scope) -> None:
        self.scope: MutableMapping[str, Any] = scope
        self.headers = {name.decode("latin-1"): value.decode(errors="replace") for name, value in scope["headers"]}
        self.said = NOTHING
        self.principal: Principal | None = None

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    def cookies(self) -> dict[str, str]:
        pairs = (pair.strip().partition("=") for pair in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs}

    def address(self) -> str:
        return str(self.scope["path"])


class Admission:
    """Opened with the first request, so that whoever is not asked keeps nothing open."""

    def __init__(self, security: Security, system: System) -> None:
        self._security = security
        self._system = system
        self._opening = Opening(self._open)

    async def _open(self, stack: AsyncExitStack) -> Guard:
        guard = await Guard.open(self._security, *self._system.contexts.values())
        stack.push_async_callback(guard.close)
        return guard

    async def __call__(self, scope: Scope) -> None:
        """See what runs: `Denied` for whoever may not. That they came is on record, either way."""
        await self.admit(scope, SEE)

    async def admit(self, scope: Scope, permission: str | None, *, csrf: str | None = None) -> Visitor:
        """See `actum.service.site.Entrance`."""
        guard = await self._opening.opened()
        visit = _Visit(scope)
        if csrf is not None:
            visit.headers.setdefault(CSRF, csrf)
        async with _on_record(guard, visit, permission):
            principal = guard.admit(visit, permission)
        return _visitor(visit, principal, guard)

    async def enter(self, scope: Scope) -> Visitor:
        """Who comes to the system's own page. `Denied` for whoever may not, and for what a page of another site sends.

        Either way it is on record. What a form changes, and whether it is one of the page's own, the page has to ask: only it can
        read it.
        """
        guard = await self._opening.opened()
        visit = _Visit(scope)
        async with _on_record(guard, visit, LOOK):
            principal = guard.permit(visit, LOOK)
            if visit.method not in SAFE:
                guard.check_origin(visit)
        visitor = _visitor(visit, principal, guard)
        _VISITING.set(visitor)
        return visitor

    async def close(self) -> None:
        """Give back what was opened."""
        await self._opening.close()


@asynccontextmanager
async def _on_record(guard: Guard, visit: _Visit, permission: str | None) -> AsyncIterator[None]:
    """That somebody came is on record, and whether they were let in."""
    status = 403
    try:
        yield
        status = 200
    except Denied as denied:
        status = 403 if denied.needed else 401
        raise
    finally:
        await guard.record(visit, permission=permission, status=status)


class Permitted:
    """A control that does for whoever comes to a page what they may, whatever the page forgets to ask. See `Control`."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def pieces(self) -> tuple[Piece, ...]:
        """See `Control`."""
        return self._control.pieces()

    def start(self, name: str) -> tuple[Piece, ...]:
        """See `Control`. `Denied` for a visitor who may not; likewise below."""
        return _permitted(self._control).start(name)

    def stop(self, name: str) -> tuple[Piece, ...]:
        """See `Control`."""
        return _permitted(self._control).stop(name)

    def kill(self, name: str) -> tuple[Piece, ...]:
        """See `Control`."""
        return _permitted(self._control).kill(name)

    def pause(self, name: str) -> tuple[Piece, ...]:
        """See `Control`."""
        return _permitted(self._control).pause(name)

    def resume(self, name: str) -> tuple[Piece, ...]:
        """See `Control`."""
        return _permitted(self._control).resume(name)


def _permitted(control: Control) -> Control:
    """What a page does by itself, in a thread of its own, it does for nobody who comes."""
    visitor = _VISITING.get(None)
    if visitor is not None and not visitor.may(CONTROL):
        raise Denied(f"{visitor.id} may not: it takes the permission {CONTROL}", needed=CONTROL)
    return control


def _visitor(visit: _Visit, principal: Principal, guard: Guard) -> Visitor:
    along = {name: value for name, value in visit.headers.items() if name in _SAYING_WHO}
    csrf = None if principal.session is None else guard.keeper.csrf(principal.session)
    if csrf is not None:
        along[CSRF] = csrf
    return Visitor(id=principal.id, permissions=principal.permissions, along=along, csrf=csrf)

"""Who may see what runs, and who comes to the system's own page: the host's guard, for what no context answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actum.http.opening import Opening
from actum.http.said import headers_of, said_in
from actum.http.security import Guard
from actum.http.sessions import CSRF
from actum.service.site import Visitor

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from contextlib import AsyncExitStack

    from actum.http.policy import Principal
    from actum.http.security import Security
    from actum.http.specified import Scope
    from actum.service.system import System

SEE = "services:read"
"""The permission to see which services run."""

_SAYING_WHO = ("authorization", "cookie")


class _Visit:
    """A request, as much of it as a guard looks at."""

    def __init__(self, scope: Scope) -> None:
        self.scope: MutableMapping[str, Any] = scope
        self.headers = headers_of(scope["headers"])
        self.said = said_in(self.headers)
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
        visit, status = _Visit(scope), 403
        if csrf is not None:
            visit.headers.setdefault(CSRF, csrf)
        try:
            guard.admit(visit, permission)
            status = 200
        finally:
            await guard.record(visit, permission=permission, status=status)
        return _visitor(visit, guard)

    async def close(self) -> None:
        """Give back what was opened."""
        await self._opening.close()


def _visitor(visit: _Visit, guard: Guard) -> Visitor:
    principal = visit.principal
    assert principal is not None
    along = {name: value for name, value in visit.headers.items() if name in _SAYING_WHO}
    csrf = None if principal.session is None else guard.keeper.csrf(principal.session)
    if csrf is not None:
        along[CSRF] = csrf
    return Visitor(id=principal.id, permissions=principal.permissions, along=along, csrf=csrf)

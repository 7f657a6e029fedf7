"""Who may see what runs: the host's own guard, for the few things that no context answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from actum.http.said import headers_of, said_in
from actum.http.security import Guard

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from actum.http.policy import Principal
    from actum.http.security import Security
    from actum.http.specified import Scope
    from actum.service.system import System

SEE = "services:read"
"""The permission to see which services run."""


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
        self._opening = asyncio.Lock()
        self._guard: Guard | None = None

    async def __call__(self, scope: Scope) -> None:
        """`Denied` for whoever may not. That they came is on record, either way."""
        async with self._opening:
            if self._guard is None:
                self._guard = await Guard.open(self._security, *self._system.contexts.values())
        visit, status = _Visit(scope), 403
        try:
            self._guard.admit(visit, SEE)
            status = 200
        finally:
            await self._guard.record(visit, permission=SEE, status=status)

    async def close(self) -> None:
        """Give back what was opened."""
        if self._guard is not None:
            await self._guard.close()

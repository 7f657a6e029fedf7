"""Where a system's own page stands: all that it is given to show the system to its users."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from actum.service.control import Control
from actum.service.system import Place, System

VISITOR = "actum.visitor"
"""Under which key of the ASGI scope the host has said who comes to a page, where it is to be known who asks."""


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks of a page, as the door knows them: by which name they act, and what they may.

    `along` are the headers that say so: sent along with what the page asks of the gateway for them, they make it theirs. `csrf`
    goes with the forms that they are given, where a cookie says who they are.
    """

    id: str
    permissions: frozenset[str]
    along: dict[str, str] = {}
    csrf: str | None = None

    def may(self, permission: str) -> bool:
        """Whether they have the permission."""
        return not self.permissions.isdisjoint((permission, f"{permission.partition(':')[0]}:*", "*"))


class Entrance(Protocol):
    """Where one has to say who one is."""

    async def admit(
        self, scope: MutableMapping[str, Any], permission: str | None, *, csrf: str | None = None
    ) -> Visitor:
        """Who asks, by the request of that ASGI scope. `Denied` for whoever may not, or did not say: either way it is on record.

        Whoever is known by a cookie and changes something needs the `csrf` that their form was given.
        """
        ...


class Site(msgspec.Struct, frozen=True):
    """`gateway` is the address at which the page asks and commands like anybody else, so that a service that is off is off
    for it, too. `control` is there where pieces can be started and stopped, `data` where the host has a folder of its own.
    `entrance` is there where it is to be known who asks: the host then lets in those who may see the page, and `control` does for
    them what they may; for whatever else it changes, the page asks there what that takes.
    """

    system: System
    gateway: str
    places: dict[str, Place]
    data: Path | None = None
    control: Control | None = None
    entrance: Entrance | None = None

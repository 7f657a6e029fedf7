"""Who may do what: roles, and the permissions they have. What no role says is denied.

A permission names a thing that can be done: `commands:Transfer`, `queries:Richest`, `views:Balance`, `states:Account`,
`events:read`, `decisions:read`, `metrics:read`, `openapi:read`, `on-behalf-of`. `commands:*` is all commands, `*` everything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from actum.journal.errors import Misdeclared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actum.service.declared import Declared

ON_BEHALF_OF = "on-behalf-of"
"""The permission to say for whom one acts."""

METRICS = "metrics:read"
"""The permission to know how the service is, and what inside it is not as it should be: sentences with paths and data in them."""

CONTROL = "console:control"
"""The permission to start, stop, kill and pause services."""

_SHAPE = re.compile(r"(\*|[a-z][a-z-]*(:(\*|[A-Za-z][A-Za-z0-9._-]*))?)\Z")
_NAMED = ("commands", "queries", "views", "states")


class Principal(msgspec.Struct, frozen=True):
    """Whoever asks, as the door knows them: the actor of their commands, what they may, whose they are, and how they showed it.

    `session` is the id of a session that a cookie carries: their writes need the CSRF token, too.
    """

    id: str
    permissions: frozenset[str]
    tenant: str | None = None
    way: str = "host"
    session: str | None = None

    def may(self, needed: str) -> bool:
        """Whether they have the permission."""
        area = needed.partition(":")[0]
        return not self.permissions.isdisjoint((needed, f"{area}:*", "*"))


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The permissions of each role, and those that everybody has, also without saying who they are."""

    roles: dict[str, tuple[str, ...]] = {}
    public: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for where, permissions in (*self.roles.items(), ("public", self.public)):
            for permission in permissions:
                checked_permission(permission, where)

    def permissions(self, roles: Iterable[str], extra: Iterable[str] = ()) -> frozenset[str]:
        """What somebody in these roles may, besides what everybody may. A role that is not there has nothing."""
        granted = (permission for role in roles for permission in self.roles.get(role, ()))
        return frozenset((*self.public, *extra, *granted))

    def check(self, *apps: Declared) -> None:
        """`Misdeclared` where a permission names something that none of the applications has: most likely a slip of the pen."""
        known = {
            "commands": {name for app in apps for name in app.commands},
            "queries": {name for app in apps for name in app.queries},
            "views": {name for app in apps for name in app.views},
            "states": {name for app in apps for name in (*app.states, *app.views)},
        }
        for where, permissions in (*self.roles.items(), ("public", self.public)):
            for permission in permissions:
                area, _, name = permission.partition(":")
                if area in _NAMED and name not in {*known[area], "*"}:
                    raise Misdeclared(
                        f"Policy, {where}: {permission!r} names none of the {area} of {' and '.join(app.name for app in apps)}: "
                        f"{', '.join(sorted(known[area])) or 'there are none'}"
                    )


def checked_permission(permission: str, where: str) -> str:
    """The permission itself; `Misdeclared` for what can be none."""
    if not isinstance(permission, str) or not _SHAPE.match(permission):
        raise Misdeclared(
            f"{where}: {permission!r} is no permission; expected one like 'commands:Transfer' or 'views:*'"
        )
    return permission

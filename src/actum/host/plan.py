"""What is to run: the pieces of a system, how many of each, and which of them somebody else runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actum.journal.errors import Invalid, Unknown
from actum.service.consequences import CONSOLE
from actum.service.part import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PAGE = "page"
MOST = 64
"""Replicas of one service at the most."""


class Wanted(msgspec.Struct, frozen=True):
    """One piece to run: `accounts/projections.2` is the second of those that do `accounts/projections`."""

    name: str
    service: str
    context: str | None
    kind: str


class Described(msgspec.Struct, frozen=True):
    """A system as the host knows it, without a line of the user's code in its process."""

    name: str
    services: tuple[str, ...]
    page: bool = False
    console: bool = False
    means: dict[str, str] = {}
    """What it means that a service is off, in a sentence."""
    folders: tuple[str, ...] = ()
    """Where the user's code lies."""


def pieces_of(described: Described, *, scale: Mapping[str, int] | None = None) -> tuple[Wanted, ...]:
    """The pieces, in the order in which they are begun: those that others ask come first."""
    scale = scale or {}
    order = {part.value: place for place, part in enumerate((Part.QUERIES, Part.PROJECTIONS, Part.COMMANDS))}
    services = sorted(described.services, key=lambda name: order.get(name.rpartition("/")[2], len(order)))
    found = [piece for name in services for piece in _replicas(name, scale.get(name, 1))]
    if described.console:
        found.append(Wanted(CONSOLE, CONSOLE, None, CONSOLE))
    if described.page:
        found.append(Wanted(PAGE, PAGE, None, PAGE))
    return tuple(found)


def _replicas(service: str, count: int) -> Iterable[Wanted]:
    context, _, kind = service.rpartition("/")
    names = [service] if count == 1 else [f"{service}.{number}" for number in range(1, count + 1)]
    return [Wanted(name, service, context, kind) for name in names]


def scaled(described: Described, said: Iterable[str]) -> dict[str, int]:
    """How many of each service, from `projections=4` (of every context) or `accounts/projections=4`."""
    found: dict[str, int] = {}
    for one in said:
        name, _, number = one.partition("=")
        if not number.isdecimal() or not 1 <= int(number) <= MOST:
            raise Invalid(f"--scale: expected NAME=N with 1 to {MOST}, as in projections=4, found {one!r}")
        meant = [service for service in described.services if name in (service, service.rpartition("/")[2])]
        if not meant:
            raise Unknown("service", name, described.services)
        found |= dict.fromkeys(meant, int(number))
    return found


def external(described: Described, said: Iterable[str]) -> dict[str, str]:
    """Which pieces somebody else runs, and where: from `accounts/queries=http://10.0.0.7:9000`."""
    found: dict[str, str] = {}
    for one in said:
        name, _, url = one.partition("=")
        if not url.startswith("http://"):
            raise Invalid(f"--external: expected NAME=http://HOST:PORT, found {one!r}")
        if name not in (*described.services, CONSOLE, PAGE):
            raise Unknown("service", name, (*described.services, CONSOLE, PAGE))
        found[name] = url.rstrip("/")
    return found

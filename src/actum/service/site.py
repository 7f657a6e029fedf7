"""Where a system's own page stands: all that it is given to show the system to its users."""

from __future__ import annotations

from pathlib import Path

import msgspec

from actum.service.control import Control
from actum.service.system import Place, System


class Site(msgspec.Struct, frozen=True):
    """`gateway` is the address at which the page asks and commands like anybody else, so that a service that is off is off
    for it, too. `control` is there where pieces can be started and stopped, `data` where the host has a folder of its own.
    """

    system: System
    gateway: str
    places: dict[str, Place]
    data: Path | None = None
    control: Control | None = None

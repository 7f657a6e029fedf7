"""A system described for its host, in a process of its own, so that the host lives without the user's code.

Whoever describes it also finds what does not fit, and has the journals made that are not there yet.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from actum.host.piece import has_console
from actum.host.plan import PAGE, Described
from actum.journal.errors import Misdeclared
from actum.projection.changed import Rebuilds
from actum.service.consequences import CONSOLE, Happens, predicted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actum.host.supervisor import Program
    from actum.service.system import Place, System


def described(system: System) -> Described:
    """What a host needs to know of it."""
    names = tuple(service.name for service in system.services)
    return Described(
        name=system.name,
        services=names,
        page=system.page is not None,
        console=has_console(),
        means={name: _meaning(system, name) for name in names}
        | dict.fromkeys((CONSOLE, PAGE), "Everything else goes on."),
        folders=tuple(sorted(_folders())),
    )


def _meaning(system: System, service: str) -> str:
    refused = (one for one in predicted(system, [service]) if one.happens is Happens.REFUSED)
    return next((one.en for one in refused), "")


def _folders() -> set[str]:
    """The folders of the modules that were imported from here: neither installed ones nor Python's own."""
    here, found = Path.cwd(), set[str]()
    for name, module in list(sys.modules.items()):
        file: str | None = getattr(module, "__file__", None)
        if file is None or name.partition(".")[0] == "actum" or "site-packages" in file:
            continue
        folder = Path(file).resolve().parent
        if folder.is_relative_to(here):
            found.add(str(folder))
    return found


def prepare(system: System, places: Mapping[str, Place]) -> None:
    """Have every journal and read database there."""
    for name, app in system.contexts.items():
        place = places[name]
        app.open(place.journal, read_database=place.read_database, follow=False, rebuilds=Rebuilds.BY_HAND).close()


async def ask(program: Program) -> Described:
    """What a process of its own says of the system. `Misdeclared` with its words where it cannot."""
    process = await asyncio.create_subprocess_exec(
        *program.describing(),
        env=program.whole_environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, trouble = await process.communicate()
    if process.returncode != 0:
        words = trouble.decode(errors="replace").strip()
        raise Misdeclared(words.rpartition("actum: ")[2] or f"exit code {process.returncode}")
    return msgspec.json.decode(said.strip().splitlines()[-1], type=Described)

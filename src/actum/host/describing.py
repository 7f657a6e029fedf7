"""A system described for its host, in a process of its own, so that the host lives without the user's code.

Whoever describes it also finds what does not fit, and has the journals made that are not there yet.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from actum.host.folder import PRIVATE
from actum.host.piece import has_console
from actum.host.plan import PAGE, Described
from actum.host.starting import around_of, asked_here
from actum.journal.errors import ActumError, Misdeclared
from actum.projection.changed import Rebuilds
from actum.service.consequences import CONSOLE, Happens, predicted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actum.host.starting import Asked
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


def describe(asked: Asked) -> str:
    """What a host needs to know, as JSON; journals that are not there yet are made. Raises what does not fit."""
    around = around_of(asked)
    if around.security is not None:
        around.security.policy.check(*around.system.contexts.values())
    if around.data is not None:
        around.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    prepare(around.system, around.places)
    return msgspec.json.encode(described(around.system)).decode()


async def ask(program: Program) -> Described:
    """What a process of its own says of the system. `Misdeclared` with its words where it cannot."""
    process = await asyncio.create_subprocess_exec(
        *program.describing(),
        env={**os.environ, **program.environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        umask=PRIVATE,
    )
    said, trouble = await process.communicate()
    if process.returncode != 0:
        words = trouble.decode(errors="replace").strip()
        raise Misdeclared(words.rpartition("actum: ")[2] or f"exit code {process.returncode}")
    return msgspec.json.decode(said.strip().splitlines()[-1], type=Described)


def main() -> int:
    """Describe the system that the host names in the environment."""
    try:
        sys.stdout.write(describe(asked_here()) + "\n")
    except ActumError as wrong:
        sys.stderr.write(f"actum: {wrong}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`actum run` of a whole system: all its services in this process, at the same addresses as behind a gateway."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from actum.cli.piece import needs_http
from actum.cli.terminal import line, note

if TYPE_CHECKING:
    from actum.host.secured import Secured
    from actum.service.system import System


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """How a whole system is to run."""

    target: str
    data: str | None
    store: str | None
    host: str
    port: int
    security: Secured | None
    actor: str | None
    seconds: float | None


def run_whole(wanted: Wanted, *, as_json: bool) -> None:
    """Run it until somebody stops it."""
    needs_http()
    from actum.host.folder import PRIVATE, Folder  # noqa: PLC0415 - comes with the extra `http`
    from actum.host.hosting import near  # noqa: PLC0415
    from actum.host.starting import Asked, around_of  # noqa: PLC0415
    from actum.host.whole import opened, paged, whole  # noqa: PLC0415
    from actum.http.serving import Serving  # noqa: PLC0415

    os.umask(PRIVATE)
    asked = Asked(
        target=wanted.target, data=wanted.data, store=wanted.store, security=wanted.security, actor=wanted.actor
    )
    around = around_of(asked)
    system, folder = around.system, Folder(around.data or Path())
    with folder.held(), opened(system, around) as contexts:
        served = whole(system, contexts, around, admits=around.admission)
        serving = Serving(served, host=wanted.host, port=wanted.port)
        paged(served, msgspec.structs.replace(around, gateway=near(serving.url)))
        if wanted.seconds is not None:
            timer = threading.Timer(wanted.seconds, serving.stop)
            timer.daemon = True
            timer.start()
        serving.run(lambda: _tell(system, serving.url, folder.path, as_json=as_json))
    if not as_json:
        note("stopped; what was under way is finished")


def _tell(system: System, url: str, data: Path, *, as_json: bool) -> None:
    if as_json:
        line({"running": system.name, "url": url, "data": str(data), "contexts": sorted(system.contexts)})
    else:
        note(f"{system.name} runs at {url} on {data}; contexts: {', '.join(system.contexts)}. Ctrl-C stops it.")

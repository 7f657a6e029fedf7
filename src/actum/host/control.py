"""Controls a host that runs, from another process: the client of its control door."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from actum.host.folder import Folder
from actum.http.problem import error_of, read
from actum.journal.decoders import decoder_for
from actum.journal.errors import Unavailable
from actum.service.control import Piece

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 120.0
"""Seconds that a client waits for something to be done."""


class ControlClient:
    """Controls the host that runs on a data folder. See `actum.service.control.Control`."""

    def __init__(self, data: Path) -> None:
        self._folder = Folder(data)

    def pieces(self) -> tuple[Piece, ...]:
        return self._ask("GET", "/pieces")

    def start(self, name: str) -> tuple[Piece, ...]:
        return self._do(name, "start")

    def stop(self, name: str) -> tuple[Piece, ...]:
        return self._do(name, "stop")

    def kill(self, name: str) -> tuple[Piece, ...]:
        return self._do(name, "kill")

    def pause(self, name: str) -> tuple[Piece, ...]:
        return self._do(name, "pause")

    def resume(self, name: str) -> tuple[Piece, ...]:
        return self._do(name, "resume")

    def _do(self, name: str, verb: str) -> tuple[Piece, ...]:
        return self._ask("POST", f"/pieces/{quote(name, safe='')}/{verb}")

    def _ask(self, method: str, path: str) -> tuple[Piece, ...]:
        reached = self._folder.reached()
        place = urlsplit(reached.url)
        line = http.client.HTTPConnection(place.hostname or "127.0.0.1", place.port, timeout=PATIENCE)
        try:
            line.request(method, path, headers={"authorization": f"Bearer {reached.token}"})
            response = line.getresponse()
            body = response.read()
        except OSError as wrong:
            raise Unavailable(
                f"the host of {self._folder.path} does not answer ({wrong}): it has ended; begin with `actum up`"
            ) from wrong
        finally:
            line.close()
        if response.status != 200:
            raise error_of(read(body, status=response.status))
        return decoder_for(tuple[Piece, ...]).decode(body)

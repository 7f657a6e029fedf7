"""A stretch of wire between a client and a server, that can be cut at the moment when it hurts most."""

from __future__ import annotations

import os
import select
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote


class Wire:
    """Passes on what is said, both ways, until it is told to cut.

    `cut_answers`: the next so many answers of the server to a request that contains `mark` are swallowed and their
    connection cut: the server has done what it was asked, and the client does not learn of it. `cut_requests`: such
    requests do not even arrive. `swallowed` counts both.
    """

    def __init__(self, folder: Path, server: Path, mark: bytes) -> None:
        self._server = server
        self._mark = mark
        self._path = folder / ".s.PGSQL.5432"
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(os.fspath(self._path))
        self._door.listen()
        self.cut_answers = 0
        self.cut_requests = 0
        self.swallowed = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._door.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.socket(socket.AF_UNIX) as server:
            server.connect(os.fspath(self._server))
            marked = False
            while True:
                ready, _, _ = select.select([client, server], [], [])
                said = ready[0].recv(65536)
                if not said:
                    return
                if ready[0] is server:
                    if marked and self.cut_answers:
                        self.cut_answers -= 1
                        self.swallowed += 1
                        return
                    marked = False
                    client.sendall(said)
                    continue
                marked = marked or self._mark in said
                if marked and self.cut_requests:
                    self.cut_requests -= 1
                    self.swallowed += 1
                    return
                server.sendall(said)

    def close(self) -> None:
        """Let nobody in any more."""
        self._door.close()


@contextmanager
def wire_to(server: Path, *, mark: bytes) -> Iterator[tuple[Wire, str]]:
    """A wire to the server whose socket is in that folder, and the folder to name as host instead."""
    with tempfile.TemporaryDirectory() as folder:
        wire = Wire(Path(folder), server / ".s.PGSQL.5432", mark)
        yield wire, quote(folder, safe="/")
        wire.close()

"""Inside the process of a piece: what it tells its supervisor, and that it does not outlive it."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
from contextlib import suppress

import msgspec

from actum.host.process import SUPERVISOR, TELL, Told

_PR_SET_PDEATHSIG = 1
_STDIN = 0


class Teller:
    """Tells a supervisor how it goes, where there is one; and systemd, where that asks (sd_notify(3))."""

    def __init__(self) -> None:
        tell = os.environ.pop(TELL, None)
        supervisor = os.environ.pop(SUPERVISOR, None)
        self._pipe = None if tell is None else int(tell)
        self.supervised = supervisor is not None
        if supervisor is not None:
            end_with(int(supervisor))

    def prepared(self) -> None:
        """Everything that takes time is done; until one is told to go."""
        if self._pipe is not None:
            self._say(Told(prepared=True))
            if not os.read(_STDIN, 16):
                sys.exit(0)
            threading.Thread(target=_listen, name="actum-supervisor", daemon=True).start()

    def ready(self, url: str) -> None:
        """It does its work."""
        self._say(Told(ready=url))
        _notify("READY=1")

    def failed(self, why: str) -> None:
        """It cannot, and ends."""
        self._say(Told(failed=why))

    def _say(self, told: Told) -> None:
        if self._pipe is not None:
            with suppress(OSError):
                os.write(self._pipe, msgspec.json.encode(told) + b"\n")


def end_with(supervisor: int) -> None:
    """Have the system kill this process when its supervisor is gone, also where it stands still then (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != supervisor:
            os._exit(1)


def _listen() -> None:
    """The pipe from the supervisor closes when that ends: the way of noticing it that every system has."""
    while os.read(_STDIN, 16):
        continue
    os.kill(os.getpid(), signal.SIGTERM)


def _notify(said: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
            notified.sendto(said.encode(), "\0" + address[1:] if address.startswith("@") else address)

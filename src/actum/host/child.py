"""Inside the process of a piece: what it tells its supervisor, that it does not outlive it, and where it stands when it hangs."""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
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
_STDERR = 2
_WATCHDOG = "WATCHDOG_USEC"


class Teller:
    """Tells a supervisor how it goes, where there is one; and systemd, where that asks (sd_notify(3))."""

    def __init__(self) -> None:
        tell = os.environ.pop(TELL, None)
        supervisor = os.environ.pop(SUPERVISOR, None)
        self._pipe = None if tell is None else int(tell)
        self.supervised = supervisor is not None
        if supervisor is not None:
            end_with(int(supervisor))
        if supervisor is not None or _WATCHDOG in os.environ:
            # Whoever ends a piece that hangs sends it SIGABRT first: then every thread's place is in the log.
            faulthandler.enable(_STDERR)

    def prepared(self) -> None:
        """Everything that takes time is done; until one is told to go."""
        if self._pipe is not None:
            self._say(Told(prepared=True))
            if not os.read(_STDIN, 16):
                sys.exit(0)
            threading.Thread(target=_listen, name="actum-supervisor", daemon=True).start()

    def ready(self, url: str) -> None:
        """It does its work. Called in the event loop that answers."""
        self._say(Told(ready=url))
        _notify("READY=1")
        patience = os.environ.get(_WATCHDOG)
        if patience is not None:
            _live_on(int(patience) / 1e6)

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


def _live_on(patience: float) -> None:
    """Say that the loop goes round, for as long as it does: whoever is silent for so many seconds is ended (systemd.service(5))."""
    _notify("WATCHDOG=1", waits=False)
    asyncio.get_running_loop().call_later(patience / 3, _live_on, patience)


def _notify(said: str, *, waits: bool = True) -> None:
    """Say it to systemd, where that asks. What is said again and again is left out where nobody takes it in: the loop goes on."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
            notified.setblocking(waits)
            notified.sendto(said.encode(), "\0" + address[1:] if address.startswith("@") else address)

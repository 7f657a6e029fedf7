"""How processes that share a file take turns and hear of each other: one small file beside the journal.

Turns: an advisory lock on it, which the kernel hands on in order of asking; SQLite's own lock alone starves some
writers. News: a byte written to it wakes whoever watches it (inotify on Linux; elsewhere a look every 5 ms). Both only make things
fair and quick; correctness rests on SQLite's lock and on looking at the head now and then.
"""

from __future__ import annotations

import fcntl
import os
import select
import threading
from typing import TYPE_CHECKING, Protocol

from actum.journal.errors import Busy, ReadOnly, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

LOOK_ANYWAY = 0.05
"""Seconds after which a watcher looks at the head without having been woken."""


class Doorbell:
    """The file beside the journal. Opened by every process that writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = _opened(path)
        self._queued: int | None = None

    def take_turn(self, timeout: float) -> None:
        """Wait for the turn to write. `Busy` after `timeout` seconds."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._queued = self._queue(timeout)

    def _queue(self, timeout: float) -> int:
        """Wait in the kernel's queue, in a thread of its own: the wait there knows no time limit. The file that has the turn.

        The file is opened once more for it. A turn belongs to an opening: whoever gives up waiting gives back, when the turn
        comes at last, its own alone, and none that was taken meanwhile; nor does it matter what was closed meanwhile.
        """
        file = _opened(self.path)
        state = threading.Lock()
        arrived = threading.Event()
        gone = False

        def wait() -> None:
            fcntl.flock(file, fcntl.LOCK_EX)
            with state:
                if gone:
                    os.close(file)
                arrived.set()

        threading.Thread(target=wait, name="actum-turn", daemon=True).start()
        if arrived.wait(timeout):
            return file
        with state:
            if arrived.is_set():
                return file
            gone = True
        raise Busy(f"another process has kept {self.path} locked for {timeout:g} s; see who holds it, or wait longer")

    def end_turn(self) -> None:
        """Let the next one write."""
        if self._queued is None:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        else:
            os.close(self._queued)
            self._queued = None

    def ring(self) -> None:
        """Wake the watchers. Where that is not possible, on a full disk for one, they look by themselves a little later."""
        try:
            os.pwrite(self._file, b"\0", 0)
        except OSError:
            return

    def close(self) -> None:
        """Give the file back, and the turn with it."""
        if self._queued is not None:
            os.close(self._queued)
            self._queued = None
        os.close(self._file)


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except PermissionError as wrong:
        raise ReadOnly(f"{path} cannot be written; give this user the right to write in its folder") from wrong
    except OSError as wrong:
        raise Unavailable(f"{path} cannot be opened: {wrong}") from wrong


class Watcher(Protocol):
    """Waits for the doorbell to be rung."""

    def wait(self) -> None:
        """Until it was rung, or for `LOOK_ANYWAY` seconds at most."""
        ...

    def stop(self) -> None:
        """End the wait under way, from another thread."""
        ...

    def close(self) -> None: ...


class SleepingWatcher:
    """Where the system tells nothing of files: looks every few milliseconds."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def wait(self) -> None:
        self._stopped.wait(0.005)

    def stop(self) -> None:
        self._stopped.set()

    def close(self) -> None:
        return


class InotifyWatcher:
    """Linux tells when a file was written: inotify(7)."""

    _IN_MODIFY = 0x2

    def __init__(self, path: Path) -> None:
        import ctypes  # noqa: PLC0415 - only who watches needs it

        libc = ctypes.CDLL(None, use_errno=True)
        self._events = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self._events < 0 or libc.inotify_add_watch(self._events, os.fsencode(path), self._IN_MODIFY) < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        self._read, self._write = os.pipe()
        self._poll = select.poll()
        self._poll.register(self._events, select.POLLIN)
        self._poll.register(self._read, select.POLLIN)

    def wait(self) -> None:
        for file, _ in self._poll.poll(LOOK_ANYWAY * 1000):
            if file == self._events:
                os.read(self._events, 65536)

    def stop(self) -> None:
        os.write(self._write, b"\0")

    def close(self) -> None:
        for file in (self._events, self._read, self._write):
            os.close(file)


def watcher(path: Path) -> Watcher:
    """The best watcher there is for that file here."""
    try:
        if hasattr(select, "poll") and os.uname().sysname == "Linux":
            return InotifyWatcher(path)
    except OSError:
        return SleepingWatcher()
    return SleepingWatcher()

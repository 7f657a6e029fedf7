"""Whether a process that stands still stands in anybody's way: by the locks that it holds, as the system tells them.

A process paused in the middle of a write would keep every other writer of that file waiting. Linux says in /proc/locks who
holds which lock (proc_locks(5)); elsewhere nothing is known, and nothing stands in the way.
"""

from __future__ import annotations

import time
from pathlib import Path

from actum.host.process import is_stopped

_SHARED = ("-shm", "-bell")
"""How the files end by whose locks SQLite and journals take turns."""


def wait_until_stopped(pid: int) -> None:
    """Until the signal that was sent has reached it."""
    for _ in range(1000):
        if is_stopped(pid) is not False:
            return
        time.sleep(0.0005)


def stands_in_the_way(pid: int) -> bool:
    """Whether that process holds, or is next to get, a lock by which writers take turns."""
    files = _files(pid)
    return bool(files) and any(inode in files for inode in _locked(pid))


def _files(pid: int) -> set[int]:
    found: set[int] = set()
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            if str(link.readlink()).endswith(_SHARED):
                found.add(link.stat().st_ino)
    except OSError:
        return found
    return found


def _locked(pid: int) -> list[int]:
    """The inodes of what it has locked for itself alone, or waits for."""
    try:
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    fields = [line.replace("->", "").split() for line in lines]
    return [int(one[5].rpartition(":")[2]) for one in fields if one[3] == "WRITE" and one[4] == str(pid)]

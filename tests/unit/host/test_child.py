"""What a piece tells whoever began it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

LONG = 60

PIECE = """
import asyncio
from actum.host.child import Teller

async def live():
    Teller().ready("http://127.0.0.1:1")
    await asyncio.Event().wait()

asyncio.run(live())
"""


def test_systemd_is_told_that_it_is_ready_and_then_that_its_loop_goes_round(tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(LONG)
        asked = os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "3000"}
        with subprocess.Popen([sys.executable, "-c", PIECE], env=asked) as piece:
            try:
                heard = [systemd.recv(100) for _ in range(4)]
            finally:
                piece.kill()
    assert heard == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1", b"WATCHDOG=1"]

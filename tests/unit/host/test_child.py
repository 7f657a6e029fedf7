"""What a piece tells whoever began it."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from actum.host.child import Teller

LONG = 60


def test_systemd_is_told_that_it_is_ready_and_then_that_its_loop_goes_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def heard() -> list[bytes]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(str(tmp_path / "notify"))
            systemd.setblocking(False)
            teller = Teller()
            monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
            monkeypatch.setenv("WATCHDOG_USEC", "3000")
            teller.ready("http://127.0.0.1:1")
            async with asyncio.timeout(LONG):
                return [await asyncio.get_running_loop().sock_recv(systemd, 100) for _ in range(4)]

    assert asyncio.run(heard()) == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1", b"WATCHDOG=1"]

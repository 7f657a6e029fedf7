"""The files of a security are their owner's alone to read, whatever the process that makes them leaves open to others."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from actum.http.policy import Policy
from actum.http.security import Guard, Security
from tests.unit.http.bank import bank


def rights(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_who_is_known_and_who_came_is_the_owners_alone_to_read(tmp_path: Path):
    async def main() -> dict[str, int]:
        guard = await Guard.open(Security(Policy(), str(tmp_path / "known.db"), str(tmp_path / "came.db")), bank)
        kept = rights(tmp_path)
        await guard.close()
        return kept

    before = os.umask(0o022)
    try:
        kept = asyncio.run(main())
    finally:
        os.umask(before)
    assert {kept[f"{name}.db{end}"] for name in ("known", "came") for end in ("", "-wal", "-shm")} == {0o600}
    assert kept["known.db.key"] == 0o600

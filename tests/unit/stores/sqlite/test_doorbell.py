"""Turns to write: one at a time, whoever has given up waiting meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from actum.journal.errors import Busy
from actum.stores.sqlite.doorbell import Doorbell


def test_whoever_gave_up_waiting_gives_no_later_turn_away(tmp_path: Path):
    one, other = Doorbell(tmp_path / "bell"), Doorbell(tmp_path / "bell")
    for _ in range(10):
        one.take_turn(10)
        with pytest.raises(Busy, match="another process has kept"):
            other.take_turn(0.001)
        one.end_turn()
        other.take_turn(10)
        with pytest.raises(Busy):
            one.take_turn(0.02)
        other.end_turn()
    one.close()
    other.close()

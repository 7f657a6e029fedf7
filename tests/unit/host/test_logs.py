"""A log is turned over at a size, and the last lines are found across the turn."""

from __future__ import annotations

from pathlib import Path

from actum.host.logs import Log


def test_a_log_is_turned_over_and_so_many_older_ones_are_kept(tmp_path: Path):
    log = Log(tmp_path / "a.log", largest=20, kept=2)
    for number in range(12):
        log.write(b"line %02d\n" % number)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log.1", "a.log.2"]
    assert log.last(4) == ["line 08", "line 09", "line 10", "line 11"]
    assert len(log.last(100)) == 6


def test_what_cannot_be_written_is_lost_and_nothing_else(tmp_path: Path):
    Log(tmp_path / "nowhere" / "a.log").write(b"said")
    assert Log(tmp_path / "nowhere" / "a.log").last(3) == []

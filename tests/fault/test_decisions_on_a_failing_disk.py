"""The disk fails under a command: whoever asked learns what is so, and the states kept in memory are not ahead of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from uuid import UUID

import apsw
import pytest

from actum.decision.outcome import Decided
from actum.journal.clock import SYSTEM_IDS
from actum.journal.errors import OutcomeUnknown, Unavailable
from actum.service.running import Running
from actum.stores.sqlite.database import SqliteStore
from tests.fault.disk import Fault, failing_disk, lay_out, ordinary_disk, pick_up
from tests.fault.pots import Fill, Pour, pots

JOURNAL = "journal.db"
POUR = UUID(int=77)
FOREVER = 10**9


def pour(folder: Path, fault: Fault) -> str:
    """Fill a pot, then pour from it while the disk fails; what was said of it."""
    disk_folder = lay_out({}, folder / "disk")
    with failing_disk(checkpoint_pages=4) as disk, _open(disk_folder / JOURNAL) as running:
        running.execute(Fill(pot="a", drops=10), id=UUID(int=1))
        disk.fault = fault
        try:
            running.execute(Pour(source="a", target="b", drops=7), id=POUR)
            said = "decided"
        except (Unavailable, OutcomeUnknown) as wrong:
            said = type(wrong).__name__
        disk.fault = None
        written = _after_a_kill(disk_folder, folder / "image")
        assert said == OutcomeUnknown.__name__ or written == (said == "decided")
        # Ten drops are not enough for two times seven: a state that is ahead, or behind, would now decide otherwise.
        again = running.execute(Pour(source="a", target="b", drops=7), id=POUR)
        assert isinstance(again, Decided)
        rest = running.execute(Pour(source="a", target="b", drops=3), id=UUID(int=78))
        assert (again.position, rest.position) == (2, 3)
    return said


def _open(path: Path) -> Running:
    store = SqliteStore(path)
    # One connection alone can open this disk: let the writer's serve for reading too.
    store._reader._connections._local.mine = store._writer.connection
    return Running(pots, store, ids=SYSTEM_IDS, actor="test", states_kept=100, database=None, follow=False)


def _after_a_kill(folder: Path, image: Path) -> bool:
    lay_out(pick_up(folder), image)
    with ordinary_disk():
        store = SqliteStore(image / JOURNAL)
        written = store.decision(POUR.bytes) is not None
        assert store.head() == 1 + written
        store.close()
    return written


@pytest.mark.parametrize("performed", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("lasts", [1, 3, FOREVER], ids=["once", "thrice", "from then on"])
def test_a_command_on_a_failing_disk_is_decided_once_or_not_at_all_and_its_retry_says_which(
    tmp_path: Path, *, performed: bool, lasts: int
):
    said: Counter[str] = Counter()
    at = 1
    while (fault := Fault(apsw.SQLITE_IOERR_FSYNC, at, lasts, performed)) and (answer := pour(tmp_path, fault)):
        if not fault.landed:
            break
        said[answer] += 1
        at += 1
    print(f"{at - 1} faults landed: {dict(said)}")
    assert at > 5, f"inconclusive: only {at - 1} operations to hit"

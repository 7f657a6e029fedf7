"""Every write and every sync of one append fails in turn: the answer is true, the truth can be found, memory is not ahead."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import apsw
import pytest

from actum.journal.errors import OutcomeUnknown, StorageFull, Unavailable
from actum.journal.event import SequencedEvent
from actum.journal.query import Query
from actum.journal.store import Append, Appended, Repeated
from actum.stores.sqlite.database import SqliteStore
from actum.stores.sqlite.writing import INDEX_BEHIND
from actum.testing.builders import an_append, an_event, command_id
from tests.fault.disk import Disk, Fault, failing_disk, lay_out, ordinary_disk, pick_up

JOURNAL = "journal.db"
WATCHED = "batch:watched"
FOREVER = 10**9
WRITES = frozenset({"write"})


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A journal whose next append will make the index be written."""
    folder = tmp_path_factory.mktemp("before")
    store = SqliteStore(folder / JOURNAL)
    store.append(an_append(*(an_event("Written", f"thing:{n % 7}") for n in range(INDEX_BEHIND)), command="first"))
    store.close()
    return pick_up(folder)


def the_append() -> Append:
    """The append that is hit."""
    events = (an_event("Written", WATCHED, f"thing:{n}", data=b"x" * 3000) for n in range(5))
    return an_append(*events, an_event("Watched", WATCHED), unless=Query.of(tags=[WATCHED]), command="watched")


class Strike:
    """One append with one fault: what was said, and what is so."""

    def __init__(self, folder: Path, before: dict[str, bytes], fault: Fault) -> None:
        self.folder = lay_out(before, folder / "disk")
        self.image = folder / "image"
        self.fault = fault
        self.said = "acknowledged"
        self.error: Unavailable | OutcomeUnknown | None = None

    def run(self) -> None:
        """Append, be hit, and find out."""
        with failing_disk(checkpoint_pages=4) as disk:
            store = SqliteStore(self.folder / JOURNAL)
            append = the_append()
            self._append(store, disk, append)
            written = self._after_a_kill(append)
            self._go_on(store, append, written=written)
            store.close()
        self._check_all(append)

    def _append(self, store: SqliteStore, disk: Disk, append: Append) -> None:
        disk.fault = self.fault
        try:
            (outcome,) = store.append(append)
            assert isinstance(outcome, Appended)
        except (Unavailable, OutcomeUnknown) as wrong:
            self.error, self.said = wrong, type(wrong).__name__
        finally:
            disk.fault = None

    def _after_a_kill(self, append: Append) -> bool:
        """Were the process killed now: what whoever opens the journal next would find by the command's id."""
        lay_out(pick_up(self.folder), self.image)
        with ordinary_disk():
            fresh = SqliteStore(self.image / JOURNAL)
            written = fresh.decision(command_id("watched")) is not None
            events = list(fresh.read())
            fresh.close()
        assert [event.position for event in events] == list(range(1, len(events) + 1))
        assert len(events) == INDEX_BEHIND + len(append.events) * written
        return written

    def _go_on(self, store: SqliteStore, append: Append, *, written: bool) -> None:
        """What was said agrees with what is so; the same store sees it the same way, and works again."""
        if self.said == "acknowledged":
            assert written
        elif self.said != "OutcomeUnknown":
            assert not written, f"{self.said} says that nothing was written, but it was: {self.error}"
        head, (seen,) = store.load([Query.of(tags=[WATCHED])], after=[0])
        if self.said != "OutcomeUnknown":
            assert len(seen) == len(append.events) * written
            assert head == INDEX_BEHIND + len(seen)
        (outcome,) = store.append(append)
        assert isinstance(outcome, Repeated if seen else Appended)
        (outcome,) = store.append(an_append(an_event("Written", "thing:1"), command="next"))
        assert isinstance(outcome, Appended)
        assert outcome.last == INDEX_BEHIND + len(append.events) + 1

    def _check_all(self, append: Append) -> None:
        store = SqliteStore(self.folder / JOURNAL)
        events = list(store.read())
        assert len(events) == INDEX_BEHIND + len(append.events) + 1
        for tag in {tag for event in events for tag in event.tags}:
            assert list(store.read(Query.of(tags=[tag]))) == _scanned(events, tag)
        store.close()


def _scanned(events: list[SequencedEvent], tag: str) -> list[SequencedEvent]:
    return [event for event in events if tag in event.tags]


def in_turn(
    folder: Path,
    before: dict[str, bytes],
    code: int,
    *,
    lasts: int = 1,
    performed: bool = False,
    whats: frozenset[str] = WRITES | {"sync", "truncate"},
) -> Counter[str]:
    """Hit the first operation of the append, then the second, until there is none left to hit; what was said how often."""
    said: Counter[str] = Counter()
    at = 1
    while True:
        strike = Strike(folder, before, Fault(code, at, lasts, performed, whats))
        strike.run()
        if not strike.fault.landed:
            break
        said[strike.said] += 1
        at += 1
    print(f"{at - 1} faults landed: {dict(said)}")
    assert at > 20, f"inconclusive: only {at - 1} operations to hit"
    return said


def test_a_write_or_sync_that_fails_leaves_the_append_whole_or_not_there_and_says_which(
    tmp_path: Path, before: dict[str, bytes]
):
    said = in_turn(tmp_path, before, apsw.SQLITE_IOERR_WRITE)
    # Where the checkpoint after the commit fails, SQLite would pass over it; a disk in Python makes the commit raise.
    assert said.keys() == {Unavailable.__name__, OutcomeUnknown.__name__}


def test_a_write_or_sync_that_fails_although_it_was_done_is_told_apart_by_the_command(
    tmp_path: Path, before: dict[str, bytes]
):
    in_turn(tmp_path, before, apsw.SQLITE_IOERR_FSYNC, performed=True)


def test_a_disk_that_fails_from_any_operation_on_loses_nothing_and_the_store_works_again_after(
    tmp_path: Path, before: dict[str, bytes]
):
    in_turn(tmp_path, before, apsw.SQLITE_IOERR_WRITE, lasts=FOREVER)


def test_a_disk_that_is_full_from_any_write_on_refuses_clearly_and_the_store_works_again_after(
    tmp_path: Path, before: dict[str, bytes]
):
    said = in_turn(tmp_path, before, apsw.SQLITE_FULL, lasts=FOREVER, whats=WRITES)
    assert said.keys() <= {StorageFull.__name__, OutcomeUnknown.__name__, "acknowledged"}
    assert said[StorageFull.__name__] > 10

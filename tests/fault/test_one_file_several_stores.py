"""Several stores on one file, in one process: with clocks that disagree, slow readers, forks, and states kept by each."""

from __future__ import annotations

import os
import threading
from contextlib import closing
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from actum.journal.errors import Unavailable
from actum.journal.query import Query
from actum.journal.store import leaf_of
from actum.stores.sqlite.database import SqliteStore
from actum.testing.builders import an_append, an_event, fill, positions
from actum.testing.clocks import SetClock
from tests.fault.elsewhere import elsewhere
from tests.fault.history import History
from tests.fault.pots import Fill, Pour, pots

JOURNAL = "journal.db"
MEGABYTE = 1024 * 1024


def test_two_stores_in_one_process_take_turns_and_see_each_others_events(tmp_path: Path):
    stores = [SqliteStore(tmp_path / JOURNAL) for _ in range(2)]
    threads = [threading.Thread(target=_write, args=(store, number)) for number, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        assert positions(store.read()) == list(range(1, 401))
        assert len(list(store.read(Query.of(tags=["writer:0"])))) == 200
        store.close()
    assert list(History.of(tmp_path / JOURNAL).faults()) == []


def _write(store: SqliteStore, number: int) -> None:
    for _ in range(200):
        fill(store, 1, f"writer:{number}")


def test_a_kept_state_that_another_process_has_changed_is_loaded_again_beside_one_never_seen(tmp_path: Path):
    with pots.open(tmp_path / JOURNAL, actor="one") as here, pots.open(tmp_path / JOURNAL, actor="two") as there:
        here.execute(Fill(pot="a", drops=10))
        there.execute(Fill(pot="a", drops=5))
        here.execute(Pour(source="a", target="never seen", drops=15))
        there.execute(Pour(source="never seen", target="a", drops=15))


def test_clocks_that_jump_and_disagree_never_make_the_journal_go_back_in_time(tmp_path: Path, seed: int):
    random = Random(seed)
    clocks = [SetClock(10**15), SetClock(10**15)]
    stores = [SqliteStore(tmp_path / JOURNAL, clock=clock) for clock in clocks]
    backwards = 0
    for _ in range(200):
        which = random.randrange(2)
        moment = random.randrange(1, 2 * 10**15)
        backwards += moment < clocks[which].now()
        clocks[which].set(moment)
        fill(stores[which], 1)
    for store in stores:
        store.close()
    print(f"{backwards} jumps backwards")
    assert backwards > 50, "inconclusive"
    assert list(History.of(tmp_path / JOURNAL).faults()) == []


def test_a_slow_reader_does_not_keep_the_log_from_being_written_back_and_sees_every_event_in_order(tmp_path: Path):
    with closing(SqliteStore(tmp_path / JOURNAL)) as store, closing(SqliteStore(tmp_path / JOURNAL)) as writer:
        fill(writer, 2000, "thing:1")
        slow = [store.read(), store.read(Query.of(tags=["thing:1"])), store.read(Query.of(types=["Happened"]))]
        seen = [[next(reader).position] for reader in slow]
        longest = 0
        for _ in range(60):
            writer.append(an_append(*(an_event("Happened", "thing:1", data=b"x" * 1000) for _ in range(300))))
            for reader, positions_seen in zip(slow, seen, strict=True):
                positions_seen.append(next(reader).position)
            longest = max(longest, (tmp_path / f"{JOURNAL}-wal").stat().st_size)
        written = (tmp_path / JOURNAL).stat().st_size
        print(f"{written} bytes written, the log was never longer than {longest}")
        assert written > 20 * MEGABYTE
        assert longest < 8 * MEGABYTE
        for reader, positions_seen in zip(slow, seen, strict=True):
            assert positions_seen + positions(reader) == list(range(1, 20_001))


def test_a_reader_of_decisions_that_stops_halfway_does_not_keep_the_log_from_being_written_back(tmp_path: Path):
    with closing(SqliteStore(tmp_path / JOURNAL)) as store:
        for number in range(20):
            store.append(an_append(an_event(), command=f"{number}"))
        halfway = store.decisions()
        next(halfway)
        for _ in range(30):
            store.append(an_append(*(an_event(data=b"x" * 1000) for _ in range(300))))
        assert (tmp_path / f"{JOURNAL}-wal").stat().st_size < 8 * MEGABYTE
        assert len(list(halfway)) == 19


def _forked(path: Path) -> list[str]:
    """What a process without other threads gets when it forks with an open journal, and its child uses it."""
    store = SqliteStore(path)
    fill(store, 3)
    read, write = os.pipe()
    if os.fork() == 0:
        said = []
        for use in (store.head, lambda: fill(store, 1), lambda: list(store.read())):
            try:
                use()
            except Unavailable as wrong:
                said.append(str(wrong))
        store.close()
        with closing(SqliteStore(path)) as own:
            said.append(str(fill(own, 1)))
        os.write(write, "\n".join(said).encode())
        os._exit(0)
    os.wait()
    answer = os.read(read, 65536).decode().split("\n")
    answer.append(str(fill(store, 1)))
    assert all(leaf_of(event, store.origin) == event.leaf for event in store.read())
    store.close()
    return answer


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_is_told_to_open_the_journal_anew_and_does_the_parent_no_harm(tmp_path: Path):
    path = tmp_path / JOURNAL
    refused = f"{path} was opened before this process was forked; open it anew in every process"
    assert elsewhere(_forked, path) == [refused, refused, refused, "4", "5"]


def test_many_processes_that_make_one_journal_at_once_agree_on_it(tmp_path: Path):
    barrier = threading.Barrier(8)
    origins: list[str] = []

    def open_it() -> None:
        barrier.wait()
        with closing(SqliteStore(tmp_path / JOURNAL)) as store:
            fill(store, 1)
            origins.append(store.origin)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(origins) == 8
    assert len(set(origins)) == 1
    assert list(History.of(tmp_path / JOURNAL).faults()) == []


def test_a_command_is_decided_once_by_two_applications_at_once(tmp_path: Path):
    barrier = threading.Barrier(2)
    answers: list[int] = []

    def decide() -> None:
        with pots.open(tmp_path / JOURNAL, actor="one of two") as running:
            for number in range(50):
                barrier.wait()
                answers.append(running.execute(Fill(pot="a", drops=1), id=UUID(int=number)).position)

    threads = [threading.Thread(target=decide) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted([*range(1, 51), *range(1, 51)])
    assert list(History.of(tmp_path / JOURNAL).faults()) == []

"""Somebody else holds the journal: forgotten transactions, stopped processes. Nobody waits for ever, and nothing is lost."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import apsw
import pytest

from actum.journal.errors import Busy
from actum.stores.sqlite.database import SqliteStore
from actum.testing.builders import an_append, an_event, fill, positions
from tests.fault.elsewhere import PATIENCE, process

JOURNAL = "journal.db"
SHORT = 0.1


def hold_the_lock(say: Connection, path: Path) -> None:
    """Another program begins a transaction on the file and forgets it."""
    connection = apsw.Connection(str(path))
    connection.execute("BEGIN EXCLUSIVE")
    say.send("held")
    say.recv()
    connection.execute("ROLLBACK")
    say.send("released")


def hold_the_turn(say: Connection, path: Path) -> None:
    """Another process stands still in the middle of its turn to write."""
    store = SqliteStore(path)
    with store._writer.turn():
        say.send("held")
        say.recv()
    say.send("released")


@contextmanager
def held(work: Callable[..., None], path: Path) -> Iterator[tuple[ForkServerProcess, Connection]]:
    """While this lasts, another process holds the journal."""
    with process(work, path) as (member, here):
        assert here.poll(PATIENCE)
        assert here.recv() == "held"
        yield member, here


def test_a_journal_that_another_program_keeps_locked_is_busy_and_goes_on_when_it_is_free(tmp_path: Path):
    path = tmp_path / JOURNAL
    with closing(SqliteStore(path, timeout=SHORT)) as store:
        fill(store, 3)
        with held(hold_the_lock, path) as (_, other):
            for _ in range(3):
                with pytest.raises(Busy) as caught:
                    fill(store, 1)
                assert str(caught.value) == (
                    f"another program has kept {path} locked; find out which holds it, then try again"
                )
            assert positions(store.read()) == [1, 2, 3]
            other.send("release")
            assert other.recv() == "released"
            assert fill(store, 1) == 4


def test_a_stopped_process_keeps_the_turn_and_the_others_are_told_so_and_go_on_when_it_is_gone(tmp_path: Path):
    path = tmp_path / JOURNAL
    with closing(SqliteStore(path, timeout=SHORT)) as store:
        fill(store, 3)
        with held(hold_the_turn, path) as (member, _):
            os.kill(member.pid, signal.SIGSTOP)
            for _ in range(3):
                with pytest.raises(Busy) as caught:
                    fill(store, 1)
                assert str(caught.value) == (
                    f"another process has kept {path}-bell locked for {SHORT:g} s; see who holds it, or wait longer"
                )
            assert positions(store.read()) == [1, 2, 3]
        assert fill(store, 1) == 4


def test_a_stopped_process_that_is_continued_goes_on_and_everyone_after_it(tmp_path: Path):
    path = tmp_path / JOURNAL
    with closing(SqliteStore(path, timeout=SHORT)) as store, closing(SqliteStore(path)) as patient:
        with held(hold_the_turn, path) as (member, other):
            os.kill(member.pid, signal.SIGSTOP)
            waiting = threading.Thread(target=fill, args=(patient, 1))
            waiting.start()
            with pytest.raises(Busy):
                fill(store, 1)
            other.send("release")
            os.kill(member.pid, signal.SIGCONT)
            assert other.recv() == "released"
            waiting.join(PATIENCE)
        assert positions(store.read()) == [1]
        assert fill(store, 1) == 2


def test_whoever_gave_up_waiting_for_a_turn_does_not_get_one_behind_everyones_back(tmp_path: Path):
    path = tmp_path / JOURNAL
    with closing(SqliteStore(path, timeout=SHORT)) as store, closing(SqliteStore(path)) as other:
        fill(store, 1)
        with held(hold_the_turn, path) as (_, holder):
            for _ in range(5):
                with pytest.raises(Busy):
                    fill(store, 1)
            holder.send("release")
            assert holder.recv() == "released"
        for _ in range(20):
            other.append(an_append(an_event()))
            store.append(an_append(an_event()))
        assert positions(store.read()) == list(range(1, 42))


def test_a_transaction_left_open_by_a_killed_process_is_taken_back(tmp_path: Path):
    path = tmp_path / JOURNAL
    with closing(SqliteStore(path, timeout=SHORT)) as store:
        fill(store, 3)
        with held(hold_the_turn, path) as (member, _):
            member.kill()
            member.join(PATIENCE)
            assert fill(store, 1) == 4


def test_without_the_file_of_the_turns_writers_still_exclude_each_other(tmp_path: Path):
    path = tmp_path / JOURNAL
    with closing(SqliteStore(path)) as one:
        fill(one, 1)
        (tmp_path / f"{JOURNAL}-bell").unlink()
        with closing(SqliteStore(path)) as two:
            threads = [threading.Thread(target=_write, args=(store,)) for store in (one, two)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert positions(two.read()) == list(range(1, 202))


def _write(store: SqliteStore) -> None:
    for _ in range(100):
        fill(store, 1)

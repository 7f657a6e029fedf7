"""A rebuild is killed again and again, and a switch is made under constant reading: nothing is lost, and nothing is seen by half."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from queue import Queue
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from actum import App, Event, View
from actum.journal.readmodel import Role
from actum.projection.build import PAGE
from actum.projection.changed import Rebuilds
from actum.testing.postgres import with_journal
from tests.house import ROOT
from tests.unit.projection.bank import AccountId, Deposited, Opened, Transferred, fill, some_events
from tests.unit.projection.versions import at_work, first, made_of, rows_of, second, view_of

EVENTS = 4000
STEP = 25
ACCOUNTS = 500


@contextmanager
def _process(module: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", f"tests.fault.{module}", *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def views(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the views are kept."""
    if request.param == "SQLite":
        return str(tmp_path / "bank.views.db")
    return with_journal(request.getfixturevalue("postgres"), f"t{uuid4().hex[:20]}")


def _kept_by_the_first(folder: Path, events: list[Event], views: str) -> Path:
    journal = folder / "bank.actum"
    with at_work(first(), journal, views=views) as running:
        fill(running.store, events)
        running.catch_up()
    return journal


def _killed_after(process: subprocess.Popen[str], steps: int, spins: int) -> bool:
    """Kill it a moment into the step after that many; whether it was still at work."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n" * (steps + 1))
    process.stdin.flush()
    for _ in range(steps):
        process.stdout.readline()
    for _ in range(spins):
        pass
    process.kill()
    process.stdout.read()
    return process.wait() == -signal.SIGKILL


def test_a_rebuild_killed_again_and_again_goes_on_and_ends_with_the_right_rows(tmp_path: Path, views: str, seed: int):
    random = Random(seed)
    events = some_events(EVENTS, seed)
    journal = _kept_by_the_first(tmp_path, events, views)
    landed, reached = 0, []
    for _ in range(5):
        with _process("rebuilding", journal, views, STEP) as process:
            landed += _killed_after(process, random.randrange(1, 20), random.randrange(100_000))
        with at_work(second(), journal, views=views) as running:
            assert rows_of(running) == made_of(first(), events)
            reached += [each.position for each in running.versions(view_of(running.app)) if each.role is Role.CANDIDATE]
    assert reached == sorted(reached)
    print(f"{landed} of 5 kills met a rebuild at work, which came to {reached[-1]} of {EVENTS}")
    with at_work(second(), journal, views=views) as running:
        rebuild = running.rebuild(view_of(running.app))
        rebuild.switch(rebuild.diff())
        assert rows_of(running) == made_of(second(), events)


def test_a_rebuild_killed_between_two_writes_goes_on_from_the_first_of_them(tmp_path: Path, views: str, seed: int):
    """It has folded a page more than it has written, and reads the next one."""
    events = [event for event in some_events(3 * EVENTS, seed) if not isinstance(event, Opened)][: 7 * PAGE]
    journal = _kept_by_the_first(tmp_path, events, views)
    with _process("rebuilding", journal, views, 2 * PAGE, 5 * PAGE) as process:
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    with at_work(second(), journal, views=views) as running:
        rebuild = running.candidate(view_of(running.app))
        assert rebuild.progress().position == 4 * PAGE
        rebuild.resume()
        rebuild.switch(rebuild.diff())
        assert rows_of(running) == made_of(second(), events)


def test_one_of_several_programs_that_build_is_killed_and_the_others_end_with_the_right_rows(tmp_path: Path, seed: int):
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        if _killed_among_others(folder, str(folder / "views.db"), seed + attempt):
            return
    pytest.fail("inconclusive: no kill met a rebuild at work")


def _killed_among_others(folder: Path, views: str, seed: int) -> bool:
    """A process that builds is killed beside another one, and a program that builds by itself is opened meanwhile."""
    events = some_events(EVENTS, seed)
    journal = _kept_by_the_first(folder, events, views)
    with _process("rebuilding", journal, views, STEP) as killed, _process("rebuilding", journal, views, STEP) as other:
        reading = threading.Thread(target=other.communicate)
        reading.start()
        landed = _killed_after(killed, Random(seed).randrange(1, 4), 0)
        with at_work(second(), journal, views=views, rebuilds=Rebuilds.AUTOMATIC, follow=True) as running:
            running.wait_for(EVENTS, timeout=60)
            reading.join()
            assert other.returncode == 0
            assert rows_of(running) == made_of(second(), events)
    return landed


def _marked(version: int) -> App:
    """A program each of whose rows says which version made it."""
    app = App("bank", version=str(version))

    class Balance(View, table="balances", version=version):
        account: AccountId
        made_by: int = version
        changes: int = 0

        def evolve(self, event: Opened | Deposited | Transferred) -> None:
            self.made_by = version
            self.changes += 1

    app.view(Balance)
    return app


def _look(running: Any, over: threading.Event, torn: list[Any], shown: Queue[int]) -> None:
    """Read everything as a program does, in one query at a time, until it is over; tell whenever another version answers."""
    table, last = running.view(view_of(running.app)), 0
    while not over.is_set():
        rows = table.page(limit=ACCOUNTS + 1).rows
        versions = {row.made_by for row in rows}
        if len(versions) != 1 or len(rows) != ACCOUNTS:
            torn.append((len(rows), versions))
        elif versions != {last}:
            (last,) = versions
            shown.put(last)


def test_a_switch_under_constant_reading_shows_nobody_half_of_it(tmp_path: Path, views: str):
    """Two processes that read by SQL and two threads that read views, while it is switched and gone back from ten times."""
    journal = tmp_path / "bank.actum"
    with at_work(_marked(1), journal, views=views) as running:
        fill(running.store, [Opened(account=f"A-{number:04}", owner="Ada") for number in range(ACCOUNTS)])
        running.catch_up()
    over = threading.Event()
    torn: list[Any] = []
    with ExitStack() as stack:
        running = stack.enter_context(at_work(_marked(2), journal, views=views))
        lookers = [stack.enter_context(_process("looking", views, ACCOUNTS)) for _ in range(2)]
        shown: list[Queue[int]] = [Queue(), Queue()]
        threads = [threading.Thread(target=_look, args=(running, over, torn, queue)) for queue in shown]
        for thread in threads:
            thread.start()

        def everybody_sees(version: int) -> None:
            assert [queue.get(timeout=60) for queue in shown] == [version, version]
            for looker in lookers:
                assert looker.stdout is not None
                assert looker.stdout.readline() == f"{version}\n"

        try:
            view = view_of(running.app)
            everybody_sees(1)
            running.rebuild(view).switch()
            everybody_sees(2)
            for _ in range(5):
                running.rollback(view, behind=True)
                everybody_sees(1)
                running.candidate(view).switch()
                everybody_sees(2)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        told = [json.loads(looker.communicate("enough\n", timeout=60)[0]) for looker in lookers]
    assert torn == []
    assert told == [[], []]


def test_a_switch_while_events_come_in_never_shows_a_reader_less_than_before(tmp_path: Path, views: str):
    """Somebody writes and an older program keeps its table up: for every reader, what is shown only grows."""
    journal = tmp_path / "bank.actum"
    with at_work(_marked(1), journal, views=views) as running:
        fill(running.store, [Opened(account="A-1", owner="Ada")])
        running.catch_up()
    back: list[tuple[int, int]] = []
    seen: set[int] = set()
    over = threading.Event()

    def read(running: Any) -> None:
        table, most = running.view(view_of(running.app)), 0
        while not over.is_set():
            row = table.get("A-1")
            seen.add(row.made_by)
            if row.changes < most:
                back.append((most, row.changes))
            most = max(most, row.changes)

    def write(running: Any) -> None:
        while not over.is_set():
            running.append(Deposited(account="A-1", amount=Decimal(1)))

    older = at_work(_marked(1), journal, views=views, follow=True)
    newer = at_work(_marked(2), journal, views=views, follow=True)
    with older, newer:
        threads = [threading.Thread(target=read, args=(newer,)), threading.Thread(target=write, args=(older,))]
        for thread in threads:
            thread.start()
        try:
            older.wait_for(_grown(older, 100), timeout=60)
            while 1 not in seen:
                older.wait_for(_grown(older, 1), timeout=60)
            newer.rebuild(view_of(newer.app)).switch()
            newer.wait_for(_grown(newer, 100), timeout=60)
            while 2 not in seen:
                newer.wait_for(_grown(newer, 1), timeout=60)
        finally:
            over.set()
            for thread in threads:
                thread.join()
    assert back == []


def _grown(running: Any, by: int) -> int:
    """The position at which the journal has that many events more than now, once it has."""
    now = running.head()
    for recorded in running.follow(after=now):
        if recorded.position >= now + by:
            break
    return now + by

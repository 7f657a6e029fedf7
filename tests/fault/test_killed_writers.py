"""Several writers are killed again and again in the middle of what they do; the whole history is judged at the end."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random
from typing import TypeAlias

import pytest

from actum.journal.query import Query
from actum.stores.sqlite.database import SqliteStore
from actum.stores.sqlite.writing import INDEX_BEHIND
from tests.fault.elsewhere import PATIENCE, process
from tests.fault.fleet import LONG, Log, Task, sail
from tests.fault.history import History, Verdict
from tests.fault.seeds import minutes_of_soaking

Member: TypeAlias = tuple[ForkServerProcess, Connection]

CREW = 3


class Battle:
    """One journal, its writers, and what is done to them."""

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.journal = folder / "journal.db"
        self._folder = folder
        self._seed = seed
        self._random = Random(seed)
        self.landed: Counter[str] = Counter()
        self.missed = 0

    def writer(self, number: int) -> str:
        """Its name."""
        return f"{self._seed}-{number}"

    def log(self, number: int) -> Log:
        """What it knows."""
        return Log(self._folder / f"writer-{number}.log")

    def rage(self, *, landed: int) -> None:
        """Kill writers until so many were hit in the middle of a task, then let all finish."""
        with ExitStack() as stack:
            crew = {number: self._launch(stack, number) for number in range(CREW)}
            while sum(self.landed.values()) < landed:
                assert self.missed < 10 * landed, f"inconclusive: of {self.missed} kills hardly any landed"
                number = self._random.randrange(CREW)
                self._watch(crew, number, self._random.randint(2, 25))
                self._kill(crew[number][0], number)
                crew[number] = self._launch(stack, number)
            for member, here in crew.values():
                self._end(member, here)
        for number in range(CREW):
            self._finish(number)

    def _launch(self, stack: ExitStack, number: int) -> Member:
        log_path = self._folder / f"writer-{number}.log"
        return stack.enter_context(process(sail, self.journal, log_path, self.writer(number)))

    def _watch(self, crew: dict[int, Member], number: int, tasks: int) -> None:
        """Wait until the writer has begun so many tasks, hearing the others meanwhile."""
        by_pipe = {here: one for one, (_, here) in crew.items()}
        while tasks:
            ready = wait(list(by_pipe), PATIENCE)
            assert ready, "expected the writers to go on"
            for here in ready:
                here.recv()
                tasks -= by_pipe[here] == number and tasks > 0

    def _kill(self, member: ForkServerProcess, number: int) -> None:
        moment = time.perf_counter() + self._random.uniform(0, 0.004)
        while time.perf_counter() < moment:
            pass
        member.kill()
        member.join(PATIENCE)
        log = self.log(number)
        if log.tried and log.tried[-1] not in log.answers:
            self.landed[Task(self.writer(number), log.tried[-1]).what] += 1
        else:
            self.missed += 1

    def _end(self, member: ForkServerProcess, here: Connection) -> None:
        here.send("stop")
        while member.is_alive():
            try:
                here.recv()
            except (EOFError, ConnectionResetError):
                member.join(PATIENCE)

    def _finish(self, number: int) -> None:
        """Once more, undisturbed: whatever is still without an answer gets one."""
        with ExitStack() as stack:
            member, here = self._launch(stack, number)
            self._end(member, here)


def judge(battle: Battle) -> History:
    """Everything that was promised, held against the whole journal."""
    history = History.of(battle.journal)
    assert list(history.faults()) == []
    decided = history.decided()
    notes = Counter(fact.data for fact in history.facts if fact.type == "Noted")
    assert set(notes.values()) <= {1}
    for number in range(CREW):
        log = battle.log(number)
        assert log.complaints == []
        for one in log.tried:
            _check_task(Task(battle.writer(number), one), log.answers.get(one), decided, notes)
    _check_reading(battle.journal, history)
    return history


def _check_task(task: Task, answer: list[object] | None, decided: dict[bytes, Verdict], notes: Counter[bytes]) -> None:
    verdict = decided.get(task.command)
    match answer:
        case ["noted"]:
            assert sum(f'"{task.writer}/{task.number}"'.encode() in data for data in notes) == 1
        case ["collided"]:
            assert verdict is None
        case ["written", first, last]:
            assert verdict is not None
            assert (verdict.first, verdict.last) == (first, last)
        case ["decided" | "refused", last, _]:
            assert verdict is not None
            assert verdict.last == last
        case _:
            assert task.what == "note", f"task {task} was never answered"


def _check_reading(journal: Path, history: History) -> None:
    """The store finds by each tag what a scan finds."""
    store = SqliteStore(journal)
    for tag, expected in history.tagged().items():
        assert [event.position for event in store.read(Query.of(tags=[tag]))] == expected
    store.close()


def fight(folder: Path, seed: int, *, landed: int) -> None:
    """Kill, judge, and say what happened."""
    battle = Battle(folder, seed)
    battle.rage(landed=landed)
    history = judge(battle)
    long = sum(fact.type == "Long" for fact in history.facts) // LONG
    print(
        f"{sum(battle.landed.values())} kills landed ({dict(battle.landed)}), {battle.missed} did not; "
        f"{len(history.facts)} events, {len(history.verdicts)} decisions, {long} long appends, indexed to {history.indexed}"
    )
    assert history.indexed > INDEX_BEHIND, "inconclusive: the index was hardly written"


def test_killed_writers_lose_nothing_do_nothing_twice_and_violate_no_condition(tmp_path: Path, seed: int):
    fight(tmp_path, seed, landed=10)


@pytest.mark.soak
def test_writers_are_killed_for_many_minutes_and_every_history_holds(tmp_path: Path, seed: int):
    for number in minutes_of_soaking():
        fight(tmp_path / f"{number}", seed + number, landed=40)

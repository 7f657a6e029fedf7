"""Writers in processes of their own that are killed and started again, and remember in a log of their own what they know.

A writer's tasks follow from its seed: commands through an application, conditional and unconditional appends, and long
ones that make the index be written. It writes down each try before, and each answer after. Started again, it first
repeats what it had not heard the answer to, and some of what it had.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from uuid import UUID

from actum.journal.errors import Conflict, Refused
from actum.journal.query import Query
from actum.journal.store import Append, Appended, Repeated
from actum.service.running import Running
from actum.testing.assault import SeededIds
from actum.testing.builders import an_append, an_event, command_id
from tests.fault.pots import Fill, Noted, Pour, pots

POTS = ("a", "b", "c")
LONG = 400


@dataclass(frozen=True)
class Task:
    """The `number`-th thing that a writer does."""

    writer: str
    number: int

    @property
    def random(self) -> Random:
        """Always the same for the same task."""
        return Random(f"{self.writer}/{self.number}")

    @property
    def what(self) -> str:
        """Which kind of task it is."""
        return self.random.choice(("fill", "fill", "pour", "pour", "note", "append", "append", "long"))

    @property
    def command(self) -> bytes:
        """The id under which it is done, once."""
        return command_id(f"{self.writer}/{self.number}")


def append_of(task: Task, after: int) -> tuple[Append, ...]:
    """Appends below the application: one conditional on what is hot and one free, or a long one."""
    random = task.random
    ids = SeededIds(Random(f"ids of {task.writer}/{task.number}"))
    name, hot = f"{task.writer}/{task.number}", f"hot:{random.randrange(3)}"
    if task.what == "long":
        events = [an_event("Long", f"of:{name}", hot, ids=ids) for _ in range(LONG)]
        return (an_append(*events, command=name),)
    events = [an_event("Short", f"of:{name}", hot, ids=ids) for _ in range(random.randint(1, 5))]
    free = an_append(an_event("Short", f"of:{name}", ids=ids), command=f"{name}, the free one")
    return an_append(*events, unless=Query.of(types=["Short"], tags=[hot]), after=after, command=name), free


def do(running: Running, task: Task) -> list[object]:
    """Do it; the answer, the same one whenever it is asked again."""
    random = task.random
    pot, other = random.sample(POTS, 2)
    match task.what:
        case "note":
            running.append(Noted(pot=pot, note=f"{task.writer}/{task.number}"))
            return ["noted"]
        case "append" | "long":
            # What may have come in meanwhile makes a condition fail, and then nothing is decided.
            first, *_ = running.store.append(*append_of(task, running.head()))
            return _answer(first)
        case what:
            command = (
                Fill(pot=pot, drops=random.randint(1, 9)) if what == "fill" else Pour(source=pot, target=other, drops=5)
            )
            try:
                decided = running.execute(command, id=UUID(bytes=task.command))
            except Refused as refused:
                return ["refused", refused.position, refused.reason]
            except Conflict:
                return ["collided"]  # Too much happened meanwhile, too often.
            return ["decided", decided.position, [repr(event) for event in decided.events]]


def _answer(outcome: object) -> list[object]:
    match outcome:
        case Appended():
            return ["written", outcome.first, outcome.last]
        case Repeated():
            return ["written", outcome.decision.first, outcome.decision.last]
        case _:
            return ["collided"]


class Log:
    """What one writer knows, in a file that a killed process leaves as it is."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self.tried: list[int] = []
        self.answers: dict[int, list[object]] = {}
        self.complaints: list[str] = []
        for line in path.read_text(encoding="utf-8").splitlines():
            word, number, answer = json.loads(line)
            if word == "tries":
                self.tried.append(number)
            elif word == "has":
                self.answers[number] = answer
            else:
                self.complaints.append(f"task {number}: {answer}")

    @property
    def next(self) -> int:
        """The first task that was never tried."""
        return max(self.tried, default=-1) + 1

    @property
    def unanswered(self) -> list[int]:
        """The tasks whose answers were lost."""
        return [number for number in self.tried if number not in self.answers]

    def write(self, word: str, number: int, answer: object = None) -> None:
        """In one piece: a kill leaves the whole line or nothing of it."""
        os.write(self._file, (json.dumps([word, number, answer]) + "\n").encode())


def sail(say: Connection, journal: Path, log_path: Path, writer: str) -> None:
    """Work until told to stop: first what is unfinished, then on and on."""
    log = Log(log_path)
    with pots.open(journal, actor=writer) as running:
        for task in _again(log, writer):
            _repeat(running, log, task)
        for number in range(log.next, 10**9):
            if say.poll():
                return
            say.send(number)
            log.write("tries", number)
            log.write("has", number, do(running, Task(writer, number)))


def _again(log: Log, writer: str) -> Iterator[Task]:
    """What has no answer yet, and the latest that have one; facts and collisions, which have no id to ask by, are left."""
    known = [number for number, answer in log.answers.items() if answer[0] not in ("noted", "collided")]
    for number in [*known[-3:], *log.unanswered]:
        if Task(writer, number).what != "note":
            yield Task(writer, number)


def _repeat(running: Running, log: Log, task: Task) -> None:
    answer = json.loads(json.dumps(do(running, task)))
    first = log.answers.get(task.number)
    if first is None:
        log.write("has", task.number, answer)
    elif answer != first:
        log.write("complains", task.number, f"the first answer was {first}, now it is {answer}")

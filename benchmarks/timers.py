"""Timers that are all due at the same time: how late the last one fires; and reactions, each on record before it is given."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated

from actum import App, Command, Event, Process, Running, Tag, Timer
from actum.decision.acting import NOBODY
from benchmarks.ground import Ground
from benchmarks.table import Section, at_most, fact, rate

ThingId = Annotated[str, Tag("thing")]

LEAD = timedelta(seconds=6)
"""How long after the timers have begun to be set they are due."""

WAITED = 60.0
"""Seconds after which something is wrong."""


class Begun(Event):
    thing: ThingId
    due: datetime


class Rang(Event):
    thing: ThingId


class Answered(Event):
    thing: ThingId


class Begin(Command):
    thing: ThingId
    due: datetime


class Answer(Command):
    thing: ThingId


clocks = App("clocks")


@clocks.decides
def begin(command: Begin) -> Begun:
    return Begun(thing=command.thing, due=command.due)


@clocks.decides
def answer(command: Answer) -> Answered:
    return Answered(thing=command.thing)


@clocks.process
class Alarm(Process, starts=Begun):
    thing: ThingId

    def evolve(self, event: Begun | Answered) -> None:
        self.ended = isinstance(event, Answered)

    def react(self, event: Begun | Rang) -> Iterator[Command | Timer]:
        if isinstance(event, Begun):
            yield Timer("ring", at=event.due, then=Rang(thing=self.thing))
        else:
            yield Answer(thing=self.thing)


class Figures:
    """What was measured in one round."""

    def __init__(self, path: Path, timers: int, lead: timedelta) -> None:
        with clocks.open(path, actor="bench") as running:
            due = datetime.now(UTC) + lead
            begun = time.perf_counter()
            running.counter.execute_all([(Begin(thing=f"T-{n}", due=due), None, NOBODY) for n in range(timers)])
            running.processes.wait_for(running.head(), timeout=WAITED)
            self.set = timers / (time.perf_counter() - begun)
            self.in_time = datetime.now(UTC) < due
            lateness = sorted((at - due).total_seconds() for at in _rung(running, timers))
        self.median = median(lateness)
        self.last = lateness[-1]
        self.earliest = lateness[0]


def _figures(ground: Ground, number: int, timers: int) -> Figures:
    """A round in which all timers were set before they were due: otherwise it says nothing, and there is another."""
    for doubled in range(5):
        found = Figures(ground.new(f"timers-{number}-{doubled}.actum"), timers, LEAD * 2**doubled)
        if found.in_time:
            return found
    raise TimeoutError(f"{timers} timers cannot be set within {LEAD * 2**4}: the machine is too busy to tell")


def _rung(running: Running, timers: int) -> list[datetime]:
    """When each rang, by the journal's clock."""
    deadline = time.monotonic() + WAITED
    while True:
        found = [event.recorded_at for event in running.events() if event.type == "Rang"]
        if len(found) == timers:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {WAITED:.0f} s, {len(found)} of {timers} timers have fired")
        threading.Event().wait(0.1)


def measure(ground: Ground) -> Section:
    """The section."""
    timers = ground.size(1000, 20)
    rounds = [_figures(ground, number, timers) for number in range(ground.rounds)]
    last = median(one.last for one in rounds)
    note = (
        f"The timers of {timers:,} processes, all due at the same moment; how late each fired is the time on record beside "
        "the time it was due. A timer fires as one commit with what it lets happen."
    )
    lines = [
        at_most(f"{timers:,} timers due at once: the last one fired after", last, 1.0, unit="s"),
        fact("  the one in the middle", f"{median(one.median for one in rounds):.3f} s"),
        fact("  none too early: the first one after", f"{min(one.earliest for one in rounds):.3f} s"),
        fact(
            "processes begun, each with its reaction and its timer on record", rate(median(one.set for one in rounds))
        ),
    ]
    return Section("Timers", lines, [note])

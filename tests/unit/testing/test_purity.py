"""Impure rules are found, by name, with what to do instead; pure ones are left in peace."""

from __future__ import annotations

import datetime as calendar  # noqa: ICN001 - the name must not matter
import itertools
import logging
import os
import posixpath
import random
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import choice as pick
from typing import Annotated, Any

import pytest

from actum.decision.command import Command
from actum.decision.state import State
from actum.journal.clock import SYSTEM_CLOCK
from actum.journal.errors import Misdeclared, Refused
from actum.journal.event import Event, SequencedEvent, Tag
from actum.service.app import App
from actum.testing.purity import check_purity
from actum.testing.scenario import given
from tests.unit.testing.bank import bank

ThingId = Annotated[str, Tag("thing")]
LOG = logging.getLogger(__name__)
RATES = {"CZK": Decimal(1), "EUR": Decimal(25)}
SEEN: list[str] = []
ANSWERS = itertools.count()
count = 0


class Done(Event):
    thing: ThingId
    note: str = ""
    parts: list[str] = []


class Do(Command):
    thing: ThingId
    note: str = ""


class Thing(State):
    id: ThingId
    done: int = 0
    notes: list[str] = []

    def evolve(self, event: Done) -> None:
        self.done += 1
        self.notes = [*self.notes, event.note]


def app_of(rule: Callable[..., object]) -> App:
    app = App("purity")
    app.decides(rule)  # type: ignore[type-var]
    return app


def stamped() -> str:
    return str(time.time())


def reads_the_clock(command: Do, thing: Thing) -> Done:
    return Done(thing=thing.id, note=str(time.time()))


def asks_for_now(command: Do, thing: Thing) -> Done:
    return Done(thing=thing.id, note=datetime.now(UTC).isoformat())


def asks_for_today_by_another_name(command: Do, thing: Thing) -> Done:
    return Done(thing=thing.id, note=str(calendar.date.today()))  # noqa: DTZ011


def makes_an_id(command: Do, thing: Thing) -> Done:
    return Done(thing=thing.id, note=str(uuid.uuid4()))


def throws_dice(command: Do, thing: Thing) -> Done:
    return Done(thing=thing.id, note=str(random.random()))


def picks(command: Do, thing: Thing) -> Done:
    return Done(thing=thing.id, note=pick("ab"))


def imports_inside(command: Do, thing: Thing) -> Done:
    from secrets import token_hex

    return Done(thing=thing.id, note=token_hex(2))


def opens_a_file(command: Do, thing: Thing) -> Done:
    with open("/dev/null") as file:  # noqa: PTH123
        return Done(thing=thing.id, note=file.read())


def reads_a_path(command: Do, thing: Thing) -> Done:
    return Done(thing=thing.id, note=Path("/dev/null").read_text())


def reads_the_environment(command: Do, thing: Thing) -> Done:
    return Done(thing=thing.id, note=os.environ.get("HOME", ""))


def logs(command: Do, thing: Thing) -> Done:
    LOG.info("deciding")
    return Done(thing=thing.id)


def prints(command: Do, thing: Thing) -> Done:
    print("deciding")
    return Done(thing=thing.id)


def hashes(command: Do, thing: Thing) -> Done:
    return Done(thing=thing.id, note=str(hash(command.note)))


def counts_globally(command: Do, thing: Thing) -> Done:
    global count  # noqa: PLW0603
    count += 1
    return Done(thing=thing.id)


def asks_a_friend(command: Do, thing: Thing) -> Done:
    return Done(thing=thing.id, note=stamped())


def asks_in_an_inner_function(command: Do, thing: Thing) -> Iterator[Done]:
    return (Done(thing=thing.id, note=str(time.monotonic())) for _ in range(2))


def asks_in_part(command: Do, thing: Thing) -> Done:
    return Done(thing=thing.id, note=LATER())


def asks_our_own_clock(command: Do, thing: Thing) -> Done:
    return Done(thing=thing.id, note=str(SYSTEM_CLOCK.now()))


LATER = partial(stamped)

IMPURE = [
    (reads_the_clock, "reads_the_clock reaches for time.time: bring the time as a field of the command"),
    (asks_for_now, "reaches for datetime.now: bring the time"),
    (asks_for_today_by_another_name, "reaches for calendar.date.today: bring the time"),
    (makes_an_id, "reaches for uuid.uuid4: draw it outside"),
    (throws_dice, "reaches for random.random: draw it outside"),
    (picks, "reaches for pick: draw it outside"),
    (imports_inside, "token_hex: draw it outside"),
    (opens_a_file, "reaches for open: look outside"),
    (reads_a_path, "reaches for Path: look outside"),
    (reads_the_environment, "reaches for os.environ: look outside"),
    (logs, "reaches for LOG.info: do that outside"),
    (prints, "reaches for print: do that outside"),
    (hashes, "reaches for hash: it is another one in every process"),
    (counts_globally, "reaches for the global count, to change it"),
    (asks_a_friend, "asks_a_friend → stamped reaches for time.time"),
    (asks_in_an_inner_function, "reaches for time.monotonic"),
    (asks_in_part, "asks_in_part → stamped reaches for time.time"),
    (asks_our_own_clock, "reaches for SYSTEM_CLOCK.now"),
]


@pytest.mark.parametrize(("rule", "line"), IMPURE, ids=[rule.__name__ for rule, _ in IMPURE])
def test_a_rule_that_reaches_out_is_found_without_running_it(rule: Callable[..., object], line: str):
    app = app_of(rule)
    with pytest.raises(AssertionError) as found:
        check_purity(app)
    assert line in str(found.value)
    with pytest.raises(AssertionError, match="expected rules that are pure functions"):
        given(app).when(Do(thing="T"))


def test_an_evolve_that_reaches_out_is_found_also_through_a_method():
    class Clocked(State):
        id: ThingId
        at: float = 0.0

        def evolve(self, event: Done) -> None:
            self.at = self._now()

        def _now(self) -> float:
            return time.time()

    app = App("purity")
    app.folds(Clocked)
    with pytest.raises(AssertionError, match=r"Clocked._now reaches for time.time"):
        check_purity(app)


def test_pure_rules_are_left_in_peace():
    def reckons(command: Do, thing: Thing) -> list[Done]:
        due = date(2026, 1, 1) + timedelta(days=thing.done)
        key = uuid.uuid5(uuid.NAMESPACE_URL, command.note)
        when = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
        if command.note not in RATES:
            raise Refused("no such currency", known=sorted(RATES))
        return [Done(thing=thing.id, note=f"{due} {key} {when} {posixpath.join('a', 'b')} {time_of_day(9)}")]

    def time_of_day(hour: int) -> str:
        random = hour * 2
        return f"{random}"

    check_purity(app_of(reckons))
    check_purity(bank)


def run_twice(rule: Callable[..., object]) -> str:
    with pytest.raises(AssertionError) as found:
        given(app_of(rule), Done(thing="T", note="a")).when(Do(thing="T", note="b")).then(Done(thing="T", note="b"))
    return str(found.value)


def test_a_rule_that_changes_its_state_is_found_by_running_it():
    def changes(command: Do, thing: Thing) -> Done:
        thing.notes.append("changed")
        return Done(thing=thing.id, note=command.note)

    with pytest.raises(Misdeclared, match=r"changes@1 changed the Thing that it was given"):
        run_twice(changes)


def test_a_rule_that_remembers_is_found_by_running_it():
    def remembers(command: Do, thing: Thing) -> Done:
        SEEN.append(command.note)
        return Done(thing=thing.id, note=command.note)

    assert "remembers changed the global SEEN" in run_twice(remembers)


def test_a_rule_that_answers_differently_is_found_by_running_it():
    def differs(command: Do, thing: Thing) -> Done:
        return Done(thing=thing.id, note=f"{command.note}{next(ANSWERS)}")

    assert "differs was run twice on the same: first Done(" in run_twice(differs)


class Greedy(State):
    id: ThingId
    parts: list[str] = []

    def evolve(self, event: Done) -> None:
        event.parts.append("mine")


def test_an_evolve_that_changes_the_event_is_found_by_running_it():
    def does(command: Do, thing: Greedy) -> Done:
        return Done(thing=thing.id, note=command.note)

    assert "Greedy.evolve changed the event Done(" in run_twice(does)


def _day() -> str:
    return time.ctime()


def test_a_projection_that_would_write_something_else_when_it_begins_anew_is_found():
    app = App("odd")

    @app.projection
    def log(event: Done, db: Any) -> None:
        db.execute("INSERT INTO log VALUES (?, ?, ?)", (event.note, _day(), uuid.uuid4()))

    @app.projection
    class Listing:
        def handle(self, event: Done, db: Any) -> None:
            db.execute("INSERT INTO listing VALUES (?)", (random.random(),))

    @app.projection
    def steady(event: Done, db: Any, stored: SequencedEvent) -> None:
        LOG.info("a log is no row")
        db.execute("INSERT INTO steady VALUES (?, ?)", (stored.recorded_at, stored.uuid))

    with pytest.raises(AssertionError) as found:
        check_purity(app)
    text = str(found.value)
    assert "log → _day reaches for time.ctime: ask for `stored: SequencedEvent`, and use stored.recorded_at" in text
    assert "log reaches for uuid.uuid4: ask for `stored: SequencedEvent`, and make it from stored.uuid" in text
    assert "Listing.handle reaches for random.random" in text
    assert "steady" not in text

"""A transfer between two banks, killed before and after every step that it makes: the money is where it belongs throughout.

The steps are counted in a run that nobody kills: each write to either journal and each checkpoint, before and after it. Then
it is run once for each of them, killed right there, and begun again by a new worker that knows nothing but what was kept. In
memory that is each step of each story; on disk, where it takes longer, `make test` takes every few of them, `make soak` each.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from actum import Durability, Running
from actum.journal.clock import SYSTEM_IDS
from actum.process.effect import Attempt
from actum.process.record import Reacted
from actum.service.opening import MEMORY, open_read_database, open_store
from actum.testing.postgres import with_journal
from tests.fault.fuses import Fuse, Fused, Killed
from tests.fault.transfers import (
    Ask,
    Deposit,
    Purse,
    Released,
    Settled,
    Transfer,
    Voided,
    receiving_bank,
    sending_bank,
)
from tests.servers import VERSIONS, fresh_database

HOUR = 3_600_000_000


class Ticking:
    """A clock that both banks share, and that goes on with each look: so all events of both have one order in time."""

    def __init__(self) -> None:
        self.moment = 1_772_000_000_000_000

    def now(self) -> int:
        self.moment += 1
        return self.moment


Address: TypeAlias = Callable[[str], Path | str]
"""Where the journal of a bank is."""


class World:
    """Both banks: what lasts, and what is at work."""

    def __init__(self, address: Address, fuse: Fuse, reachable: Callable[[Attempt], bool]) -> None:
        self.fuse = fuse
        self.clock = Ticking()
        self._address = address
        self._databases: list[Any] = []
        self._kept = {name: self._open(name) for name in ("north", "south")}
        self._north_app = sending_bank(lambda: self.south, reachable=reachable)
        self._south_app = receiving_bank()

    def _open(self, name: str) -> Any:
        weak = Durability.LOSES_LAST_COMMITS_WITH_POWER
        return open_store(self._address(name), clock=self.clock, durability=weak)

    def start(self) -> None:
        """New programs over what was kept. The read database in memory dies with each of them."""
        self.fuse.revive()
        self._let_go()
        if self._address("north") != MEMORY:
            for store in self._kept.values():
                store.close()
            self._kept = {name: self._open(name) for name in self._kept}
        self.south = self._running(self._south_app, "south")
        self.north = self._running(self._north_app, "north")

    def _running(self, app: Any, name: str) -> Running:
        store = self._kept[name]
        database = open_read_database(None, journal=self._address(name), origin=store.origin)
        self._databases.append(database)
        return Running(
            app,
            Fused(store, self.fuse),
            ids=SYSTEM_IDS,
            actor=name,
            states_kept=1000,
            database=Fused(database, self.fuse),  # type: ignore[arg-type]
            follow=False,
        )

    def live(self, work: Callable[[], object]) -> None:
        """Do it; where that is killed, begin again."""
        while True:
            try:
                work()
            except Killed:
                while True:
                    try:
                        self.start()
                    except Killed:
                        continue
                    break
            else:
                return

    def react(self) -> None:
        """Whoever is at work just now does what there is to do."""
        self.north.processes.catch_up()

    def _let_go(self) -> None:
        """What a dead program held goes with it."""
        while self._databases:
            self._databases.pop().close()

    def close(self) -> None:
        self._let_go()
        for store in self._kept.values():
            store.close()

    def merged(self) -> list[tuple[str, Any]]:
        """All events of both banks, in the order in which they were recorded."""
        codecs = {"north": self._north_app.codec, "south": self._south_app.codec}
        events = [(stored.recorded, name, stored) for name, store in self._kept.items() for stored in store.read()]
        events.sort(key=lambda one: (one[0], one[1], one[2].position))
        return [(name, event) for _, name, stored in events for event in codecs[name].decode(stored)]


def play(world: World, target: str) -> None:
    """The whole story: whoever gives commands repeats them until they are answered, as one does."""
    world.live(lambda: world.south.execute(Deposit(account="S", amount=Decimal(5)), id="deposit S"))
    world.live(lambda: world.north.execute(Deposit(account="N", amount=Decimal(100)), id="deposit N"))
    asked = Ask(transfer="T", source="N", target=target, amount=Decimal(30))
    world.live(lambda: world.north.execute(asked, id="ask T"))
    for _ in range(60):
        world.live(world.react)
        if world.north.state(Transfer, "T").ended:
            break
        world.clock.moment += HOUR
    world.live(world.react)


def check(world: World, outcome: type) -> None:
    """At every moment, after every event of either journal, the money is where it belongs; and the story came to its end."""
    purse = Purse()
    for number, (bank, event) in enumerate(world.merged()):
        purse.take(bank, event)
        assert purse.wrong() == [], (number, bank, event)
    events = [event for _, event in world.merged()]
    assert [type(event) for event in events if isinstance(event, Settled | Released)] == [outcome]
    assert world.north.state(Transfer, "T").ended
    reactions = [(event.to, event.instance) for event in events if isinstance(event, Reacted)]
    assert len(reactions) == len(set(reactions)), "no event was reacted to twice"
    assert len([event for event in events if isinstance(event, Voided)]) <= 1
    assert all(row.due is None for row in world.north.processes.timers()), "no timer is left"
    assert {row.status for row in world.north.processes.effects()} <= {"done", "unknown"}


STORIES: dict[str, tuple[str, Callable[[Attempt], bool], type]] = {
    "it arrives": ("S", lambda attempt: True, Settled),
    "it is turned down": ("nobody", lambda attempt: True, Released),
    "it times out after it was credited": ("S", lambda attempt: False, Released),
    "the first answer is lost": ("S", lambda attempt: attempt.number > 1, Settled),
}


def killed_at_every_step(story: str, addresses: Callable[[str], Address], *, first: int = 1, stride: int = 1) -> None:
    """Each run with journals of its own: one that nobody kills, then one for each step, or for every so many of them."""
    target, reachable, outcome = STORIES[story]
    alive = World(addresses("alive"), Fuse(), reachable)
    alive.start()
    play(alive, target)
    check(alive, outcome)
    steps = alive.fuse.steps
    alive.close()
    assert steps > 50
    struck = range(first, steps + 1, stride)
    for at in struck:
        killed = World(addresses(f"killed_{at}"), Fuse(at), reachable)
        killed.live(killed.start)
        play(killed, target)
        assert killed.fuse.landed, f"step {at} was not reached"
        check(killed, outcome)
        killed.close()
    print(f"{story}: killed at {len(struck)} of {steps} steps")


@pytest.mark.parametrize("story", STORIES)
def test_money_is_conserved_however_a_transfer_between_two_banks_is_killed(story: str):
    killed_at_every_step(story, lambda run: lambda name: MEMORY)


@pytest.mark.parametrize("story", STORIES)
def test_money_is_conserved_however_it_is_killed_on_sqlite(story: str, tmp_path: Path, seed: int):
    on_sqlite(story, tmp_path, first=1 + seed % 4, stride=4)


@pytest.mark.parametrize("story", STORIES)
def test_money_is_conserved_however_it_is_killed_on_postgresql(story: str, seed: int):
    on_postgresql(story, first=1 + seed % 20, stride=20)


@pytest.mark.soak
@pytest.mark.parametrize("story", STORIES)
def test_money_is_conserved_at_each_step_on_sqlite_and_on_postgresql(story: str, tmp_path: Path):
    on_sqlite(story, tmp_path)
    on_postgresql(story)


def on_sqlite(story: str, folder: Path, *, first: int = 1, stride: int = 1) -> None:
    killed_at_every_step(story, lambda run: lambda name: folder / f"{run}-{name}.db", first=first, stride=stride)


def on_postgresql(story: str, *, first: int = 1, stride: int = 1) -> None:
    with fresh_database(VERSIONS[-1]) as database:
        killed_at_every_step(
            story, lambda run: lambda name: with_journal(database, f"{run}_{name}"), first=first, stride=stride
        )

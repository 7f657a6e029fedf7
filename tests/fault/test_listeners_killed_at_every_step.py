"""A context that hears another, killed before and after every step that it makes: each event is heard once, in order.

The steps are counted in a run that nobody kills: each write to its journal and each checkpoint, before and after it. Then it
is run once for each of them, killed right there, and begun again by a new listener that knows nothing but what was kept.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from actum import Durability, Running
from actum.journal.clock import SYSTEM_IDS
from actum.messaging.source import Beside
from actum.service.opening import MEMORY, open_read_database, open_store
from actum.testing.postgres import with_journal
from tests.fault.fuses import Fuse, Fused, Killed
from tests.servers import VERSIONS, fresh_database
from tests.unit.messaging.neighbours import Move, Noted, Wealth, a_bank, an_office, deposit


class Office:
    """The listening side: what lasts, and what is at work. In memory, the read database dies with each program."""

    def __init__(self, address: str | Path, source: Beside, fuse: Fuse) -> None:
        self._address = address
        self._source = source
        self._fuse = fuse
        self._store: Any = None
        self._database: Any = None
        self.app = an_office(a_bank())
        self._start()

    def _start(self) -> None:
        self._fuse.revive()
        if self._database is not None:
            self._database.close()
        if self._store is None or self._address != MEMORY:
            self._close_store()
            weak = Durability.LOSES_LAST_COMMITS_WITH_POWER
            self._store = open_store(self._address, durability=weak)
        self._database = open_read_database(None, journal=self._address, origin=self._store.origin)
        self.running = Running(
            self.app,
            Fused(self._store, self._fuse),
            ids=SYSTEM_IDS,
            actor="office",
            states_kept=1000,
            database=Fused(self._database, self._fuse),  # type: ignore[arg-type]
            follow=False,
        )

    def hear_all(self) -> None:
        """Hear everything there is; where that is killed, begin again."""
        while True:
            try:
                self.running.listen({"bank": self._source}).catch_up()
                self.running.catch_up()
            except Killed:
                self._start()
            else:
                return

    def noted(self) -> list[tuple[str, Decimal]]:
        events = [one.event for one in self.running.events()]
        return [(event.customer, event.amount) for event in events if isinstance(event, Noted)]

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()

    def close(self) -> None:
        self._database.close()
        self._close_store()


ROUNDS = ([("C", 1), ("D", 2), ("C", 3), ("E", 13)], [("D", 4), ("C", 5)], [("C", 6)])
"""What is paid in between two times of hearing; one of it is refused."""


def told_and_heard(address: str | Path, fuse: Fuse) -> None:
    """All of it, and what must then be so."""
    with a_bank().open(MEMORY, actor="teller-7") as bank:
        office = Office(address, Beside(bank.store), fuse)
        for paid in ROUNDS:
            for owner, amount in paid:
                bank.execute(deposit(owner, amount))
            bank.execute(Move(giver="C", taker="D", amount=Decimal("0.25")))
            office.hear_all()
        check(office, bank)
        office.close()


def check(office: Office, bank: Running) -> None:
    """Each event heard once, those of one customer in order; and the rows are what the events come to."""
    noted = office.noted()
    assert [amount for owner, amount in noted if owner == "C"] == [
        1,
        3,
        Decimal("-.25"),
        5,
        Decimal("-.25"),
        6,
        Decimal("-.25"),
    ]
    assert [amount for owner, amount in noted if owner == "D"] == [2, Decimal(".25"), 4, Decimal(".25"), Decimal(".25")]
    causes = [one.metadata.causation_id for one in office.running.events()]
    there = {one.id for one in bank.events()}
    assert set(causes) == there
    assert [one.type for one in office.running.events()].count("actum.refused") == 1
    rows = {row.customer: row.total for row in office.running.view(Wealth).order("customer")}
    assert rows == {"C": Decimal("14.25"), "D": Decimal("6.75")}


def killed_at_every_step(address: Callable[[str], str | Path]) -> None:
    """Each run with a journal of its own: one that nobody kills, then one for each step."""
    alive = Fuse()
    told_and_heard(address("alive"), alive)
    assert alive.steps > 20
    for at in range(1, alive.steps + 1):
        fuse = Fuse(at)
        told_and_heard(address(f"killed_{at}"), fuse)
        assert fuse.landed, f"step {at} was not reached"
    print(f"killed at each of {alive.steps} steps")


def test_each_event_is_heard_once_however_the_listener_is_killed_and_its_read_database_lost():
    killed_at_every_step(lambda run: MEMORY)


def test_each_event_is_heard_once_however_the_listener_is_killed_on_sqlite(tmp_path: Path):
    killed_at_every_step(lambda run: tmp_path / f"{run}.db")


def test_each_event_is_heard_once_however_the_listener_is_killed_on_postgresql():
    with fresh_database(VERSIONS[-1]) as database:
        killed_at_every_step(lambda run: with_journal(database, run))

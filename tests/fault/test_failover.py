"""The primary dies and its standby takes over, under writers: what was acknowledged is there, once, and nothing is out of order.

Where the standby was synchronous, nothing can be missing. Where it was not, it may lack the newest events, whose positions
would be given out again: whoever knows of them refuses to go on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import psycopg
import pytest

from actum import Running
from actum.journal.errors import ActumError, Corrupted, OutcomeUnknown
from actum.journal.query import Query
from actum.testing.postgres import PostgresServer, Stop, postgres_server, standby_of, with_journal
from tests.unit.cli.bank import Deposit, Deposited, Open, bank

WRITERS = 6
BEFORE, AFTER = 20, 20
"""How many commands each writer has acknowledged before the primary is killed, and in all after that."""


def either(primary: PostgresServer, standby: PostgresServer) -> str:
    """The address of whichever of the two can be written."""
    database = primary.url.rpartition("/")[2].partition("?")[0]
    hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    user = primary.url.partition("//")[2].partition("@")[0]
    return with_journal(f"postgresql://{user}@{hosts}/{database}?target_session_attrs=read-write", "bank")


@contextmanager
def a_pair(*, synchronous: bool) -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """A primary and its standby."""
    with postgres_server(tcp=True) as primary, standby_of(primary) as standby:
        if synchronous:
            with psycopg.connect(primary.url, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
                connection.execute("SELECT pg_reload_conf()")
        yield primary, standby


def promote(standby: PostgresServer) -> None:
    with psycopg.connect(standby.url, autocommit=True) as connection:
        assert connection.execute("SELECT pg_promote(true, 60)").fetchone() == (True,)


class Writer(threading.Thread):
    """Repeats each command until it is answered, whatever happens meanwhile."""

    def __init__(self, running: Running, number: int) -> None:
        super().__init__(name=f"writer {number}")
        self._running = running
        self._number = number
        self.acknowledged: dict[str, int] = {}
        self.troubles: list[str] = []
        self.half = threading.Event()

    def run(self) -> None:
        for count in range(BEFORE + AFTER):
            id = f"{self._number}/{count}"
            self.acknowledged[id] = self._until_answered(id)
            if count == BEFORE:
                self.half.set()

    def _until_answered(self, id: str) -> int:
        while True:
            try:
                return self._running.execute(Deposit(account="A-1", amount=Decimal(1)), id=id).position
            except ActumError as wrong:
                self.troubles.append(f"{type(wrong).__name__}: {wrong}")


def test_a_failover_to_a_synchronous_standby_loses_doubles_and_disorders_nothing():
    with a_pair(synchronous=True) as (primary, standby), bank.open(either(primary, standby), actor="ada") as running:
        running.execute(Open(account="A-1", owner="Ada"), id="open")
        writers = [Writer(running, number) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        for writer in writers:
            assert writer.half.wait(60)
        primary.kill()
        promote(standby)
        for writer in writers:
            writer.join(120)
            assert len(writer.acknowledged) == BEFORE + AFTER, writer.troubles[-3:]
        events = list(running.events(Query.of(types=["Deposited"])))
        assert [event.position for event in running.events()] == list(range(1, running.head() + 1))
        acknowledged = {id: at for writer in writers for id, at in writer.acknowledged.items()}
        assert sorted(acknowledged.values()) == [event.position for event in events]
        assert len(events) == WRITERS * (BEFORE + AFTER)
        again = running.execute(Deposit(account="A-1", amount=Decimal(1)), id="0/0")
        assert again.position == acknowledged["0/0"]
        with bank.open(with_journal(standby.url, "bank"), actor="auditor") as found:
            assert [event.position for event in found.events()] == [event.position for event in running.events()]


def test_whoever_knows_of_events_that_a_standby_never_got_does_not_write_over_them():
    with a_pair(synchronous=False) as (primary, standby), bank.open(either(primary, standby), actor="ada") as running:
        at = running.execute(Open(account="A-1", owner="Ada")).position
        with bank.open(with_journal(standby.url, "bank"), actor="reader", follow=False) as reader:
            next(event for event in reader.follow() if event.position == at)
        standby.stop(Stop.FAST)
        lost = running.execute(Deposit(account="A-1", amount=Decimal(7))).position
        primary.kill()
        standby.start()
        promote(standby)
        missing = r"was there before and is not there now: .* a standby took over"
        with pytest.raises(OutcomeUnknown, match=missing):
            running.execute(Deposit(account="A-1", amount=Decimal(8)), id="on its way")
        for _ in range(2):
            with pytest.raises(Corrupted, match=missing):
                running.execute(Deposit(account="A-1", amount=Decimal(8)), id="on its way")
        with bank.open(either(primary, standby), actor="ada") as anew:
            assert anew.head() == lost - 1
            answer = anew.execute(Deposit(account="A-1", amount=Decimal(9)))
            assert answer.events == (Deposited(account="A-1", amount=Decimal(9)),)
            assert answer.position == lost

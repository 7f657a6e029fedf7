"""Events and somebody's own tables in one transaction: there together, or not at all, whoever breaks what."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from actum import Running
from actum.audit.verify import verify
from actum.journal.errors import Busy, Invalid, Refused, Unavailable
from actum.stores.postgres.address import address_of
from actum.testing.postgres import with_journal
from tests.unit.cli.bank import Deposit, Deposited, Open, bank

Theirs = psycopg.Connection[Any]


@pytest.fixture
def url(each_postgres: str) -> str:
    return with_journal(each_postgres, f"t{uuid.uuid4().hex[:12]}")


@pytest.fixture
def running(url: str) -> Iterator[Running]:
    with bank.open(url, actor="teller-7", follow=False, timeout=2) as opened:
        opened.execute(Open(account="A-1", owner="Léa"))
        yield opened


@pytest.fixture
def theirs(url: str) -> Iterator[Theirs]:
    """A connection of theirs, to the database where their tables are."""
    with psycopg.connect(address_of(url).conninfo) as connection:
        connection.execute("CREATE TEMPORARY TABLE customers (account text, balance numeric)")
        connection.commit()
        yield connection


def rows(connection: Theirs) -> int:
    return len(connection.execute("SELECT * FROM customers").fetchall())


def deposit(connection: Theirs, running: Running, amount: int) -> None:
    connection.execute("INSERT INTO customers VALUES ('A-1', %s)", (amount,))
    running.within(connection).execute(Deposit(account="A-1", amount=Decimal(amount)))


def test_both_are_there_once_it_is_committed_and_neither_before(running: Running, theirs: Theirs):
    deposit(theirs, running, 5)
    assert running.head() == 1
    theirs.commit()
    assert (running.head(), rows(theirs)) == (2, 1)
    running.execute(Deposit(account="A-1", amount=Decimal(1)))
    assert running.head() == 3
    assert verify(running.store, decisions=True).sound


def test_what_is_rolled_back_never_was(running: Running, theirs: Theirs):
    deposit(theirs, running, 5)
    theirs.rollback()
    assert (running.head(), rows(theirs)) == (1, 0)
    assert running.execute(Deposit(account="A-1", amount=Decimal(1))).position == 2


def test_commands_of_one_transaction_see_what_the_ones_before_them_led_to(running: Running, theirs: Theirs):
    inside = running.within(theirs)
    inside.execute(Open(account="A-2", owner="Bob"))
    inside.execute(Deposit(account="A-2", amount=Decimal(2)))
    inside.append(Deposited(account="A-2", amount=Decimal(3)))
    with pytest.raises(Refused):
        inside.execute(Deposit(account="A-9", amount=Decimal(1)))
    theirs.commit()
    assert [event.type for event in running.store.read()] == [
        "Opened", "Opened", "Deposited", "Deposited", "actum.refused",
    ]  # fmt: skip
    assert verify(running.store, decisions=True).sound


def test_a_command_that_was_decided_before_is_answered_as_it_was(running: Running, theirs: Theirs):
    first = running.execute(Deposit(account="A-1", amount=Decimal(1)), id="slip 1")
    again = running.within(theirs).execute(Deposit(account="A-1", amount=Decimal(1)), id="slip 1")
    theirs.commit()
    assert (again.repeated, again.position, running.head()) == (True, first.position, 2)


def test_nobody_comes_in_between_and_who_waits_too_long_is_told(running: Running, theirs: Theirs):
    deposit(theirs, running, 5)
    with pytest.raises(Busy):
        running.execute(Deposit(account="A-1", amount=Decimal(1)))
    waited = threading.Thread(target=lambda: running.execute(Deposit(account="A-1", amount=Decimal(2))))
    waited.start()
    theirs.commit()
    waited.join()
    events = [event.position for event in running.store.read()]
    assert events == [1, 2, 3]
    assert verify(running.store, decisions=True).sound


def test_a_connection_that_breaks_takes_both_with_it(running: Running, theirs: Theirs, url: str):
    deposit(theirs, running, 5)
    row = theirs.execute("SELECT pg_backend_pid()").fetchone()
    assert row
    with psycopg.connect(address_of(url).conninfo, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", row)
    with pytest.raises((Unavailable, psycopg.OperationalError)):
        deposit(theirs, running, 6)
    assert running.execute(Deposit(account="A-1", amount=Decimal(1))).position == 2


def test_a_transaction_that_reads_the_past_or_is_none_is_turned_down(running: Running, theirs: Theirs):
    theirs.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with pytest.raises(Invalid, match="read committed"):
        running.within(theirs)
    theirs.rollback()
    theirs.isolation_level = None
    theirs.autocommit = True
    with pytest.raises(Invalid, match="commits by itself"):
        running.within(theirs)
    with pytest.raises(Invalid, match="psycopg"):
        running.within(object())
    with bank.open("memory:") as elsewhere, pytest.raises(Invalid, match="only a journal in PostgreSQL"):
        elsewhere.within(theirs)


def test_followers_hear_of_it_once_it_is_committed(running: Running, theirs: Theirs):
    heard = threading.Event()
    stop = running.store.watch(lambda position: heard.set() if position >= 2 else None)
    deposit(theirs, running, 5)
    assert not heard.wait(0.1)
    theirs.commit()
    assert heard.wait(10)
    stop()

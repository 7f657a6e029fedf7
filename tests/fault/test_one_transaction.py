"""Events and somebody's own tables in one transaction: there together, or not at all, whoever breaks what."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from actum import App, Running, View
from actum.audit.verify import verify
from actum.journal.errors import Busy, Invalid, Refused, Unavailable
from actum.stores.postgres.address import address_of
from actum.testing.postgres import with_journal
from tests.unit.cli.bank import AccountId, Deposit, Deposited, Open, Opened, bank

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


def test_after_a_savepoint_was_rolled_back_one_is_told_to_look_anew(running: Running, theirs: Theirs):
    inside = running.within(theirs)
    inside.execute(Deposit(account="A-1", amount=Decimal(1)))
    with theirs.transaction(force_rollback=True):
        inside.execute(Deposit(account="A-1", amount=Decimal(2)))
    with pytest.raises(Invalid, match=r"position 3 .* was rolled back, with a savepoint: say running\.within"):
        inside.execute(Deposit(account="A-1", amount=Decimal(4)))
    running.within(theirs).execute(Deposit(account="A-1", amount=Decimal(8)))
    theirs.commit()
    assert [event.event.amount for event in running.events(after=1)] == [1, 8]  # type: ignore[attr-defined]
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


# Views in the same transaction.


def _everywhere() -> App:
    """A bank with a view, and a table of its own that a projection writes."""
    app = App("bank")

    @app.view
    class Balance(View):
        account: AccountId
        balance: Decimal = Decimal(0)

        def evolve(self, event: Opened | Deposited) -> None:
            if isinstance(event, Deposited):
                self.balance += event.amount

    @app.projection(begin=_make)
    def moves(event: Deposited, db: Any) -> None:
        db.execute("INSERT INTO moves VALUES (%s, %s)", (event.account, event.amount))
        if event.amount == 13:
            raise ValueError("bad luck")

    return app


def _make(db: Any) -> None:
    db.execute("DROP TABLE IF EXISTS moves")
    db.execute("CREATE TABLE moves (account text, amount numeric)")


def _seen(url: str) -> tuple[int, list[Any], list[Any]]:
    """What somebody else sees: events, rows of the view, rows of the projection."""
    views = address_of(url).views
    with psycopg.connect(views.conninfo) as connection:
        connection.execute(f"SET search_path TO {views.schema}, {address_of(url).schema}".encode())
        found = [
            connection.execute(question).fetchall()  # type: ignore[arg-type]
            for question in (
                "SELECT count(*) FROM events",
                "SELECT account, balance FROM balance",
                "SELECT * FROM moves",
            )
        ]
    return found[0][0][0], found[1], found[2]


@pytest.mark.parametrize("follow", [False, True])
def test_views_and_projections_are_there_from_the_moment_at_which_the_events_are(url: str, *, follow: bool):
    with _everywhere().open(url, actor="teller-7", follow=follow) as running:
        running.append(Opened(account="A-1", owner="Léa"))
        running.catch_up()
        with psycopg.connect(address_of(url).conninfo) as theirs:
            for amount in (5, 6):
                inside = running.within(theirs)
                done = inside.append(Deposited(account="A-1", amount=Decimal(amount)))
                assert inside.project() == done.position
            assert theirs.execute("SHOW search_path").fetchall() == [('"$user", public',)]
            assert _seen(url) == (1, [("A-1", 0)], [])
            theirs.commit()
            assert _seen(url) == (3, [("A-1", 11)], [("A-1", 5), ("A-1", 6)])
            running.within(theirs).append(Deposited(account="A-1", amount=Decimal(7)))
            running.within(theirs).project()
            theirs.rollback()
            assert _seen(url) == (3, [("A-1", 11)], [("A-1", 5), ("A-1", 6)])
        done = running.append(Deposited(account="A-1", amount=Decimal(8)))
        running.wait_for(done.position)
        assert _seen(url) == (4, [("A-1", 19)], [("A-1", 5), ("A-1", 6), ("A-1", 8)])


def test_what_cannot_be_projected_within_is_said_and_nothing_of_it_is_there(url: str, tmp_path: Path):
    with _everywhere().open(url, actor="teller-7", follow=False) as running:
        running.append(Opened(account="A-1", owner="Léa"))
        running.catch_up()
        with psycopg.connect(address_of(url).conninfo) as theirs:
            running.within(theirs).append(Deposited(account="A-1", amount=Decimal(13)))
            with pytest.raises(Unavailable, match="bad luck"):
                running.within(theirs).project()
            theirs.rollback()
        assert _seen(url) == (1, [("A-1", 0)], [])
        with running.work(1), psycopg.connect(address_of(url).conninfo) as theirs:
            running.within(theirs).append(Deposited(account="A-1", amount=Decimal(5)))
            with pytest.raises(Busy, match="workers keep them up, in transactions of their own"):
                running.within(theirs).project()
            theirs.rollback()
    elsewhere = _everywhere().open(url, actor="teller-7", follow=False, read_database=tmp_path / "views.db")
    with elsewhere as running, psycopg.connect(address_of(url).conninfo) as theirs:
        inside = running.within(theirs)
        with pytest.raises(Invalid, match="a file of its own: no transaction holds both"):
            inside.project()

"""A connection that breaks in the middle of a commit: what became of it is found out, and told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from actum.journal.errors import OutcomeUnknown, Unavailable
from actum.journal.query import Query
from actum.journal.store import Append, Appended, Collided, Repeated
from actum.stores.postgres.database import PostgresStore
from actum.stores.postgres.schema import lock_of
from actum.testing.builders import an_append, an_event, fill, positions
from actum.testing.postgres import PostgresServer, postgres_server, with_journal
from tests.fault.cutting import Wire, wire_to

FOO = Query.of(tags=["foo:1"])
MARK = b"unmistakable"
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%.append(%'"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server(durable=True) as running:
        yield running


@pytest.fixture
def journal(tmp_path: Path) -> str:
    return f"j{abs(hash(tmp_path))}"


@pytest.fixture
def cut(server: PostgresServer, journal: str) -> Iterator[tuple[Wire, PostgresStore]]:
    """A journal at the far end of a wire that can be cut."""
    with wire_to(server.folder, mark=MARK) as (wire, host):
        url = f"postgresql://{server.url.split('//')[1].split('/')[0]}/actum?host={host}"
        store = PostgresStore(with_journal(url, journal))
        yield wire, store
        store.close()


def marked(*, command: str | None = None, unless: Query | None = None) -> Append:
    return an_append(an_event("A", "foo:1", data=MARK), an_event("B", data=MARK), command=command, unless=unless)


@pytest.mark.parametrize("command", [None, "c"])
@pytest.mark.parametrize("unless", [None, FOO])
def test_a_commit_whose_answer_was_lost_is_found_and_not_made_twice(
    cut: tuple[Wire, PostgresStore], command: str | None, unless: Query | None
):
    wire, store = cut
    fill(store, 3)
    wire.cut_answers = 3
    (outcome,) = store.append(marked(command=command, unless=unless))
    assert wire.swallowed == 3
    assert isinstance(outcome, Appended)
    assert (outcome.first, outcome.last) == (4, 5)
    assert [event.type for event in store.read(after=3)] == ["A", "B"]
    assert fill(store, 1) == 6


def test_a_request_that_never_arrived_is_sent_again(cut: tuple[Wire, PostgresStore]):
    wire, store = cut
    fill(store, 3)
    wire.cut_requests = 2
    (outcome,) = store.append(marked(unless=FOO))
    assert wire.swallowed == 2
    assert isinstance(outcome, Appended)
    assert positions(store.read(FOO)) == [4]


def test_a_batch_that_was_lost_and_then_overtaken_is_judged_anew(
    server: PostgresServer, cut: tuple[Wire, PostgresStore], journal: str
):
    wire, store = cut
    fill(store, 3)
    other = PostgresStore(with_journal(server.url, journal))
    fill(other, 1, "foo:1")
    wire.cut_requests = 1
    colliding, passing = store.append(marked(unless=FOO), marked())
    assert wire.swallowed == 1
    assert colliding == Collided(position=4, type="Happened", tags=("foo:1",), after=0)
    assert isinstance(passing, Appended)
    assert (passing.first, passing.last, other.head()) == (5, 6, 6)
    other.close()


def test_after_a_lost_answer_the_events_of_others_behind_ours_are_known(
    server: PostgresServer, cut: tuple[Wire, PostgresStore], journal: str
):
    wire, store = cut
    other = PostgresStore(with_journal(server.url, journal))
    fill(store, 3)
    wire.cut_answers = 1
    (outcome,) = store.append(marked())
    assert isinstance(outcome, Appended)
    fill(other, 2, "foo:1")
    (failed,) = store.append(an_append(unless=FOO, after=5))
    assert isinstance(failed, Collided)
    assert failed.position == 7
    other.close()


def test_where_the_server_stays_away_the_outcome_is_unknown_and_the_commands_retry_tells(journal: str):
    with postgres_server(durable=True) as server, ThreadPoolExecutor(1) as pool:
        store = PostgresStore(with_journal(server.url, journal), timeout=2)
        fill(store, 1)
        append = marked(command="c", unless=FOO)
        with closing(psycopg.connect(server.url)) as foreign:
            foreign.execute("SELECT pg_advisory_xact_lock(%s)", (lock_of(journal),))
            future = pool.submit(store.append, append)
            wait_for_a_waiter(server)
            server.kill()
            with pytest.raises(OutcomeUnknown, match="same command id"):
                future.result(30)
        with pytest.raises(Unavailable):
            store.append(marked(command="d"))
        server.start()
        (outcome,) = store.append(append)
        assert isinstance(outcome, Appended)
        (again,) = store.append(append)
        assert isinstance(again, Repeated)
        assert positions(store.read(FOO)) == [2]
        store.close()


def wait_for_a_waiter(server: PostgresServer) -> None:
    patience = threading.Event()
    with psycopg.connect(server.url, autocommit=True) as connection:
        for _ in range(3000):
            row = connection.execute(_WAITING).fetchone()
            if row and row[0]:
                return
            patience.wait(0.01)
    raise AssertionError("expected a writer to wait for the lock")

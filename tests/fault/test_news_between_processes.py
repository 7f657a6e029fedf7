"""How news of an event come from one process to another through the server, and what happens where they cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

from actum.journal.bell import Bell
from actum.journal.query import Query
from actum.stores.postgres.database import PostgresStore
from actum.stores.postgres.postman import LONGEST_LOOK
from actum.testing import workers
from actum.testing.builders import fill, positions
from actum.testing.contract.parallel import check_commands, check_consistency, seeds_from
from actum.testing.crews import in_processes
from actum.testing.postgres import PostgresServer, postgres_server, with_journal

PATIENCE = 30.0
BOUNCERS = [path for path in [shutil.which("pgbouncer", path=f"{os.environ.get('PATH')}:/usr/sbin")] if path]
if not BOUNCERS and os.environ.get("CI") == "true":
    raise AssertionError("expected pgbouncer, found none; on Debian: apt-get install pgbouncer")

_LISTENERS = """
SELECT pid FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND application_name = 'actum' AND datname = current_database()
"""
"""Every connection of a journal's; those that listen are among them."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@contextmanager
def both(writes: str, hears: str) -> Iterator[tuple[PostgresStore, PostgresStore, Bell]]:
    """A store that writes, another that hears of it, and the bell that it rings."""
    with closing(PostgresStore(writes)) as writer, closing(PostgresStore(hears)) as hearer:
        bell = Bell()
        hearer.watch(bell.ring)
        fill(writer, 1)
        assert bell.wait(1, timeout=PATIENCE)
        yield writer, hearer, bell


def seconds_until_heard(writer: PostgresStore, bell: Bell) -> float:
    expected = fill(writer, 1)
    begun = time.monotonic()
    assert bell.wait(expected, timeout=PATIENCE)
    return time.monotonic() - begun


def test_another_process_is_told_rather_than_left_to_look(server: PostgresServer):
    url = with_journal(server.url, "told")
    with both(url, url) as (writer, _, bell):
        for _ in range(3):  # Long enough for whoever is not told to look less and less often.
            threading.Event().wait(LONGEST_LOOK / 2)
        assert min(seconds_until_heard(writer, bell) for _ in range(5)) < LONGEST_LOOK / 10


def test_where_the_one_that_listens_is_cut_off_nothing_is_missed_and_it_listens_again(server: PostgresServer):
    url = with_journal(server.url, "cut_off")
    with both(url, url) as (writer, _, bell), psycopg.connect(server.url, autocommit=True) as connection:
        for _ in range(5):
            ended = [
                connection.execute("SELECT pg_terminate_backend(%s)", (pid,)).fetchone()
                for (pid,) in connection.execute(_LISTENERS).fetchall()
            ]
            assert (True,) in ended, "expected connections to cut"
            expected = fill(writer, 3)
            assert bell.wait(expected, timeout=PATIENCE)
            seconds_until_heard(writer, bell)


def test_a_program_that_is_over_at_once_still_tells_of_what_it_wrote(server: PostgresServer):
    url = with_journal(server.url, "brief")
    with both(url, url) as (_, _, bell):
        for _ in range(3):
            with closing(PostgresStore(url)) as brief:
                expected = fill(brief, 1)
            assert bell.wait(expected, timeout=PATIENCE)


@contextmanager
def bouncer_before(server: PostgresServer, program: str) -> Iterator[str]:
    """A pooler in transaction mode with two connections to the server: the address of the database behind it."""
    with tempfile.TemporaryDirectory(prefix="actum-pooler-") as name:
        folder = Path(name)
        owner = (server.folder / "data").stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
        settings = {
            "unix_socket_dir": folder, "listen_port": 5432, "auth_type": "any", "pool_mode": "transaction",
            "default_pool_size": 2, "max_client_conn": 200, "logfile": folder / "log", "pidfile": folder / "pid",
        }  # fmt: skip
        lines = [f"[databases]\nactum = host={server.folder} user=actum\n[pgbouncer]"]
        lines += [f"{setting} = {value}" for setting, value in settings.items()]
        (folder / "ini").write_text("\n".join(lines) + "\n", encoding="utf-8")
        with subprocess.Popen([program, folder / "ini"], user=owner.st_uid, group=owner.st_gid) as running:
            try:
                deadline = time.monotonic() + PATIENCE
                while not (folder / ".s.PGSQL.5432").exists():
                    assert time.monotonic() < deadline, "expected the pooler to start"
                yield f"postgresql://actum@/actum?host={folder}"
            finally:
                running.kill()


@pytest.fixture(scope="module", params=BOUNCERS)
def pooled(request: pytest.FixtureRequest, server: PostgresServer) -> Iterator[str]:
    with bouncer_before(server, request.param) as url:
        yield f"{url}&pooler=transaction"


def test_behind_a_pooler_in_transaction_mode_no_condition_is_violated(pooled: str, seed: int):
    open_store = partial(PostgresStore, with_journal(pooled, "pooled"))
    with closing(open_store()) as store:
        tallies = in_processes(workers.decide_at_random, open_store, seeds_from(seed))
        check_consistency(store, workers.total(tallies))
    open_store = partial(PostgresStore, with_journal(pooled, "retried"))
    with closing(open_store()) as store:
        check_commands(store, in_processes(workers.retry_commands, open_store, seeds_from(seed)))


def test_behind_a_pooler_in_transaction_mode_news_are_found_by_looking(server: PostgresServer, pooled: str):
    with both(with_journal(server.url, "looked_at"), with_journal(pooled, "looked_at")) as (writer, hearer, bell):
        for _ in range(3):
            expected = fill(writer, 2, "foo:1")
            assert bell.wait(expected, timeout=PATIENCE)
            assert positions(hearer.read(Query.of(tags=["foo:1"]), after=expected - 2)) == [expected - 1, expected]


def test_a_lock_is_not_left_on_a_connection_of_the_pooler(pooled: str):
    url = with_journal(pooled, "alone")
    with closing(PostgresStore(url)) as store, closing(PostgresStore(url)) as other:
        for _ in range(3):
            with store.alone():
                fill(store, 1)
            fill(other, 1)
        assert store.head() == 6

"""The servers that tests are made on: real ones, that can be killed, and leave nothing behind."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from actum.journal.errors import Unavailable
from actum.testing.postgres import (
    Installation,
    PostgresServer,
    Stop,
    installations,
    postgres_server,
    standby_of,
    with_journal,
)

TABLE = "CREATE TABLE kept (number int)"


def ask(server: PostgresServer, question: str) -> object:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(question).fetchone()
        return row[0] if row else None


@pytest.mark.parametrize("installation", installations(), ids=lambda each: f"postgres{each.major}")
def test_every_installed_version_starts_comes_back_from_being_killed_and_is_followed(installation: Installation):
    with postgres_server(installation) as server:
        assert ask(server, "SHOW server_version_num") == f"{installation.major}{installation.version[1]:04}"
        with psycopg.connect(server.url) as connection:
            connection.execute(TABLE)
            connection.execute("INSERT INTO kept VALUES (1)")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            ask(server, "SELECT 1")
        server.start()
        assert ask(server, "SELECT number FROM kept") == 1
        with standby_of(server) as standby:
            assert ask(standby, "SELECT number FROM kept") == 1
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), psycopg.connect(standby.url) as connection:
                connection.execute("INSERT INTO kept VALUES (2)")


def test_all_processes_of_a_killed_server_are_gone_at_once():
    with postgres_server() as server, contextlib.closing(psycopg.connect(server.url)) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row
        assert Path(f"/proc/{row[0]}").exists()
        server.kill()
        assert _gone(row[0])


def test_a_server_stops_as_it_is_told():
    with postgres_server() as server:
        for how in Stop:
            server.restart(how)
            assert ask(server, "SELECT 1") == 1


def test_a_server_with_a_password_lets_nobody_in_without_it():
    with postgres_server(tcp=True, password="pass/wörd@") as server:
        assert ask(server, "SELECT 1") == 1
        assert server.port
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.address("actum", password="another"))


def test_nothing_of_a_server_is_left():
    with postgres_server() as server:
        pid, folder = server.pid, server.folder
    assert not folder.exists()
    assert _gone(pid)


PROGRAM = """
from actum.testing.postgres import postgres_server
with postgres_server() as server:
    print(server.pid, server.folder, flush=True)
    input()
"""


def test_a_server_dies_with_the_process_that_started_it_and_its_folder_goes():
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout
        pid, folder = program.stdout.readline().decode().split()
        program.send_signal(signal.SIGKILL)
    assert _gone(int(pid))
    assert _within(10, lambda: not Path(folder).exists())


def test_a_server_that_cannot_start_says_what_its_log_says():
    with pytest.raises(Unavailable, match="no_such_setting"), postgres_server(settings={"no_such_setting": "1"}):
        pass


def test_the_name_of_a_journal_joins_the_address():
    assert with_journal("postgresql://a@/b", "c") == "postgresql://a@/b?journal=c"
    assert with_journal("postgresql://a@/b?host=/d", "c d") == "postgresql://a@/b?host=/d&journal=c%20d"


def _gone(pid: int) -> bool:
    return _within(
        10, lambda: not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    )


def _within(seconds: float, true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0)
    return True

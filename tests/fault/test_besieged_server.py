"""Writers and readers on a server whose connections are cut, whose processes are killed, and that is itself killed.

Afterwards the whole history is judged by what it says of itself, by other code than the product's own.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random

import psycopg
import pytest

from actum.journal.query import Query
from actum.stores.postgres.database import PostgresStore
from actum.testing.postgres import Installation, PostgresServer, Stop, installations, postgres_server
from actum.testing.workers import broken_expectations
from tests.fault.elsewhere import PATIENCE, process
from tests.fault.history import History
from tests.fault.seeds import minutes_of_soaking
from tests.fault.siege import follow, write

Member = tuple[ForkServerProcess, Connection]

WRITERS, READERS = 4, 3
"""Processes; each that writes has four threads."""

ENOUGH = {"in mid-append": 12, "terminated": 12, "killed": 2, "restarted": 2}
"""How many faults of each kind must have landed before it is over."""

_IN_MID_APPEND = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'actum' AND datname = current_database() AND state = 'active' AND query LIKE '%.append(%' LIMIT 1
"""
_ANY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'actum' AND datname = current_database() ORDER BY random() LIMIT 1
"""


class Siege:
    """One server, its writers and readers, and what is done to them."""

    def __init__(self, server: PostgresServer, folder: Path, seed: int) -> None:
        self.server = server
        self.random = Random(seed)
        self.landed: Counter[str] = Counter()
        self.met: Counter[str] = Counter()
        self._folder = folder
        self._seed = seed
        self._logs = 0

    def hold(self, rounds: int = 1) -> None:
        """Have them write and read while the server is besieged, then let all come to an end."""
        PostgresStore(self.server.url).close()
        with ExitStack() as stack:
            writers = [stack.enter_context(self._writer()) for _ in range(WRITERS)]
            readers = [stack.enter_context(process(follow, self.server.url)) for _ in range(READERS)]
            for number in range(1, rounds + 1):
                self._besiege(stack, writers, {what: count * number for what, count in ENOUGH.items()})
            for _, here in writers:
                self._finish(here)
            head = self._head()
            for _, here in readers:
                here.send(head)
                assert here.poll(PATIENCE), "expected the reader to come to the end"
                assert here.recv() == (head, [])

    def _head(self) -> int:
        with psycopg.connect(self.server.url) as connection:
            row = connection.execute("SELECT coalesce(max(position), 0) FROM actum.events").fetchone()
        assert row
        return int(row[0])

    def _writer(self) -> AbstractContextManager[Member]:
        self._logs += 1
        return process(write, self.server.url, self._folder / f"{self._logs}.log", self._seed + self._logs)

    def _finish(self, here: Connection) -> None:
        here.send("stop")
        assert here.poll(PATIENCE), "expected the writer to come to an end"
        met, wrong = here.recv()
        assert wrong == []
        self.met += met

    def _besiege(self, stack: ExitStack, writers: list[Member], enough: dict[str, int]) -> None:
        foreign = stack.enter_context(self._long_transaction())
        while missing := [what for what, count in enough.items() if self.landed[what] < count]:
            written = self._head()
            match self.random.choice(missing):
                case "in mid-append":
                    self._terminate("in mid-append", _IN_MID_APPEND)
                case "terminated":
                    self._terminate("terminated", _ANY)
                case "killed":
                    self._kill(stack, writers)
                case _:
                    foreign.close()
                    self.server.restart(self.random.choice((Stop.IMMEDIATE, Stop.FAST)))
                    self.landed["restarted"] += 1
            self._let_them_write(written + self.random.randrange(4))

    def _let_them_write(self, until: int) -> None:
        """Whatever comes next comes into the middle of their work."""
        deadline = time.monotonic() + PATIENCE
        while self._head() <= until:
            assert time.monotonic() < deadline, "expected the writers to go on"

    @contextmanager
    def _long_transaction(self) -> Iterator[psycopg.Connection]:
        """Somebody else's, who has looked at everything and does not let go."""
        connection = psycopg.connect(self.server.url)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute("SELECT count(*) FROM actum.events")
        connection.execute("CREATE TABLE IF NOT EXISTS elsewhere (number int)")
        try:
            yield connection
        finally:
            connection.close()

    def _terminate(self, what: str, statement: str) -> None:
        """Where nobody was there to be hit, it counts as nothing and is tried again."""
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            for _ in range(200):
                if connection.execute(statement).fetchone() == (True,):
                    self.landed[what] += 1
                    return

    def _kill(self, stack: ExitStack, writers: list[Member]) -> None:
        number = self.random.randrange(len(writers))
        member, _ = writers[number]
        member.kill()
        member.join(PATIENCE)
        self.landed["killed"] += 1
        writers[number] = stack.enter_context(self._writer())

    def acknowledged(self) -> Iterator[tuple[int, int, list[str]]]:
        """What the writers were told was written."""
        for log in self._folder.glob("*.log"):
            yield from map(json.loads, log.read_text(encoding="utf-8").splitlines())

    def judge(self) -> None:
        """Everything that was promised, held against the whole journal."""
        history = History.on_server(self.server.url, "actum")
        assert list(history.faults()) == []
        answers = list(self.acknowledged())
        for first, last, ids in answers:
            assert [fact.id.hex() for fact in history.facts[first - 1 : last]] == ids
        store = PostgresStore(self.server.url)
        assert broken_expectations(store.read(Query.all())) == []
        store.close()
        print(
            f"{len(history.facts)} events, {len(answers)} acknowledged; injected {dict(self.landed)}; met {dict(self.met)}"
        )


@pytest.mark.parametrize(
    "installation", [installations()[0], installations()[-1]], ids=lambda one: f"postgres{one.major}"
)
def test_a_besieged_server_loses_skips_and_repeats_nothing_and_violates_no_condition(
    installation: Installation, tmp_path: Path, seed: int
):
    with postgres_server(installation, durable=True) as server:
        siege = Siege(server, tmp_path, seed)
        siege.hold()
        siege.judge()


@pytest.mark.soak
def test_a_server_besieged_for_long_loses_skips_and_repeats_nothing(
    tmp_path_factory: pytest.TempPathFactory, seed: int
):
    for number in minutes_of_soaking():
        with postgres_server(durable=True) as server:
            siege = Siege(server, tmp_path_factory.mktemp("siege"), seed + 1000 * number)
            siege.hold(rounds=5)
            siege.judge()

"""How the server goes about the questions that are asked all the time: by the index, also once it has a plan for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from actum.journal.skim import skim
from actum.stores.postgres.arrays import Bigints, Texts
from actum.stores.postgres.connecting import Connection, connect_to_journal
from actum.stores.postgres.database import PostgresStore
from actum.stores.postgres.schema import queries
from actum.testing.builders import an_append, an_event
from actum.testing.postgres import with_journal
from tests.servers import VERSIONS, fresh_database, named

EVENTS = 30_000
KEYS = Texts(["thing:7\n\x01Happened", "thing:8"])
ASKED = {
    "find": (0, EVENTS, 100, Texts(["thing:7"]), None),
    "find_any": (0, EVENTS, 100, KEYS, Texts([None, "Happened"])),
    "load": (KEYS, Texts([None, "Happened"]), Bigints([0, 0])),
    "head": (),
    "read": (EVENTS - 300, EVENTS, 100),
    "skim": (EVENTS - 300, EVENTS, 100, Texts(["Happened"])),
}


@pytest.fixture(scope="module", params=VERSIONS, ids=named)
def store(request: pytest.FixtureRequest) -> Iterator[PostgresStore]:
    """A journal of many events, each about one of a thousand things; and two of another type, far apart."""
    with fresh_database(request.param) as database:
        store = PostgresStore(with_journal(database, "plans"))
        store.append(an_append(an_event("Rare")))
        for start in range(0, EVENTS, 1000):
            events = [an_event("Happened", f"thing:{number % 1000}", "all:1") for number in range(start, start + 1000)]
            store.append(an_append(*events))
        store.append(an_append(an_event("Rare")))
        with psycopg.connect(database, autocommit=True) as owner:
            owner.execute("VACUUM ANALYZE")
        yield store
        store.close()


@pytest.fixture(scope="module")
def connection(store: PostgresStore) -> Iterator[Connection]:
    """To that journal."""
    with connect_to_journal(store.address) as connection:
        yield connection


@pytest.mark.parametrize("plans", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("name", ["find", "find_any", "load", "head", "read", "skim"])
def test_what_is_asked_all_the_time_is_looked_up(connection: Connection, name: str, plans: str, *, backwards: bool):
    connection.execute(f"SET plan_cache_mode = {plans}".encode())
    asked = b"EXPLAIN " + queries("plans", backwards=backwards)[name]
    found = "\n".join(line for (line,) in connection.execute(asked, ASKED[name], prepare=True).fetchall())
    assert ("events_pkey" if name in ("head", "read", "skim") else "events_keys") in found, found
    assert "Seq Scan" not in found, found


def test_skimming_finds_rare_types_by_the_index_and_leaves_none_out(store: PostgresStore):
    for limit, expected in ((1, [1]), (2, [1, EVENTS + 2]), (100, [1, EVENTS + 2])):
        assert [one[0] for one in skim(store, ["Rare"], after=0, until=store.head(), limit=limit)] == expected
    often = [one[0] for one in skim(store, ["Happened"], after=1, until=store.head() - 1, limit=EVENTS + 1)]
    assert often == list(range(2, EVENTS + 2))

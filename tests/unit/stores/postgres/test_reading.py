"""How the server goes about the questions that are asked all the time: by the index, also once it has a plan for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from actum.journal.skim import skim
from actum.stores.postgres import reading
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
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """To a journal of many events, each about one of a thousand things."""
    with fresh_database(request.param) as database:
        store = PostgresStore(with_journal(database, "plans"))
        for start in range(0, EVENTS, 1000):
            events = [an_event("Happened", f"thing:{number % 1000}", "all:1") for number in range(start, start + 1000)]
            store.append(an_append(*events))
        with psycopg.connect(database, autocommit=True) as owner:
            owner.execute("VACUUM ANALYZE")
        with connect_to_journal(store.address) as connection:
            yield connection
        store.close()


@pytest.mark.parametrize("plans", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("name", ["find", "find_any", "load", "head", "read", "skim"])
def test_what_is_asked_all_the_time_is_looked_up(connection: Connection, name: str, plans: str, *, backwards: bool):
    connection.execute(f"SET plan_cache_mode = {plans}".encode())
    asked = b"EXPLAIN " + queries("plans", backwards=backwards)[name]
    found = "\n".join(line for (line,) in connection.execute(asked, ASKED[name], prepare=True).fetchall())
    assert ("events_pkey" if name in ("head", "read", "skim") else "events_keys") in found, found
    assert "Seq Scan" not in found, found


def test_skimming_finds_rare_types_by_the_index_and_leaves_none_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "STRETCH", 50)
    monkeypatch.setattr(reading, "RARE", 5)
    with fresh_database(VERSIONS[-1]) as database:
        store = PostgresStore(with_journal(database, "rare"))
        rare = {7, 49, 50, 51, 130, 199, 400, 401}
        store.append(an_append(*[an_event("Rare" if at in rare else "Often") for at in range(1, 402)]))
        for limit in (1, 3, 4, 8, 100):
            found = [one[0] for one in skim(store, ["Rare"], after=0, until=401, limit=limit)]
            assert found == sorted(rare)[:limit]
        often = [at for at in range(1, 402) if at not in rare]
        assert [one[0] for one in skim(store, ["Often"], after=0, until=401, limit=1000)] == often
        store.close()

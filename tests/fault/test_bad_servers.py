"""Whatever is wrong with a server or its address is said in one sentence that helps, and shows no secret."""

from __future__ import annotations

import functools
import itertools
import os
import tempfile
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import psycopg
import pytest

from actum.journal.bell import Bell
from actum.journal.errors import (
    ActumError,
    Busy,
    Corrupted,
    Invalid,
    NewerSchema,
    NotAJournal,
    OutcomeUnknown,
    ReadOnly,
    StorageFull,
    Unavailable,
)
from actum.journal.query import Query
from actum.journal.store import Append, Appended, DecisionKey
from actum.stores.postgres.database import PostgresStore
from actum.stores.postgres.schema import lock_of
from actum.testing.builders import an_append, an_event, fill, positions
from actum.testing.postgres import PostgresServer, postgres_server, standby_of, with_journal
from tests.fault.elsewhere import elsewhere, mount_small_disk

SECRET = "pssst-7f3a"
_names = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server(tcp=True, password=SECRET) as running:
        yield running


@pytest.fixture
def url(server: PostgresServer) -> str:
    """The address of a journal that is not there yet."""
    return with_journal(server.url, f"j{next(_names)}")


def do(url: str, *statements: str) -> list[tuple[object, ...]]:
    """As somebody who knows nothing of journals."""
    with psycopg.connect(url.replace("&journal", "?journal").partition("?journal")[0]) as connection:
        for statement in statements:
            found = connection.execute(statement)
        return found.fetchall() if found.description else []


def refused(kind: type[ActumError], url: str, words: str, **options: object) -> None:
    """Opening says this, in these words, in one sentence, and no secret is in it or behind it."""
    with pytest.raises(kind, match=words) as caught:
        PostgresStore(url, timeout=3, **options)
    assert type(caught.value) is kind
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert "\n" not in str(caught.value)


def test_a_wrong_password_is_said_to_be_so_and_not_shown(server: PostgresServer):
    refused(Unavailable, server.address("actum", password=f"{SECRET}-wrong"), "password")


def test_a_database_that_is_not_there_is_named(server: PostgresServer):
    refused(Unavailable, server.address("elsewhere"), '"elsewhere" does not exist.*createdb')


def test_a_user_who_is_not_known_is_not_let_in(server: PostgresServer):
    refused(Unavailable, server.address("actum", role="nobody_here"), "nobody_here")


def test_a_server_that_is_not_there_is_unreachable():
    refused(Unavailable, f"postgresql://ann:{SECRET}@127.0.0.1:1/shop", "cannot be reached")
    refused(Unavailable, f"postgresql://ann:{SECRET}@/shop?host=/nowhere", "cannot be reached")


def test_a_role_that_may_not_make_a_journal_is_told_which_right_it_lacks(server: PostgresServer, url: str):
    do(server.url, f"CREATE ROLE guest LOGIN PASSWORD '{SECRET}'")
    guest = with_journal(server.address("actum", role="guest"), "guests")
    refused(Unavailable, guest, "permission denied for database.*grant it")
    PostgresStore(with_journal(server.url, "guests")).close()
    refused(Unavailable, guest, "permission denied.*grant it")


def test_a_schema_of_something_else_is_no_journal_and_is_left_as_it_is(server: PostgresServer, url: str):
    schema = url.rpartition("=")[2]
    do(url, f"CREATE SCHEMA {schema}", f"CREATE TABLE {schema}.orders (id int)")
    refused(NotAJournal, url, "name another")
    do(url, f"CREATE TABLE {schema}.journal (name text, value text)")
    refused(NotAJournal, url, "name another")
    assert do(url, f"SELECT count(*) FROM pg_class WHERE relnamespace = '{schema}'::regnamespace") == [(2,)]


def test_a_schema_that_was_made_for_the_journal_is_taken(url: str):
    do(url, f"CREATE SCHEMA {url.rpartition('=')[2]}")
    store = PostgresStore(url)
    assert fill(store, 1) == 1
    store.close()


def test_a_journal_of_a_newer_actum_is_left_to_it(url: str):
    PostgresStore(url).close()
    do(url, f"UPDATE {url.rpartition('=')[2]}.journal SET value = '99' WHERE name = 'layout'")
    refused(NewerSchema, url, "layout 99.*upgrade actum")
    refused(NewerSchema, url, "layout 99.*upgrade actum", read_only=True)


def test_a_database_that_cannot_hold_every_text_is_turned_down(server: PostgresServer):
    server.run("createdb", "--encoding=LATIN1", "--locale=C", "--template=template0", "latin")
    refused(Unavailable, server.address("latin"), "LATIN1.*UTF8")


def test_reading_only_makes_nothing_and_writes_nothing(url: str):
    refused(Unavailable, url, "no journal of that name", read_only=True)
    store = PostgresStore(url)
    fill(store, 3)
    reader = PostgresStore(url, read_only=True)
    assert positions(reader.read()) == [1, 2, 3]
    with pytest.raises(ReadOnly, match="reading only"):
        reader.append(an_append())
    assert fill(store, 1) == reader.head() == 4
    reader.close()
    store.close()


def test_a_handler_name_that_is_no_text_is_refused_and_its_batch_with_it(url: str):
    store = PostgresStore(url)
    with pytest.raises(Invalid):
        store.append(an_append(), Append((an_event(),), decision=DecisionKey(b"c", b"d", "a\0b")))
    assert fill(store, 1) == 1
    store.close()


def test_a_server_without_a_connection_left_is_busy_and_serves_again_when_there_is_one():
    with postgres_server(settings={"max_connections": "12", "superuser_reserved_connections": "1"}) as server:
        do(server.url, "CREATE ROLE plain LOGIN", "GRANT ALL ON DATABASE actum TO plain")
        plain = server.address("actum", role="plain")
        with ExitStack() as stack:
            with suppress(psycopg.OperationalError):
                while True:
                    stack.enter_context(closing(psycopg.connect(plain)))
            refused(Busy, plain, "no connection left")
        store = PostgresStore(plain)
        assert fill(store, 1) == 1
        store.close()


def test_a_lock_that_somebody_keeps_makes_writers_busy_and_readers_not(server: PostgresServer, url: str):
    store = PostgresStore(url, timeout=0.3)
    fill(store, 2)
    with closing(psycopg.connect(server.url)) as foreign:
        foreign.execute("SELECT pg_advisory_xact_lock(%s)", (lock_of(url.rpartition("=")[2]),))
        with pytest.raises(Busy, match="lock"):
            store.append(an_append())
        assert positions(store.read()) == [1, 2]
        foreign.rollback()
    assert fill(store, 1) == 3
    store.close()


def test_journals_in_one_database_do_not_wait_for_each_other(server: PostgresServer, url: str):
    store = PostgresStore(url, timeout=0.3)
    with closing(psycopg.connect(server.url)) as foreign:
        foreign.execute("SELECT pg_advisory_xact_lock(%s)", (lock_of("another_journal"),))
        assert fill(store, 1) == 1
    store.close()


def test_a_statement_that_the_server_cuts_short_writes_nothing(server: PostgresServer, url: str):
    do(server.url, f"CREATE ROLE hurried LOGIN PASSWORD '{SECRET}'", "ALTER ROLE hurried SET statement_timeout = 200")
    do(server.url, "GRANT CREATE ON DATABASE actum TO hurried")
    store = PostgresStore(with_journal(server.address("actum", role="hurried"), "hurry"))
    fill(store, 1)
    with closing(psycopg.connect(server.url)) as foreign:
        foreign.execute("SELECT pg_advisory_xact_lock(%s)", (lock_of("hurry"),))
        with pytest.raises(Busy, match="statement_timeout"):
            store.append(an_append())
    assert fill(store, 1) == 2
    store.close()


def test_a_caller_in_another_isolation_level_is_turned_down(server: PostgresServer, url: str):
    PostgresStore(url).close()
    schema = url.rpartition("=")[2]
    nothing = ", ".join(["'{}'"] * 20)
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        with closing(psycopg.connect(server.url)) as connection:
            connection.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
            with pytest.raises(psycopg.errors.InvalidTransactionState, match="read committed"):
                connection.execute(f"SELECT * FROM {schema}.append(0, 'x', true, 1000, {nothing})")


def test_a_user_whose_isolation_is_another_by_default_writes_as_everybody(server: PostgresServer):
    do(server.url, f"CREATE ROLE careful LOGIN PASSWORD '{SECRET}'", "GRANT CREATE ON DATABASE actum TO careful")
    do(server.url, "ALTER ROLE careful SET default_transaction_isolation = 'serializable'")
    url = with_journal(server.address("actum", role="careful"), "careful")
    stores = [PostgresStore(url), PostgresStore(url)]
    for number in range(6):
        assert fill(stores[number % 2], 1, "foo:1") == number + 1
    for store in stores:
        store.close()
    pooled = PostgresStore(f"{url}&pooler=transaction")
    with pytest.raises(Unavailable, match="default_transaction_isolation"):
        pooled.append(an_append())
    assert pooled.head() == 6
    pooled.close()


def test_a_clock_that_is_behind_in_one_process_changes_no_order(url: str):
    class Behind:
        def now(self) -> int:
            return 1_000

    late, early = PostgresStore(url, clock=Behind()), PostgresStore(url)
    for store in (early, late, early, late):
        fill(store, 1)
    recorded = [event.recorded for event in early.read()]
    assert recorded == sorted(recorded)
    assert recorded[0] > 1_000
    early.close()
    late.close()


def test_a_standby_is_read_and_followed_and_says_where_to_write():
    with postgres_server() as primary:
        writer = PostgresStore(primary.url)
        fill(writer, 3, "foo:1")
        with standby_of(primary) as standby:
            reader, bell = PostgresStore(standby.url), Bell()
            reader.watch(bell.ring)
            fill(writer, 2)
            assert bell.wait(5, timeout=20)
            assert positions(reader.read(Query.of(tags=["foo:1"]))) == [1, 2, 3]
            with pytest.raises(ReadOnly, match="standby"):
                reader.append(an_append())
            reader.close()
            refused(Unavailable, with_journal(standby.url, "absent"), "standby.*primary")
        writer.close()


def test_a_process_that_knows_of_more_than_is_there_does_not_write(url: str):
    """As after a restore, or a failover to a standby that had not received the last commits."""
    schema = url.rpartition("=")[2]
    ahead, behind, cut_off = PostgresStore(url), PostgresStore(url), PostgresStore(url)
    fill(behind, 4)
    fill(ahead, 2)
    fill(cut_off, 1)
    do(url, f"DELETE FROM {schema}.events WHERE position > 4")
    with pytest.raises(Corrupted, match="ends at position 4, and ended at 6 before"):
        ahead.append(an_append())
    assert fill(behind, 3) == 7
    do(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'actum'")
    for kind in (OutcomeUnknown, Corrupted):  # The first call may have got through to who knows whom.
        with pytest.raises(kind, match="position 7 was there before and is not there now"):
            cut_off.append(an_append())
    for store in (ahead, behind, cut_off):
        store.close()


def test_an_application_that_was_admitted_can_append_and_alter_nothing(server: PostgresServer, url: str):
    from actum.stores.postgres.address import address_of
    from actum.stores.postgres.connecting import connect
    from actum.stores.postgres.schema import admit

    schema = url.rpartition("=")[2]
    PostgresStore(url).close()
    do(url, f"CREATE ROLE clerk LOGIN PASSWORD '{SECRET}'")
    with closing(connect(address_of(url), timeout=5)) as owner:
        admit(owner, address_of(url), role="clerk")
        with pytest.raises(Invalid, match="role"):
            admit(owner, address_of(url), role='clerk"; DROP SCHEMA x; --')
    clerk = server.address("actum", role="clerk")
    store = PostgresStore(with_journal(clerk, schema))
    outcomes = store.append(
        an_append(an_event("A", "foo:1"), command="c", unless=Query.of(tags=["foo:1"])), an_append(an_event("B"))
    )
    assert [type(outcome) for outcome in outcomes] == [Appended, Appended]
    assert store.load([Query.of(tags=["foo:1"])], after=[0])[0] == 2
    for table in ("events", "decisions", "kinds", "handlers", "shapes", "journal"):
        for statement in (
            f"INSERT INTO {schema}.{table} DEFAULT VALUES",
            f"DELETE FROM {schema}.{table}",
            f"TRUNCATE {schema}.{table}",
            f"DROP TABLE {schema}.{table}",
            f"ALTER TABLE {schema}.{table} ADD COLUMN more int",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                do(clerk, statement)
    for statement in (f"UPDATE {schema}.events SET data = ''", f"CREATE TABLE {schema}.more (id int)"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            do(clerk, statement)
    assert positions(store.read()) == [1, 2]
    store.close()


def test_who_was_not_admitted_can_neither_read_nor_append(server: PostgresServer, url: str):
    schema = url.rpartition("=")[2]
    PostgresStore(url).close()
    do(url, f"CREATE ROLE stranger LOGIN PASSWORD '{SECRET}'", f"GRANT USAGE ON SCHEMA {schema} TO stranger")
    stranger = server.address("actum", role="stranger")
    for call in ("append(0, 'x', true, 1, " + ", ".join(["'{}'"] * 20) + ")", "take_on('x')", "number_shape('x')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            do(stranger, f"SELECT {schema}.{call}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        do(stranger, f"SELECT * FROM {schema}.events")


def test_several_processes_that_open_a_journal_at_once_make_it_once(url: str):
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(PostgresStore, [url] * 8))
    assert len({store.origin for store in stores}) == 1
    for number, store in enumerate(stores, 1):
        assert fill(store, 1) == number
        store.close()


def test_a_full_disk_is_said_clearly_loses_nothing_and_the_same_store_goes_on_with_room_again(tmp_path: Path):
    assert elsewhere(functools.partial(_fill_a_disk, tmp_path)) == "passed"


def _fill_a_disk(folder: Path) -> str:
    disk = Path(tempfile.mkdtemp(prefix="actum-disk-"))
    assert mount_small_disk(disk, 24 * 1024 * 1024), "expected this system to lend a small disk"
    disk.chmod(0o777)
    (disk / "space").mkdir(mode=0o777)
    with postgres_server(settings={"autovacuum": "off"}) as server:
        _give(disk / "space", server)
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{disk / 'space'}'")
            connection.execute("CREATE DATABASE shop TABLESPACE small")
        store = PostgresStore(server.address("shop"))
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(2 * 1024 * 1024))
        acknowledged, said = 0, ""
        while not said:
            try:
                store.append(an_append(an_event("Large", data=os.urandom(500_000))))
                acknowledged += 1
            except StorageFull as full:
                said = str(full)
        assert "disk is full" in said
        assert acknowledged > 2
        assert positions(store.read()) == list(range(1, acknowledged + 1))
        ballast.unlink()
        assert fill(store, 1) == acknowledged + 1
        store.close()
    return "passed"


def _give(folder: Path, server: PostgresServer) -> None:
    """To whoever the server runs as."""
    data = (server.folder / "data").stat()
    os.chown(folder, data.st_uid, data.st_gid)
    folder.chmod(0o700)

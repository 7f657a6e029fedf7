"""The read database in PostgreSQL, its schema and its server maltreated: nothing is counted twice, and each trouble has a
sentence of its own.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from actum.journal.errors import Busy, Misdeclared, NewerSchema, NotAJournal, ReadOnly, Unavailable
from actum.journal.readmodel import Change, Column, Kept, Mark, Role, Shape
from actum.stores.postgres.address import Address, address_of
from actum.stores.postgres.connecting import MOST
from actum.stores.postgres.tables import PostgresTables
from actum.testing.contract.tables import ALL, ONE, THINGS, TWO, change, have_two
from actum.testing.postgres import PostgresServer, postgres_server, standby_of, with_journal


@pytest.fixture
def where(postgres: str) -> Address:
    return address_of(with_journal(postgres, f"t{uuid.uuid4().hex}")).views


@pytest.fixture
def tables(where: Address) -> Iterator[PostgresTables]:
    opened = PostgresTables(where, origin="o")
    yield opened
    opened.close()


def run(where: Address, text: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        done = connection.execute(sql.SQL(text).format(schema=sql.Identifier(where.schema)))  # type: ignore[arg-type]
        return done.fetchall() if done.description else []


def test_work_in_every_transaction_that_there_can_be_at_once_may_read_other_tables(tables: PostgresTables):
    """As projections do that look into views, however many workers there are: nobody waits for somebody who waits."""
    have_two(tables)
    shapes = [Shape(f"by_hand_{number}", (), (), b"1") for number in range(MOST)]
    all_at_once, seen, wrong = threading.Barrier(MOST), list[int](), list[BaseException]()

    def reads(_: Any) -> None:
        all_at_once.wait(60)
        seen.append(tables.count(ONE, ()))

    def works(shape: Shape) -> None:
        try:
            assert tables.commit([Change(shape, (), Mark(), Mark(1, b"1" * 16), work=reads)])
        except BaseException as raised:  # noqa: BLE001 - told by the thread that asserts
            wrong.append(raised)

    for shape in shapes:
        tables.prepare(shape)
    threads = [threading.Thread(target=works, args=(shape,)) for shape in shapes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, seen) == ([], [1] * MOST)


def test_plain_sql_finds_real_types_under_the_name(tables: PostgresTables, where: Address):
    have_two(tables)
    assert run(where, "SELECT * FROM {schema}.things") == [("a", 1, None)]
    assert tables.point(TWO, instead_of=ONE, until=1, aside=Role.KEPT)
    assert run(where, "SELECT * FROM {schema}.things") == [("a", 2, None, "more")]
    kinds = run(
        where,
        "SELECT column_name, data_type, collation_name FROM information_schema.columns "
        "WHERE table_schema = '{schema}' AND table_name = 'things' ORDER BY ordinal_position".replace(
            "'{schema}'", f"'{where.schema}'"
        ),
    )
    assert kinds == [("id", "text", "C"), ("select", "bigint", None), ("size", "numeric", None), ("more", "text", "C")]
    tables.drop("things_2")
    with pytest.raises(psycopg.errors.UndefinedTable):
        run(where, "SELECT * FROM {schema}.things")


def test_a_schema_dropped_by_somebody_is_made_anew(tables: PostgresTables, where: Address):
    tables.prepare(THINGS)
    tables.commit([change(("a", 1, None))])
    run(where, "DROP SCHEMA {schema} CASCADE")
    with pytest.raises(Busy, match="built anew"):
        tables.select(THINGS, ALL)
    assert tables.mark(THINGS) is None
    assert tables.prepare(THINGS)
    assert tables.select(THINGS, ALL) == []
    run(where, "DROP SCHEMA {schema} CASCADE")
    assert not tables.commit([change(("a", 1, None))])
    assert tables.marks() == {}


def test_a_schema_of_somebody_else_is_left_alone(where: Address):
    run(where, "CREATE SCHEMA {schema} CREATE TABLE diary (day int)")
    with pytest.raises(NotAJournal, match="holds something else"):
        PostgresTables(where, origin="o")


def test_an_empty_schema_that_was_made_for_it_is_taken(where: Address):
    run(where, "CREATE SCHEMA {schema}")
    PostgresTables(where, origin="o").close()
    assert run(where, "SELECT value FROM {schema}.actum_about WHERE name = 'origin'") == [("o",)]


def test_a_schema_from_a_newer_actum_is_refused(where: Address):
    PostgresTables(where, origin="o").close()
    run(where, "UPDATE {schema}.actum_about SET value = '99' WHERE name = 'layout'")
    with pytest.raises(NewerSchema, match=r"layout 99.*upgrade actum"):
        PostgresTables(where, origin="o")


def test_a_database_that_is_not_in_utf8_is_refused(postgres: str):
    name = f"actum_test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        making = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
        connection.execute(sql.SQL(making).format(sql.Identifier(name)))
        with pytest.raises(NotAJournal, match="UTF8"):
            PostgresTables(address_of(urlsplit(postgres)._replace(path=f"/{name}").geturl()), origin="o")
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_name_that_postgres_would_cut_is_refused(tables: PostgresTables):
    with pytest.raises(Misdeclared, match="63 bytes"):
        tables.prepare(Shape("t" * 64, (Column("id", Kept.TEXT),), ("id",), b"1"))


def test_a_view_of_somebody_else_on_a_table_is_named_before_the_table_goes(tables: PostgresTables, where: Address):
    tables.prepare(THINGS)
    run(where, "CREATE VIEW {schema}.mine AS SELECT id FROM {schema}.things")
    with pytest.raises(Unavailable, match="depends on"):
        tables.renew(THINGS)
    assert tables.mark(THINGS) == Mark()


def test_an_error_in_somebodys_own_work_is_theirs_and_nothing_is_written(tables: PostgresTables):
    own = Shape("own", (), (), b"1")
    tables.prepare(own)

    def wrong(connection: psycopg.Connection[Any]) -> None:
        connection.execute("SELECT 1 / 0")

    with pytest.raises(psycopg.errors.DivisionByZero):
        tables.commit([Change(own, [], Mark(), Mark(1, b"x"), work=wrong)])
    assert tables.mark(own) == Mark()


def test_a_table_that_somebody_keeps_locked_is_busy(where: Address):
    tables = PostgresTables(where, origin="o", timeout=0.05)
    tables.prepare(THINGS)
    with psycopg.connect(where.conninfo) as holding:
        holding.execute(sql.SQL("LOCK TABLE {}.things").format(sql.Identifier(where.schema)))
        with pytest.raises(Busy, match="lock"):
            tables.commit([change(("a", 1, None))])
    assert tables.mark(THINGS) == Mark()
    assert tables.commit([change(("a", 1, None))])
    tables.close()


def test_cut_connections_are_opened_again(tables: PostgresTables, where: Address):
    tables.prepare(THINGS)
    cut = 0
    for number in range(1, 20):
        cut += len(
            run(where, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'actum views'")
        )
        assert tables.mark(THINGS) == Mark(number - 1, b"x" if number > 1 else b"")
        seen = Mark(number - 1, b"x" if number > 1 else b"")
        assert tables.commit([change(("a", number, None), seen=seen, reached=Mark(number, b"x"))])
    assert cut >= 19


def test_counts_are_right_though_connections_are_cut_in_the_middle_of_commits(where: Address):
    """Each event counts once: whoever hears nothing looks where the table stands before going on."""
    tables = PostgresTables(where, origin="o")
    tables.prepare(THINGS)
    over = threading.Event()
    landed: list[int] = []

    def cut() -> None:
        while not over.is_set():
            landed.append(
                len(
                    run(
                        where,
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'actum views'",
                    )
                )
            )

    cutting = threading.Thread(target=cut)
    cutting.start()
    lost, position = 0, 0
    try:
        while position < 200 or lost < 5:
            with contextlib.suppress(Unavailable):
                mark = tables.mark(THINGS)
                assert mark
                position = mark.position
                lost += 1
                step = change(("a", position + 1, None), seen=mark, reached=Mark(position + 1, b"%d" % position))
                assert tables.commit([step])
                lost -= 1
    finally:
        over.set()
        cutting.join()
    mark = tables.mark(THINGS)
    assert mark
    assert tables.select(THINGS, ALL) == [("a", mark.position, None)]
    assert sum(landed) > 0
    tables.close()


def test_a_stopped_server_is_said_to_be_out_of_reach_and_found_again():
    with postgres_server() as server:
        tables = PostgresTables(address_of(server.url), origin="o")
        tables.prepare(THINGS)
        server.kill()
        with pytest.raises(Unavailable, match="cannot be reached"):
            tables.marks()
        server.start()
        assert tables.marks() == {"things": Mark()}
        tables.close()


def test_a_standby_serves_readers_and_says_that_it_does_not_write():
    with postgres_server() as server:
        PostgresTables(address_of(server.url), origin="o").close()
        primary = PostgresTables(address_of(server.url), origin="o")
        primary.prepare(THINGS)
        primary.commit([change(("a", 1, None))])
        with standby_of(server) as following:
            standby = PostgresTables(address_of(following.url), origin="o")
            assert standby.select(THINGS, ALL) == [("a", 1, None)]
            with standby.snapshot() as still:
                assert still.select(THINGS, ALL) == [("a", 1, None)]
            with pytest.raises(ReadOnly, match=r"read-only standby.*name the primary"):
                standby.commit([change(("b", 1, None), seen=Mark(1, b"x"), reached=Mark(2, b"y"))])
            with pytest.raises(ReadOnly, match="standby"):
                PostgresTables(address_of(with_journal(following.url, "another")).views, origin="o")
            standby.close()
        primary.close()


def test_a_role_without_rights_is_told_which(postgres: str, where: Address):
    PostgresTables(where, origin="o").close()
    role = f"r{uuid.uuid4().hex}"
    run(where, f"CREATE ROLE {role} LOGIN PASSWORD '{role}'")
    server = urlsplit(postgres)
    theirs = server._replace(netloc=f"{role}:{role}@{server.netloc.rpartition('@')[2]}").geturl()
    try:
        with pytest.raises(Unavailable, match="lacks a right: permission denied for schema"):
            PostgresTables(address_of(with_journal(theirs, where.schema.removesuffix("_views"))).views, origin="o")
    finally:
        run(where, f"DROP ROLE {role}")


def test_a_server_that_asks_for_a_password_is_told_by_name_and_the_wrong_one_is_not_shown():
    with postgres_server(tcp=True, password="right") as server:
        url = server.address("actum", password="hunter2-wrong")
        with pytest.raises(Unavailable, match="password") as raised:
            PostgresTables(address_of(url), origin="o")
        assert "hunter2" not in "".join(_whole(raised.value))


def _whole(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield repr(error) + str(error)
        error = error.__cause__ or error.__context__


def test_a_server_without_a_connection_left_is_busy(server_of_five: PostgresServer):
    where = address_of(server_of_five.url)
    PostgresTables(where, origin="o").close()
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(psycopg.connect(where.conninfo))
        with pytest.raises(Busy, match="no connection left"):
            PostgresTables(where, origin="o")
    PostgresTables(where, origin="o").close()


@pytest.fixture
def server_of_five() -> Iterator[PostgresServer]:
    settings = {"max_connections": "5", "superuser_reserved_connections": "0", "max_wal_senders": "0"}
    with postgres_server(settings=settings) as server:
        yield server

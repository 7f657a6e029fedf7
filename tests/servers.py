"""Which PostgreSQL the tests run on: a fresh database of each version, or of a server of one's own."""

from __future__ import annotations

import os
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from actum.testing.postgres import installations, shared_url

OWN = os.environ.get("ACTUM_TEST_POSTGRES")
VERSIONS: list[int | None] = (
    [None] if OWN else sorted({each.major for each in (*installations()[:1], *installations()[-1:])})
)
"""The oldest and the newest there is; None is a server of one's own, of whatever version."""


def named(version: int | None) -> str:
    """A version in the name of a test."""
    return "own" if version is None else f"postgres{version}"


@contextmanager
def fresh_database(version: int | None) -> Generator[str]:
    """The address of a database that nobody else has; dropped afterwards."""
    server, name = shared_url(version), f"actum_test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def said_aloud() -> str:
    """Which versions the tests of PostgreSQL run on."""
    if OWN:
        return "PostgreSQL: the server of ACTUM_TEST_POSTGRES"
    found = ", ".join(map(str, installations()))
    if len(VERSIONS) > 1:
        return f"PostgreSQL: tested on {VERSIONS[-1]} and {VERSIONS[0]}, found {found}"
    return (
        f"PostgreSQL: ONE VERSION ONLY, found {found or 'none'}; a second one is the distribution's package postgresql"
    )

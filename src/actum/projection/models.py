"""Django's models on the very connection, and in the very transaction, in which a checkpoint moves. PostgreSQL only.

Imported only by whoever asks for it: Django need not be there.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import connections  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
from django.db.backends.postgresql.psycopg_any import (  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
    get_adapters_template,
)

from actum.journal.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def models_on(db: Any, *, using: str = "default") -> Iterator[None]:
    """Have Django's models write by the connection that a projection is given, for as long as the `with` block lasts.

    `using` is the alias in `DATABASES` whose place it takes, in this thread; it must be PostgreSQL, as the read database is.
    `transaction.atomic()` inside makes savepoints. `Invalid` on SQLite: Django brings a driver of its own there.
    """
    lent: Any = connections.create_connection(using)
    if lent.vendor != "postgresql" or not type(db).__module__.startswith("psycopg"):
        raise Invalid(
            f"Django's models are written in a projection's transaction where both are PostgreSQL; {using!r} is {lent.vendor}, and the "
            f"views are kept by {type(db).__module__.partition('.')[0]}; keep them at read_database='postgresql://…', or write plain SQL"
        )
    handler: Any = connections
    before = handler[using]
    adapters = db._adapters  # noqa: SLF001 - what `psycopg.connect(context=…)` sets, too
    lent.connection, lent.in_atomic_block, lent.autocommit = db, True, False
    db._adapters = get_adapters_template(True, lent.timezone)  # noqa: SLF001
    connections[using] = lent
    try:
        yield
    finally:
        db._adapters = adapters  # noqa: SLF001
        lent.connection = None
        connections[using] = before

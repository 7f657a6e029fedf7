"""The composition root: the one place where a journal's address becomes a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from actum.journal.clock import SYSTEM_CLOCK
from actum.journal.errors import Invalid, Misdeclared
from actum.journal.store import DEFAULT_PAYLOAD_LIMIT, Durability

if TYPE_CHECKING:
    from collections.abc import Callable

    from actum.journal.clock import Clock
    from actum.journal.readmodel import ReadDatabase
    from actum.journal.search import SearchIndex
    from actum.journal.store import JournalStore

LONGEST_TIMEOUT = 86_400
"""Seconds that one can wait for another process at the most."""

MEMORY = "memory:"
"""The address of a journal that lives as long as its process."""


def open_store(
    address: str | Path | JournalStore,
    *,
    durability: Durability = Durability.POWER_LOSS,
    payload_limit: int = DEFAULT_PAYLOAD_LIMIT,
    timeout: float = 10.0,
    clock: Clock = SYSTEM_CLOCK,
    read_only: bool = False,
) -> JournalStore:
    """The journal at an address: a path of a file, `memory:`, or a PostgreSQL URL. An open store is taken as it is."""
    if not isinstance(durability, Durability):
        raise Invalid(f"durability: expected {' or '.join(map(str, Durability))}, found {durability!r}")
    if not isinstance(timeout, int | float) or not 0 <= timeout <= LONGEST_TIMEOUT:
        raise Invalid(f"timeout: expected 0 to {LONGEST_TIMEOUT:,} seconds, found {timeout!r}")
    if not isinstance(address, str | Path):
        return address
    if address == MEMORY:
        from actum.stores.memory import MemoryStore  # noqa: PLC0415 - a store is dear to import; only who opens it needs it

        return MemoryStore(clock=clock, payload_limit=payload_limit)
    if isinstance(address, str) and "://" in address and not in_postgres(address):
        raise Invalid(
            f"expected the path of a file, {MEMORY!r} or postgresql://…, found {_scheme(address)}://…; "
            "no store here speaks that scheme"
        )
    store = _postgres_store() if in_postgres(address) else _sqlite_store()
    return store(
        address, durability=durability, payload_limit=payload_limit, timeout=timeout, clock=clock, read_only=read_only
    )


def open_read_database(
    address: str | Path | ReadDatabase | None, *, journal: str | Path | JournalStore, origin: str
) -> ReadDatabase:
    """The read database at an address: a path of a file, `memory:`, or a PostgreSQL URL; beside the journal where none
    is named, which is the same database where the journal is in PostgreSQL. An open one is taken as it is.

    `origin` is the journal's own name: a read database that was derived from another one is not opened.
    """
    if address is not None and not isinstance(address, str | Path):
        return address
    if address is None and in_postgres(journal):
        address = str(journal)
    if isinstance(address, str) and in_postgres(address):
        return _tables_in_postgres(address, origin)
    if address is None:
        in_file = isinstance(journal, str | Path) and journal != MEMORY
        address = Path(str(journal)).with_suffix(".views.db") if in_file else MEMORY
    if isinstance(address, str) and "://" in address:
        raise Invalid(
            f"expected the path of a file, {MEMORY!r} or postgresql://…, found {_scheme(address)}://…; "
            "no read database speaks that scheme"
        )
    from actum.stores.sqlite.tables import MEMORY as TABLES_IN_MEMORY  # noqa: PLC0415 - as above
    from actum.stores.sqlite.tables import SqliteTables  # noqa: PLC0415

    return SqliteTables(TABLES_IN_MEMORY if address == MEMORY else address, origin=origin)


def open_search(address: str | Path | None, *, journal: str | Path | JournalStore, origin: str) -> SearchIndex:
    """The index for searching at an address, a path of a file or `memory:`; where none is named, beside a journal in a file,
    and in memory for any other.
    """
    if address is None:
        in_file = isinstance(journal, str | Path) and journal != MEMORY and not in_postgres(journal)
        address = Path(str(journal)).with_suffix(".search.db") if in_file else MEMORY
    if isinstance(address, str) and "://" in address:
        raise Invalid(f"expected the path of a file or {MEMORY!r}, found {_scheme(address)}://…; an index is a file")
    from actum.stores.sqlite.search import MEMORY as INDEX_IN_MEMORY  # noqa: PLC0415 - as above
    from actum.stores.sqlite.search import SqliteSearch  # noqa: PLC0415

    return SqliteSearch(INDEX_IN_MEMORY if address == MEMORY else address, origin=origin)


def joined_to(store: JournalStore, connection: object) -> JournalStore:
    """The same journal through the transaction that is open on a driver's connection, for as long as it is open."""
    try:
        from actum.stores.postgres.database import PostgresStore  # noqa: PLC0415 - as above
        from actum.stores.postgres.within import JournalWithin  # noqa: PLC0415
    except ImportError as missing:
        raise _without_driver(missing) from missing
    if not isinstance(store, PostgresStore):
        raise Invalid(
            "only a journal in PostgreSQL can be written in one transaction with other tables; open it at postgresql://…"
        )
    return JournalWithin(store, connection)


def tables_joined_to(database: ReadDatabase, connection: object) -> ReadDatabase:
    """The same read database through the transaction that is open on a driver's connection, for as long as it is open."""
    from actum.stores.postgres.tables import PostgresTables  # noqa: PLC0415 - as above
    from actum.stores.postgres.tables_within import TablesWithin  # noqa: PLC0415

    if not isinstance(database, PostgresTables):
        raise Invalid(
            f"the views are in {database.address}, a file of its own: no transaction holds both them and the journal; keep them in the "
            "journal's PostgreSQL, which is where they are unless read_database=… says otherwise"
        )
    return TablesWithin(database, connection)


def in_postgres(address: object) -> bool:
    """Whether that is the URL of a PostgreSQL database."""
    return isinstance(address, str) and address.startswith(("postgresql://", "postgres://"))


def _scheme(address: str) -> str:
    """The only part of a URL that is surely no secret."""
    return address.partition("://")[0]


def _sqlite_store() -> Callable[..., JournalStore]:
    from actum.stores.sqlite.database import SqliteStore  # noqa: PLC0415 - the same

    return SqliteStore


def _postgres_store() -> Callable[..., JournalStore]:
    try:
        from actum.stores.postgres.database import PostgresStore  # noqa: PLC0415 - who has no PostgreSQL needs no driver
    except ImportError as missing:
        raise _without_driver(missing) from missing
    return PostgresStore


def _tables_in_postgres(url: str, origin: str) -> ReadDatabase:
    try:
        from actum.stores.postgres.address import address_of  # noqa: PLC0415
        from actum.stores.postgres.tables import PostgresTables  # noqa: PLC0415
    except ImportError as missing:
        raise _without_driver(missing) from missing
    return PostgresTables(address_of(url).views, origin=origin)


def _without_driver(missing: ImportError) -> Misdeclared:
    """Psycopg is there only where it was asked for; or it is, but the library of PostgreSQL that it needs is not."""
    return Misdeclared(f"PostgreSQL needs psycopg, which cannot be imported ({missing}); pip install 'actum[postgres]'")

"""Journals as whole things, whatever keeps them: made, brought up to date, inspected, and called without a secret."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from actum.history.as_of import position_at
from actum.journal.errors import Invalid, Unavailable
from actum.journal.inspection import Inspection
from actum.journal.readmodel import Role
from actum.journal.store import Indexed
from actum.service.opening import MEMORY, in_postgres, open_read_database, open_store

if TYPE_CHECKING:
    from actum.journal.readmodel import Standing
    from actum.stores.postgres.address import Address

RECENT = timedelta(hours=1)
"""Over how long the rate of a journal is taken."""


class ViewsThere(msgspec.Struct, frozen=True):
    """The read database of a journal: its size, and how many events each of its tables is behind, by the name that readers know."""

    place: str
    size: Inspection
    behind: dict[str, int]


class JournalThere(msgspec.Struct, frozen=True):
    """A journal as it is now. `recent` is how many events it got within the last hour."""

    place: str
    origin: str
    head: int
    recent: int
    size: Inspection
    views: ViewsThere | None = None


def place_of(journal: str) -> str:
    """What may be shown of an address: a password never is."""
    return str(_address(journal)) if in_postgres(journal) else journal


def is_there(journal: str) -> bool:
    """Whether there is a journal at the address. Nothing is made."""
    if not in_postgres(journal):
        return Path(journal).exists()
    from actum.stores.postgres.inspecting import is_there as is_in_postgres  # noqa: PLC0415

    return is_in_postgres(_address(journal), about="journal")


def create(journal: str, *, admit: tuple[str, ...] = ()) -> str:
    """Make an empty journal, and let these roles of the server append to it; its origin. `Invalid` where there is one."""
    if journal == MEMORY:
        raise Invalid("a journal in memory is gone with its process; name a file, or postgresql://…")
    if is_there(journal):
        raise Invalid(f"there is a journal at {place_of(journal)} already; name another one")
    return _made(journal, admit)


def migrate(journal: str, *, admit: tuple[str, ...] = ()) -> tuple[int, int]:
    """Bring the journal's tables up to date, and let these roles append to it; the layout before and after."""
    if not is_there(journal):
        raise Unavailable(f"there is no journal at {place_of(journal)}; check the address")
    before = _size(journal).layout
    _made(journal, admit)
    return before, _size(journal).layout


def _made(journal: str, admit: tuple[str, ...]) -> str:
    if admit and not in_postgres(journal):
        raise Invalid("roles are a server's; who may open a file is said by its permissions")
    store = open_store(journal)
    try:
        origin = store.origin
    finally:
        store.close()
    for role in admit:
        from actum.stores.postgres.admitting import admit_to  # noqa: PLC0415

        admit_to(_address(journal), role=role)
    return origin


def reindex(journal: str) -> int | None:
    """Write the journal's index anew; up to where it reaches now. None where the database sees to that itself."""
    if not is_there(journal):
        raise Unavailable(f"there is no journal at {place_of(journal)}; check the address")
    store = open_store(journal)
    try:
        return store.reindex() if isinstance(store, Indexed) else None
    finally:
        store.close()


def inspect(journal: str, *, read_database: str | None = None) -> JournalThere:
    """What there is to know of a journal and its read database. Nothing is made or changed."""
    if not is_there(journal):
        raise Unavailable(f"there is no journal at {place_of(journal)}; check the address")
    store = open_store(journal, read_only=True)
    try:
        head = store.head()
        recent = head - position_at(store, datetime.now(UTC) - RECENT) if head else 0
        views = _views(journal, read_database, origin=store.origin, head=head)
        return JournalThere(place_of(journal), store.origin, head, recent, _size(journal), views)
    finally:
        store.close()


def _size(journal: str) -> Inspection:
    if not in_postgres(journal):
        from actum.stores.sqlite.database import JOURNAL  # noqa: PLC0415 - a store is dear to import
        from actum.stores.sqlite.inspecting import inspect_file  # noqa: PLC0415

        return inspect_file(Path(journal), JOURNAL)
    from actum.stores.postgres.inspecting import inspect_schema  # noqa: PLC0415
    from actum.stores.postgres.schema import LAYOUTS  # noqa: PLC0415

    return inspect_schema(_address(journal), about="journal", newest=len(LAYOUTS))


def _views(journal: str, read_database: str | None, *, origin: str, head: int) -> ViewsThere | None:
    where = read_database or (journal if in_postgres(journal) else str(Path(journal).with_suffix(".views.db")))
    size = _size_of_views(where)
    if size is None:
        return None
    database = open_read_database(where, journal=journal, origin=origin)
    try:
        behind = {_called(standing): head - standing.mark.position for standing in database.tables()}
        return ViewsThere(database.address, size, behind)
    finally:
        database.close()


def _called(standing: Standing) -> str:
    """A table by the name that readers know it by, and what else it is where it is not the one that they read."""
    shape = standing.shape
    beside = "" if standing.role is Role.LIVE else f" (version {shape.version}, {standing.role.value})"
    return f"{shape.name or shape.table}{beside}"


def _size_of_views(where: str) -> Inspection | None:
    """None where there is no read database (yet)."""
    if not in_postgres(where):
        from actum.stores.sqlite.inspecting import inspect_file  # noqa: PLC0415 - as above
        from actum.stores.sqlite.tables import READ_DATABASE  # noqa: PLC0415

        return inspect_file(Path(where), READ_DATABASE) if Path(where).exists() else None
    from actum.stores.postgres.inspecting import inspect_schema  # noqa: PLC0415
    from actum.stores.postgres.inspecting import is_there as is_in_postgres  # noqa: PLC0415
    from actum.stores.postgres.views_schema import MIGRATIONS  # noqa: PLC0415

    address = _address(where).views
    if not is_in_postgres(address, about="actum_about"):
        return None
    return inspect_schema(address, about="actum_about", newest=len(MIGRATIONS))


def _address(url: str) -> Address:
    from actum.stores.postgres.address import address_of  # noqa: PLC0415 - who has no PostgreSQL needs no driver

    return address_of(url)

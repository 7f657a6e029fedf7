"""Roles that are let in by a journal's owner: they append through its functions, and keep a read database of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actum.stores.postgres.connecting import connect
from actum.stores.postgres.schema import admit
from actum.stores.postgres.table_sql import quoted
from actum.stores.postgres.trouble import translated
from actum.stores.statements import statements

if TYPE_CHECKING:
    from actum.stores.postgres.address import Address

_SQL = statements("postgres/admitting.sql")


def admit_to(address: Address, *, role: str) -> None:
    """Let a role read the journal, append to it, and make a read database beside it. To be called by the owner."""
    names = {"schema": quoted(address.views.schema), "role": quoted(role)}
    with translated(address), connect(address, name="actum journal") as connection, connection.transaction():
        admit(connection, address, role=role)
        connection.execute(_SQL["make_room"].format(**names).encode())
        connection.execute(_SQL["let_in"].format(**names).encode())

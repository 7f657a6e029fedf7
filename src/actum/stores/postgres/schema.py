"""The schema that is a journal: recognised, made, brought up to date, and opened to those who may use it."""

from __future__ import annotations

import os
import re
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from actum.journal.errors import Invalid, NewerSchema, NotAJournal, Unavailable
from actum.stores.postgres.connecting import SESSION
from actum.stores.postgres.trouble import translated
from actum.stores.statements import statements, text_of

if TYPE_CHECKING:
    from actum.stores.postgres.address import Address
    from actum.stores.postgres.connecting import Connection

LAYOUTS = ("postgres/schema_0001.sql",)
"""The migrations, oldest first."""

_EVENT = "e.position, e.type, e.version, e.id, e.recorded, e.effective, e.tags, e.data, e.metadata, e.salt, e.leaf"
_KEYS = r"array_append(string_to_array(e.tags, E'\n'), E'\x01' || e.type)"
_ROLE = re.compile(r"[^\x00-\x1f\"]{1,63}\Z")


@cache
def queries(schema: str, *, backwards: bool = False) -> dict[str, bytes]:
    """The named statements for the journal in that schema, reading in that direction."""
    order = "DESC" if backwards else "ASC"
    return {
        name: _placed(text.replace("{event}", _EVENT).replace("{keys}", _KEYS).replace("{order}", order), schema)
        for name, text in statements("postgres/queries.sql").items()
    }


def _placed(text: str, schema: str) -> bytes:
    """The schema's name is checked where its address is read: letters, digits and underscores."""
    return text.replace("{schema}", schema).replace("{key}", str(lock_of(schema))).encode()


def lock_of(schema: str, what: str = "append") -> int:
    """The number of the lock that keeps writers of one journal apart; each journal has its own."""
    return int.from_bytes(blake2b(f"actum/{what}/{schema}".encode(), digest_size=8).digest(), "big", signed=True)


class Described(msgspec.Struct, frozen=True):
    """What a journal says of itself. Layout 0 is a journal that was not made yet."""

    layout: int
    origin: str


def recognise(connection: Connection, address: Address) -> Described:
    """What is in the schema. Raises for something else, and for a journal of a newer actum."""
    with translated(address):
        row = connection.execute(SESSION["schema_exists"], (address.schema,)).fetchone()
        assert row is not None
        _, journal, others = row
        if not journal:
            if others:
                raise NotAJournal(f"{address}: the schema holds tables of something else; name another journal")
            return Described(0, "")
        said: dict[str, str] = dict(connection.execute(queries(address.schema)["described"]).fetchall())
    if not str(said.get("layout")).isdigit() or "origin" not in said:
        raise NotAJournal(f"{address}: the schema holds tables of something else; name another journal")
    if int(said["layout"]) > len(LAYOUTS):
        raise NewerSchema(
            f"{address} has layout {said['layout']}, this actum knows layouts up to {len(LAYOUTS)}; upgrade actum"
        )
    return Described(int(said["layout"]), said["origin"])


def bring_up_to_date(connection: Connection, address: Address) -> Described:
    """Run the migrations that are missing, safe when several processes start at once; the journal's description."""
    found = recognise(connection, address)
    if found.layout == len(LAYOUTS):
        return found
    check_server(connection, address)
    with translated(address), connection.transaction():
        connection.execute(SESSION["lock_layout"], (lock_of(address.schema, "layout"),))
        found = recognise(connection, address)
        if found.layout == 0:
            _make_room(connection, address)
        for number, file in enumerate(LAYOUTS[found.layout :], found.layout + 1):
            connection.execute(_placed(text_of(file), address.schema))
            connection.execute(queries(address.schema)["describe"], ("layout", str(number)))
        if found.layout == 0:
            connection.execute(queries(address.schema)["describe"], ("origin", os.urandom(16).hex()))
    return recognise(connection, address)


def _make_room(connection: Connection, address: Address) -> None:
    """The schema may have been made already, by whoever may do that here."""
    row = connection.execute(SESSION["schema_exists"], (address.schema,)).fetchone()
    if row is not None and not row[0]:
        connection.execute(_placed(SESSION["make_schema"].decode(), address.schema))


def check_server(connection: Connection, address: Address) -> None:
    """`Unavailable` where no journal can be made: on a standby, or where not every text can be kept."""
    with translated(address):
        row = connection.execute(SESSION["session"]).fetchone()
    assert row is not None
    standby, encoding, version = row
    if standby:
        raise Unavailable(f"{address}: there is no journal yet, and this server is a standby; make it on the primary")
    if encoding != "UTF8":
        raise Unavailable(
            f"{address}: the database is in {encoding}, a journal needs UTF8; make it with createdb -E UTF8"
        )
    if version < 150000:
        raise Unavailable(f"{address}: expected PostgreSQL 15 or newer, found {version // 10000}; upgrade the server")


def admit(connection: Connection, address: Address, *, role: str) -> None:
    """Let a role read the journal and append to it through the journal's own functions, and nothing more.

    To be called by the journal's owner. `Invalid` for what cannot be a role's name.
    """
    if not _ROLE.match(role):
        raise Invalid(f"role: expected the name of a PostgreSQL role, found {role!r}")
    text = _placed(text_of("postgres/admit.sql").replace("{role}", f'"{role}"'), address.schema)
    with translated(address), connection.transaction():
        connection.execute(text)

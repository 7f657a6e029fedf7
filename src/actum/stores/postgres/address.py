"""Where a journal lies in PostgreSQL: the server's URL, as libpq reads it, and two words of our own in it.

```
postgresql://user:password@host:5432/database?sslmode=verify-full&journal=shop&pooler=transaction
```

`journal` names the schema that holds the journal (`actum` unless said); a read database derived from it lies in the
schema `<journal>_views`. `pooler=transaction` says that a pooler hands connections on between two transactions, so
that nothing may be left on one. Everything else is libpq's:
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import msgspec
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from actum.journal.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_JOURNAL = "actum"
"""The journal that is meant where the address names none."""

VIEWS = "_views"
"""How the schema of a read database ends."""

_URL = re.compile(r"(?P<server>postgres(?:ql)?://(?:[^@/?]*@)?[^?@]*)(?:\?(?P<options>.*))?\Z", re.DOTALL)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}\Z")
_PORTS = re.compile(r"\d{0,5}(,\d{0,5})*\Z")
_OURS = ("journal", "pooler")
_UNREADABLE = (
    "this PostgreSQL URL cannot be read; expected postgresql://user:password@host:port/database?journal=name, "
    "with any / ? # @ % in user and password written as %2F %3F %23 %40 %25"
)
"""Quotes nothing: where a URL is misread, what stands in the place of the port may be the password."""


class Address(msgspec.Struct, frozen=True):
    """Which server and database to connect to, as whom, and which schema there. Never shows a password.

    `conninfo` is for libpq alone: it holds the secrets. `server` is the part that may be shown. `pooled`: connections
    are handed on between transactions.
    """

    conninfo: str
    schema: str
    server: str
    pooled: bool = False

    @property
    def views(self) -> Address:
        """Where the read database of this journal lies unless another place is named: in the same database."""
        return msgspec.structs.replace(self, schema=self.schema + VIEWS)

    def __str__(self) -> str:
        return f"{self.server}?journal={self.schema}"

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"


def address_of(url: str) -> Address:
    """The address that a URL stands for. `Invalid` where libpq could not read it or the journal cannot be called so."""
    found = _URL.match(url)
    if found is None:
        raise Invalid(_UNREADABLE)
    ours, theirs = _sorted_out(found["options"] or "")
    conninfo = found["server"] + ("?" + "&".join(theirs) if theirs else "")
    try:
        parts = conninfo_to_dict(conninfo)
    except ProgrammingError:
        raise Invalid(_UNREADABLE) from None  # libpq's own words quote the URL
    if not _PORTS.match(str(parts.get("port") or "")):
        raise Invalid(_UNREADABLE)
    pooler = ours.get("pooler", "session")
    if pooler not in ("session", "transaction"):
        raise Invalid(f"pooler: expected session or transaction, found {pooler!r}")
    schema = _checked_name(ours.get("journal", DEFAULT_JOURNAL))
    return Address(conninfo, schema, _shown(parts), pooled=pooler == "transaction")


def _sorted_out(options: str) -> tuple[dict[str, str], list[str]]:
    """Our own options by name, and the others as they were written."""
    ours: dict[str, str] = {}
    theirs: list[str] = []
    for option in options.split("&") if options else ():
        name, _, value = option.partition("=")
        if name in _OURS:
            ours[name] = unquote(value)
        else:
            theirs.append(option)
    return ours, theirs


def _checked_name(name: str) -> str:
    if (
        not _NAME.match(name)
        or name.startswith("pg_")
        or name.endswith(VIEWS)
        or name in ("public", "information_schema")
    ):
        raise Invalid(
            f"journal: expected a name of up to 48 lower-case letters, digits and '_', beginning with a letter, "
            f"found {name!r}; names that begin with pg_ or end with {VIEWS}, and public, are taken"
        )
    return name


def _shown(parts: Mapping[str, object]) -> str:
    """The URL without whatever is secret."""
    user, host = str(parts.get("user") or ""), str(parts.get("host") or parts.get("hostaddr") or "")
    port, database = str(parts.get("port") or ""), str(parts.get("dbname") or "")
    place = quote(host, safe=",:[]") + (f":{port}" if port else "")
    return f"postgresql://{quote(user) + '@' if user else ''}{place}/{quote(database)}"

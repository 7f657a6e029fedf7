"""The walls of a room: what is done in it finds its own tables first, then the live ones, of which it can change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import apsw

from actum.journal.errors import Misdeclared

if TYPE_CHECKING:
    from pathlib import Path

    from actum.journal.readmodel import Work

LIVE = "actum_live"
"""What the read database is called where it is attached to be read."""

IN_MEMORY = ":memory:"

_KINDS = ("INSERT", "UPDATE", "DELETE", "CREATE", "DROP")
_WRITES = frozenset(
    code
    for name, code in apsw.mapping_authorizer_function.items()
    if isinstance(name, str) and isinstance(code, int) and name.removeprefix("SQLITE_").partition("_")[0] in _KINDS
)
_ELSEWHERE = (apsw.SQLITE_ATTACH, apsw.SQLITE_DETACH)


class Walls:
    """Work that changes nothing outside of the room in which it is done. `Misdeclared` where it would, and then it is undone.

    Its tables are looked for in the read database `beside`, too, where one is given.
    """

    def __init__(self, work: Work, name: str, *, beside: Path | None = None) -> None:
        self._work = work
        self._name = name
        self._beside = beside
        self._denied: list[str] = []

    def __call__(self, db: Any) -> None:
        if self._beside is not None and str(self._beside) != IN_MEMORY and not is_attached(db):
            db.execute(f"ATTACH ? AS {LIVE}", (only_read(self._beside),))
        before = db.authorizer

        def may(action: int, one: str | None, two: str | None, schema: str | None, by: str | None) -> int:
            allowed = self._may(action, one, schema)
            return allowed if before is None else max(allowed, before(action, one, two, schema, by))

        db.authorizer = may
        try:
            self._work(db)
        finally:
            db.authorizer = before
            self._check()

    def _may(self, action: int, one: str | None, schema: str | None) -> int:
        if action in _ELSEWHERE:
            self._denied.append(f"another file ({one})")
        elif schema == LIVE and action in _WRITES and not str(one).startswith("sqlite_"):
            self._denied.append(f"the table {one}")
        else:
            return apsw.SQLITE_OK
        return apsw.SQLITE_DENY

    def _check(self) -> None:
        if self._denied:
            what, self._denied = self._denied[0], []
            raise Misdeclared(
                f"the projection {self._name} is built beside itself, and would change {what}, which its begin does not make there: "
                "let begin make every table that the handler writes to"
            )


def is_attached(connection: apsw.Connection) -> bool:
    """Whether the read database is attached."""
    return any(name == LIVE for _, name, _ in connection.execute("PRAGMA database_list"))


def only_read(path: Path) -> str:
    """A file to attach that is not written to."""
    return f"file:{quote(str(path))}?mode=ro"

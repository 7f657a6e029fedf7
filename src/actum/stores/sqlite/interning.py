"""Names written once and numbered in the file: kinds of events, rules, shapes of conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from actum.journal.event import Kind
from actum.stores.statements import statements

if TYPE_CHECKING:
    import apsw

    from actum.journal.event import Position

_SQL = statements("sqlite/queries.sql")

CHOICES_KEPT = 1000
"""Of how many sets of types it is remembered which kinds they are."""


def json_of(value: object) -> str:
    """A list to bind where the engine takes it apart again."""
    return msgspec.json.encode(value).decode()


class Names:
    """One numbered table of names, read when a number is not known and added to inside the writer's transaction."""

    def __init__(self, read: str, add: str) -> None:
        self._read = _SQL[read]
        self._add = _SQL[add]
        self._numbers: dict[str, int] = {}

    def number(self, connection: apsw.Connection, name: str) -> int:
        """The name's number; a new name is written."""
        known = self._numbers.get(name)
        if known is not None:
            return known
        self._numbers = {text: number for number, text in connection.execute(self._read)}
        if name not in self._numbers:
            self._numbers[name] = len(self._numbers) + 1
            connection.execute(self._add, (self._numbers[name], name))
        return self._numbers[name]

    def forget(self) -> None:
        """Read again at the next call: what was written may have been taken back."""
        self._numbers = {}


class Kinds:
    """The kinds of events and their numbers."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, int], int] = {}
        self._kinds: dict[int, Kind] = {}
        self._among: dict[frozenset[str], dict[int, Kind | None]] = {}

    def refresh(self, connection: apsw.Connection) -> dict[str, Position]:
        """Read them; the newest position of each type, as far as the file says."""
        newest: dict[str, Position] = {}
        for _, type, _, last in self._read(connection):
            newest[type] = max(newest.get(type, 0), last)
        return newest

    def read_again(self, connection: apsw.Connection) -> dict[int, Kind]:
        """The kinds by number as this connection sees them, also where a thread with an older view has remembered others since."""
        return {number: Kind(type, version) for number, type, version, _ in self._read(connection)}

    def _read(self, connection: apsw.Connection) -> list[Any]:
        rows: list[Any] = list(connection.execute(_SQL["kinds"]))
        # Changed whole: another thread may be looking something up.
        self._numbers = {Kind(type, version): number for number, type, version, _ in rows}
        self._kinds = {number: Kind(type, version) for number, type, version, _ in rows}
        self._among = {}
        return rows

    def number(self, connection: apsw.Connection, type: str, version: int) -> int:
        """The kind's number; a new kind is written."""
        known = self._numbers.get((type, version))
        if known is not None:
            return known
        self.refresh(connection)
        kind = Kind(type, version)
        if kind not in self._numbers:
            number = len(self._numbers) + 1
            connection.execute(_SQL["add_kind"], (number, type, version))
            self._numbers[kind], self._kinds[number] = number, kind
            self._among = {}
        return self._numbers[kind]

    def kinds(self, connection: apsw.Connection, highest: int) -> dict[int, Kind]:
        """The kinds by number, up to at least the number `highest`."""
        if highest not in self._kinds:
            self.refresh(connection)
        return self._kinds

    def by_number(self) -> dict[int, Kind]:
        """The kinds read so far."""
        return self._kinds

    def among(self, types: frozenset[str]) -> dict[int, Kind | None]:
        """The kinds read so far, by number: None for those that are not of these types. No types are all of them."""
        among = self._among
        found = among.get(types)
        if found is None:
            if len(among) >= CHOICES_KEPT:
                among.clear()
            kinds = self._kinds.items()
            found = among[types] = {number: kind if not types or kind.type in types else None for number, kind in kinds}
        return found

    def numbers(self, connection: apsw.Connection, types: frozenset[str]) -> str:
        """The numbers of all versions of these types, as a JSON array."""
        known = {type for type, _ in self._numbers}
        if not types <= known:
            self.refresh(connection)
        return json_of([number for (type, _), number in self._numbers.items() if type in types])

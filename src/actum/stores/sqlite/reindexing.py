"""Whether the tag index in the file has every event up to where it says it reaches, and how it is written anew.

An index with a hole lets a condition pass that collides: what it does not find is not there for whoever decides. Entries
too many do no harm: every hit is compared with the event's own tags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actum.stores.sqlite import tag_index
from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    import apsw

    from actum.journal.event import Position
    from actum.stores.sqlite.writing import Writer

_SQL = statements("sqlite/reindexing.sql")

PAGE = 1000
"""How many events are looked at, or indexed, at once."""

ENDS = 10
"""How many events at each end of what is indexed are looked at when a journal is opened."""


def reach(connection: apsw.Connection) -> Position:
    """Up to which position the index has everything, as the file says."""
    return _number(connection, "reach")


def _number(connection: apsw.Connection, asked: str) -> int:
    row: Any = connection.execute(_SQL[asked]).fetchone()
    return int(row[0])


def hole(connection: apsw.Connection) -> Position | None:
    """The first event that the index should have and does not. None where it is whole.

    What is there is compared with what should be as a whole, by a sum: to look up each event takes ten times as long.
    """
    until = reach(connection)
    return None if _entries(connection, until) == _expected(connection, until) else _first_hole(connection, 0, until)


def _entries(connection: apsw.Connection, until: Position) -> int:
    connection.execute(_SQL["name_entries"])
    total = 0
    for first in range(256):  # By ranges, so that no read is long.
        total += sum(map(hash, connection.execute(_SQL["entries"], (f"{first:02x}", f"{first:02x}g", until))))
    return total


def _expected(connection: apsw.Connection, until: Position) -> int:
    total, token = 0, tag_index.token
    for first, page in _pages(connection, 0, until):
        total += sum([hash((token(tag), position)) for position, tags in enumerate(page, first) for tag in tags])
    return total


def _first_hole(connection: apsw.Connection, after: Position, until: Position) -> Position | None:
    for first, page in _pages(connection, after, until):
        last = first + len(page) - 1
        wanted: dict[str, set[Position]] = {}
        for position, tags in enumerate(page, first):
            for tag in tags:
                wanted.setdefault(tag_index.token(tag), set()).add(position)
        missing: set[Position] = set()
        for token, there in wanted.items():
            missing |= there.difference(
                tag_index.find(connection, [token], after=first - 1, until=last, limit=len(page))
            )
        if missing:
            return min(missing)
    return None


def seems_whole(connection: apsw.Connection) -> bool:
    """Looks at both ends of what is indexed alone: to be asked at every opening."""
    until = reach(connection)
    return (
        until <= _number(connection, "newest")
        and _first_hole(connection, 0, min(until, ENDS)) is None
        and _first_hole(connection, max(0, until - ENDS), until) is None
    )


def reindex(writer: Writer) -> Position:
    """Write the index anew up to the head, which is the answer, in one transaction: others wait meanwhile or see the old one."""
    connection = writer.connection
    with writer.turn() as head:
        tag_index.empty(connection)
        for first, page in _pages(connection, 0, head):
            tag_index.add(connection, first, page)
        connection.execute(_SQL["mark_kinds"], (head,))
        connection.execute(_SQL["reach_to"], (str(head),))
    writer.known.indexed = head
    return head


def _pages(
    connection: apsw.Connection, after: Position, until: Position
) -> Iterator[tuple[Position, list[tuple[str, ...]]]]:
    """The tags of all events in (after, until], page by page; the position of the first of each page."""
    while after < until:
        last = min(until, after + PAGE)
        rows: dict[Position, Any] = dict(connection.execute(_SQL["tags"], (after, last)))
        found = [rows.get(position, "") for position in range(after + 1, last + 1)]
        yield after + 1, [tuple(tags.split("\n")) if tags else () for tags in found]
        after = last

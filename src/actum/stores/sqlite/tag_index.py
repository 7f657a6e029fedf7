"""The tag index in the file: an FTS5 table, a token per tag. Behind these few functions it can change its form.

Every hit is a candidate only: two tags may share a token, so the reader compares the event's own tags.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import apsw

from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actum.journal.event import Position
    from actum.journal.query import Query

_SQL = statements("sqlite/queries.sql")

ITEMS_AT_ONCE = 64
"""How many query items go into one expression of the index."""


TOKENS_KEPT = 16384
"""Of how many tags the token is remembered."""

_BLANK = blake2b(digest_size=8)
_TOKENS: dict[str, str] = {}


def token(tag: str) -> str:
    """64 bits of the tag's BLAKE2b hash, as 16 hexadecimal digits."""
    found = _TOKENS.get(tag)
    if found is None:
        if len(_TOKENS) >= TOKENS_KEPT:
            _TOKENS.clear()
        hashed = _BLANK.copy()
        hashed.update(tag.encode())
        found = _TOKENS[tag] = hashed.hexdigest()
    return found


def add(connection: apsw.Connection, first: Position, tags: Iterable[tuple[str, ...]]) -> None:
    """Index the events from position `first` on, by the tags of each; those without tags need no entry."""
    tokens = apsw.carray(tuple([" ".join(map(token, each)) for each in tags]))
    connection.execute(_SQL["index_tags"], (first - 1, tokens))


def empty(connection: apsw.Connection) -> None:
    """Forget everything."""
    connection.execute(_SQL["empty_index"])


def expressions(query: Query) -> list[str]:
    """What to ask the index so that no event of the query is missed. Every item of the query names a tag."""
    if len(query.items) == 1 and len(query.items[0].tags) == 1:
        return [token(tag) for tag in query.items[0].tags]
    wanted = list(dict.fromkeys(" AND ".join(sorted(map(token, item.tags))) for item in query.items))
    return [
        " OR ".join(f"({part})" if " " in part else part for part in wanted[start : start + ITEMS_AT_ONCE])
        for start in range(0, len(wanted), ITEMS_AT_ONCE)
    ]


def find(
    connection: apsw.Connection,
    asked: Sequence[str],
    *,
    after: Position,
    until: Position,
    limit: int,
    backwards: bool = False,
) -> list[Position]:
    """The first `limit` candidates in (after, until], in reading order."""
    sql = _SQL["find_backwards" if backwards else "find_forwards"]
    if len(asked) == 1:
        return [row[0] for row in connection.execute(sql, (asked[0], after, until, limit))]
    found = {row[0] for part in asked for row in connection.execute(sql, (part, after, until, limit))}
    return sorted(found, reverse=backwards)[:limit]

"""How a decision's condition is kept: its shape, which few have and which is numbered, and its tags, which differ."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice

import msgspec

from actum.journal.errors import Corrupted, Invalid
from actum.journal.query import AppendCondition, Query, QueryItem
from actum.journal.store import DecisionRecord


def shape_of(query: Query) -> tuple[str, str]:
    """A query as its shape, which few have, and its tags, which differ: both texts, in the same order."""
    if len(query.items) == 1 and len(query.items[0].tags) == 1:
        ((tag,), types) = query.items[0].tags, query.items[0].types
        return _shape_text(((types, 1),)), tag
    parts = tuple([(item.types, len(item.tags)) for item in query.items])
    tags = [tag for item in query.items for tag in (sorted(item.tags) if len(item.tags) > 1 else item.tags)]
    return _shape_text(parts), "\n".join(tags)


@lru_cache(maxsize=4096)
def _shape_text(parts: tuple[tuple[frozenset[str], int], ...]) -> str:
    return f"[{','.join(f'[{msgspec.json.encode(sorted(types)).decode()},{tags}]' for types, tags in parts)}]"


def query_of(shape: str, tags: str) -> Query:
    """The query again."""
    words = tags.split("\n") if tags else []
    parts, left = _parts_of(shape), iter(words)
    if sum(count for _, count in parts) != len(words):
        raise Invalid(f"expected as many tags as {shape[:80]!r} has, found {len(words)}")
    return Query(tuple(QueryItem(types, frozenset(islice(left, count))) for types, count in parts))


@lru_cache(maxsize=1024)
def _parts_of(shape: str) -> tuple[tuple[frozenset[str], int], ...]:
    """The items of a shape: their types, and how many tags each has."""
    return tuple(msgspec.json.decode(shape, type=tuple[tuple[frozenset[str], int], ...]))


def record_of(
    row: tuple[bytes, bytes, str, str | None, str | None, int | None, int, int],
) -> DecisionRecord:
    """A decision from its row."""
    command, digest, handler, shape, tags, after, first, count = row
    condition = None
    if shape is None and after is not None:
        raise Corrupted(f"the condition of the decision at position {first} is gone; restore from a backup")
    try:
        if shape is not None:
            condition = AppendCondition(query_of(shape, tags or ""), after=after or 0)
    except (Invalid, msgspec.DecodeError, RuntimeError) as wrong:
        raise Corrupted(f"the decision at position {first} cannot be read: {wrong}; restore from a backup") from wrong
    return DecisionRecord(
        command=command, digest=digest, handler=handler, condition=condition, first=first, count=count
    )

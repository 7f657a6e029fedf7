"""What may be asked of the journal and what may be demanded of it: the words of the DCB specification.

A query is a union of items; an item asks for *one of* its types and *all of* its tags. Source: https://dcb.events.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from actum.journal.errors import Invalid
from actum.journal.event import Position, checked_position, checked_tag, checked_type

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


MOST_SETS_KNOWN = 1000
"""How many sets of types are remembered as good."""

_GOOD_TYPES: set[frozenset[str]] = set()


class QueryItem(msgspec.Struct, frozen=True, gc=False):
    """Events of one of `types` (any type where none is named) that carry all of `tags`."""

    types: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.types and not self.tags:
            raise Invalid("a query item needs at least one type or one tag; to ask for every event use Query.all()")
        if self.types not in _GOOD_TYPES:
            for name in self.types:
                checked_type(name)
            if len(_GOOD_TYPES) < MOST_SETS_KNOWN:
                _GOOD_TYPES.add(self.types)
        for tag in self.tags:
            checked_tag(tag)

    def matches(self, type: str, tags: Collection[str]) -> bool:
        """Whether an event of that type with those tags is asked for."""
        return (not self.types or type in self.types) and self.tags.issubset(tags)


MANY_ITEMS = 8
"""Up to so many items are looked at one by one."""


class Query(msgspec.Struct, frozen=True, dict=True):
    """A union of items, compared by value; `Query.all()` asks for every event. Combine with `|`."""

    items: tuple[QueryItem, ...]

    @classmethod
    def all(cls) -> Query:
        """Every event."""
        return _ALL

    @classmethod
    def of(cls, *, types: Iterable[str] = (), tags: Iterable[str] = ()) -> Query:
        """The query of one item: one of `types` and all of `tags`."""
        return cls((QueryItem(types=_names("types", types), tags=_names("tags", tags)),))

    @classmethod
    def from_items(cls, items: Iterable[QueryItem]) -> Query:
        """The union of `items`, of which there is at least one."""
        union = tuple(dict.fromkeys(items))
        if not union:
            raise Invalid("a query of no items would match nothing; to ask for every event use Query.all()")
        return cls(union)

    def __or__(self, other: Query) -> Query:
        if not self.items or not other.items:
            return _ALL
        return Query(tuple(dict.fromkeys(self.items + other.items)))

    @property
    def is_all(self) -> bool:
        """Whether this asks for every event."""
        return not self.items

    def matches(self, type: str, tags: Collection[str]) -> bool:
        """Whether an event of that type with those tags is asked for."""
        if len(self.items) <= MANY_ITEMS:
            return not self.items or any(item.matches(type, tags) for item in self.items)
        untagged, tagged = self._filed
        return type in untagged or any(item.matches(type, tags) for tag in tags for item in tagged.get(tag, ()))

    @cached_property
    def _filed(self) -> tuple[frozenset[str], dict[str, list[QueryItem]]]:
        """The types that are asked for without tags, and the other items, each under one of its tags."""
        tagged: dict[str, list[QueryItem]] = {}
        for item in self.items:
            if item.tags:
                tagged.setdefault(min(item.tags), []).append(item)
        return frozenset(type for item in self.items if not item.tags for type in item.types), tagged


_ALL = Query(())


def union(queries: Sequence[Query]) -> Query:
    """All that any of `queries` asks for; there is at least one."""
    return queries[0] if len(queries) == 1 else Query(tuple([item for query in queries for item in query.items]))


def checked_query(query: Query) -> Query:
    """The query itself; `Invalid` where it is something else, such as a question to an application."""
    if not isinstance(query, Query):
        raise Invalid(f"expected a query of the journal, as Query.of(types=…, tags=…) makes it, found {query!r:.80}")
    return query


class AppendCondition(msgspec.Struct, frozen=True, gc=False):
    """The demand under which events are appended: no event after position `after` matches `fail_if_events_match`.

    Events up to and including `after` are ignored; with `after=0` any match fails.
    """

    fail_if_events_match: Query
    after: Position = 0

    def __post_init__(self) -> None:
        checked_position(self.after, "after")


def _names(what: str, names: Iterable[str]) -> frozenset[str]:
    if isinstance(names, str):
        raise Invalid(f"{what}: expected several names, found the text {names!r}; write [{names!r}]")
    return frozenset(names)

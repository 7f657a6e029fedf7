"""Reading by pages: one statement each, so that no transaction is open between two, and nothing needs to be filtered.

Positions are given out in the order of commits: whoever sees a position sees every one before it. So what was found up
to a head stays true of that head, and answers of several statements fit together as of one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from actum.journal.event import Kind, Position, SequencedEvent
from actum.journal.query import Query
from actum.journal.skim import skimmed
from actum.stores.postgres.arrays import Bigints, Texts
from actum.stores.postgres.schema import queries

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from actum.journal.query import QueryItem
    from actum.journal.skim import Skimmed
    from actum.stores.postgres.connecting import Connection, Connections

PAGE = 2000
"""How many events are read at once, at first: what the index finds is read in ever larger pages, for each begins anew."""

LARGEST_PAGE = 16_000

NEAR = 256
"""So few events are rather looked through than looked up: the index would bring all that there ever were."""

STRETCH = 20_000
"""How much of the journal is gone through for types, before they count as rare and the index is asked."""

RARE = 200
"""Where a stretch holds fewer, they are rare."""


class Span(msgspec.Struct, frozen=True):
    """Which part of the journal to read, and in which direction."""

    after: Position
    until: Position
    backwards: bool = False

    def beyond(self, position: Position) -> Span:
        """What is left once everything up to that position, in reading order, was seen."""
        if self.backwards:
            return Span(self.after, position - 1, True)
        return Span(position, self.until)

    def stretch(self, size: int) -> Span:
        """The first so many positions, in reading order."""
        if self.backwards:
            return Span(max(self.after, self.until - size), self.until, True)
        return Span(self.after, min(self.until, self.after + size))


class Page(msgspec.Struct):
    """What one look at the journal found, and what is left to look at behind it, if anything is."""

    left: Span
    events: list[SequencedEvent]
    ended: bool = False


def keys_of(query: Query, *, rare: bool) -> tuple[list[str], list[str | None]]:
    """What the index is asked for: sets of keys, joined by line feeds, and with each the types that count, if any.

    A type alone is a key. Beside tags it may be one, too: that is quick where the tags are on many events and the type on
    few. Where the tags are `rare`, as those of one entity, it is ten times quicker to look at the events themselves.
    """
    keys: list[str] = []
    types: list[str | None] = []
    for item in query.items:
        for joined, choice in _keys_of_item(item, rare=rare):
            keys.append(joined)
            types.append(choice)
    return keys, types


def _keys_of_item(item: QueryItem, *, rare: bool) -> Iterable[tuple[str, str | None]]:
    tags = "\n".join(item.tags)
    if not item.tags:
        return [(f"\x01{type}", None) for type in item.types]
    if not item.types:
        return [(tags, None)]
    if len(item.types) == 1 and not rare:
        return [(f"{tags}\n\x01{type}", None) for type in item.types]
    return [(tags, "\n".join(item.types))]


_kinds: dict[tuple[str, int], Kind] = {}


def _kind(type: str, version: int) -> Kind:
    kind = _kinds.get((type, version))
    if kind is None:
        kind = _kinds[type, version] = Kind(type, version)
    return kind


def sequenced(rows: Iterable[tuple[Any, ...]]) -> list[SequencedEvent]:
    """Events of their rows, nothing decoded."""
    kind = _kind
    return [
        SequencedEvent(position, kind(type, version), id, recorded, effective, tags, data, metadata, salt, leaf)
        for position, type, version, id, recorded, effective, tags, data, metadata, salt, leaf in rows
    ]


class Reader:
    """Reads on connections that are lent for a page each."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._forwards = queries(connections.address.schema)
        self._backwards = queries(connections.address.schema, backwards=True)
        self.newest: Position = 0
        """The newest position that was ever heard of here: a hint, never a promise."""

    def rows(self, name: str, parameters: tuple[Any, ...] = (), *, backwards: bool = False) -> list[tuple[Any, ...]]:
        """What one named statement finds."""
        sql = (self._backwards if backwards else self._forwards)[name]

        def work(connection: Connection) -> list[tuple[Any, ...]]:
            return connection.cursor(binary=True).execute(sql, parameters, prepare=True).fetchall()

        return self._connections.ask(work)

    def head(self) -> Position:
        """The newest position."""
        found = self.rows("head")
        head = int(found[0][0]) if found else 0
        self.newest = max(self.newest, head)
        return head

    def read(self, query: Query, span: Span, limit: int | None) -> Iterator[SequencedEvent]:
        """See `EventStore.read`; the arguments are checked already."""
        if span.backwards:
            span = Span(span.after, min(span.until, self.head()), True)
        page = self._pager(query)
        left = limit
        while (left is None or left > 0) and span.after < span.until:
            found = page(span, left)
            yield from found.events
            if found.ended:
                return
            span = found.left
            if left is not None:
                left -= len(found.events)

    def _pager(self, query: Query) -> Callable[[Span, int | None], Page]:
        """How to get the page of a span, of no more than so many events."""
        if query.is_all:
            return self._all
        if any(item.tags for item in query.items):
            return _Finding(self, query).page
        return _Sifting(self, query).page

    def _all(self, span: Span, left: int | None) -> Page:
        size = PAGE if left is None else min(PAGE, left)
        return self.page_of(span, self.page("read", span, size), size)

    def page(self, name: str, span: Span, size: int, *more: object) -> list[SequencedEvent]:
        """The first events of a span that a statement finds."""
        rows = self.rows(name, (span.after, span.until, size, *more), backwards=span.backwards)
        return sequenced(rows)

    def page_of(self, span: Span, events: list[SequencedEvent], size: int) -> Page:
        """A page that is not full is the last one, where all of the span was there already; else what comes counts, too."""
        ended = not events or (len(events) < size and span.until <= self.newest)
        return Page(span.beyond(events[-1].position) if events else span, events, ended)

    def is_near(self, span: Span) -> bool:
        """Whether so little is left that it is quicker to look at all of it."""
        return span.until - span.after <= NEAR or (not span.backwards and span.after >= self.newest - NEAR)

    def look_through(self, query: Query, span: Span, left: int | None) -> Page:
        """A short stretch of everything, of which is kept what matches."""
        looked_at = self.page("read", span, NEAR)
        if not looked_at:
            return Page(span, [], ended=True)
        if len(looked_at) == NEAR:
            self.head()  # There is more than was thought.
        found = [event for event in looked_at if query.matches(event.type, event.tags)]
        if left is not None and len(found) > left:
            return Page(span.beyond(found[left - 1].position), found[:left])
        return Page(span.beyond(looked_at[-1].position), found)

    def skim(self, types: Collection[str], span: Span, limit: int) -> list[Skimmed]:
        """See `Skims.skim`: a stretch after the other is gone through; where the types are rare, the index finds the rest."""
        found: list[Skimmed] = []
        names = Texts(types)
        while (left := limit - len(found)) > 0 and span.after < span.until:
            stretch = span.stretch(STRETCH)
            rows: list[Any] = self.rows("skim", (stretch.after, stretch.until, min(left, PAGE), names))
            found += rows
            if len(rows) == min(left, PAGE):
                span = span.beyond(rows[-1][0])
                continue
            span = span.beyond(stretch.until)
            if len(rows) < RARE and stretch.until - stretch.after == STRETCH:
                rest = self.read(Query.of(types=types), span, limit - len(found))
                return found + [skimmed(event) for event in rest]
        return found

    # Loading.

    def load(self, queries: Sequence[Query], after: Sequence[Position]) -> tuple[Position, list[list[SequencedEvent]]]:
        """See `EventStore.load`: what the index can find together in one statement, the rest up to the same head."""
        together = [
            number for number, query in enumerate(queries) if query.items and all(item.tags for item in query.items)
        ]
        found: list[list[SequencedEvent]] = [[] for _ in queries]
        head = self._load_together(together, queries, after, found) if together else self.head()
        self.newest = max(self.newest, head)
        for number in sorted(set(range(len(queries))).difference(together)):
            found[number] = list(self.read(queries[number], Span(after[number], head), None))
        return head, found

    def _load_together(
        self,
        numbers: Sequence[int],
        queries: Sequence[Query],
        after: Sequence[Position],
        found: list[list[SequencedEvent]],
    ) -> Position:
        keys, types, starts, owners = Texts(), Texts(), Bigints(), list[int]()
        for number in numbers:
            its_keys, its_types = keys_of(queries[number], rare=True)
            keys += its_keys
            types += its_types
            starts += [after[number]] * len(its_keys)
            owners += [number] * len(its_keys)
        rows = self.rows("load", (keys, types, starts))
        kind = _kind
        for _, asked, position, type, version, id, recorded, effective, tags, data, metadata, salt, leaf in rows:
            if position is not None:
                found[owners[asked - 1]].append(
                    SequencedEvent(
                        position, kind(type, version), id, recorded, effective, tags, data, metadata, salt, leaf
                    )
                )
        for number in numbers:
            found[number] = _in_order(found[number], once=len(queries[number].items) == 1)
        return int(rows[0][0])


def _in_order(events: list[SequencedEvent], *, once: bool) -> list[SequencedEvent]:
    """By position, each once: what several items found is there several times."""
    if not once:
        return [event for _, event in sorted({event.position: event for event in events}.items())]
    events.sort(key=_position)
    return events


def _position(event: SequencedEvent) -> Position:
    return event.position


class _Finding:
    """Pages of what the index finds, each larger than the one before."""

    def __init__(self, reader: Reader, query: Query) -> None:
        self._reader = reader
        self._query = query
        keys, types = keys_of(query, rare=False)
        self._page = PAGE
        if len(keys) == 1:
            only = None if types[0] is None else Texts(types[0].split("\n"))
            self._find = partial(reader.page, "find")
            self._asked: tuple[object, object] = (Texts(keys[0].split("\n")), only)
        else:
            self._find = partial(reader.page, "find_any")
            self._asked = (Texts(keys), Texts(types))

    def page(self, span: Span, left: int | None) -> Page:
        """The next one."""
        if self._reader.is_near(span):
            return self._reader.look_through(self._query, span, left)
        size = self._page if left is None else min(self._page, left)
        self._page = min(self._page * 4, LARGEST_PAGE)
        return self._reader.page_of(span, self._find(span, size, *self._asked), size)


class _Sifting:
    """Types alone: a stretch is gone through; where they turn out to be rare, the index is asked for the rest."""

    def __init__(self, reader: Reader, query: Query) -> None:
        self._reader = reader
        self._query = query
        self._types = Texts({type for item in query.items for type in item.types})
        self._finding: _Finding | None = None

    def page(self, span: Span, left: int | None) -> Page:
        """The next one."""
        if self._finding is not None:
            return self._finding.page(span, left)
        if self._reader.is_near(span):
            return self._reader.look_through(self._query, span, left)
        size = PAGE if left is None else min(PAGE, left)
        stretch = span.stretch(STRETCH)
        events = self._reader.page("read_types", stretch, size, self._types)
        if len(events) == size:
            return Page(span.beyond(events[-1].position), events)
        if len(events) < RARE:
            self._finding = _Finding(self._reader, self._query)
        if span.backwards:
            return Page(Span(span.after, stretch.after, True), events)
        # The journal may end inside the stretch: what comes there meanwhile must not be passed over.
        return Page(span.beyond(events[-1].position) if events else span, events)

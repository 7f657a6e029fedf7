"""Reading the file by pages: never a transaction longer than a page, so that no reader holds back the writers."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from actum.journal.errors import Corrupted
from actum.journal.event import LAST_POSITION, Position, SequencedEvent
from actum.stores.sqlite import tag_index
from actum.stores.sqlite.file import closed, connect, translated
from actum.stores.sqlite.interning import Kinds, json_of
from actum.stores.sqlite.per_thread import PerThread
from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    import apsw

    from actum.journal.event import Kind
    from actum.journal.query import Query
    from actum.journal.skim import Skimmed
    from actum.journal.store import Durability
    from actum.stores.sqlite.writing import Writer

MadeT = TypeVar("MadeT")

_SQL = statements("sqlite/queries.sql")
_READ_TAGGED = _SQL["read_tagged"]

PAGE = 1000
"""How many events are read at once."""

ABSENT_KNOWN = 10_000
"""Of how many things it is known up to where the index has nothing of them."""

READER_CACHE_KIB = 2048
"""A reader's page cache is dropped at every foreign commit: a big one makes the next read slower."""


class Span(msgspec.Struct, frozen=True):
    """Which part of the journal to read, and in which direction."""

    after: Position
    until: Position
    backwards: bool

    def beyond(self, position: Position) -> Span:
        """What is left once everything up to that position, in reading order, was seen."""
        if self.backwards:
            return Span(self.after, position - 1, True)
        return Span(position, self.until, False)


def sequenced(connection: apsw.Connection, rows: Iterable[Any], kinds: Kinds) -> list[SequencedEvent]:
    """Events of their rows, nothing decoded."""
    return _made(_sequenced, connection, rows, kinds)


def _sequenced(rows: list[Any], kinds: dict[int, Kind]) -> list[SequencedEvent]:
    return [
        SequencedEvent(position, kinds[kind], id, recorded, effective, tags, data, metadata, salt, leaf)
        for position, kind, id, recorded, effective, tags, data, metadata, salt, leaf in rows
    ]


def _skimmed(rows: list[Any], kinds: dict[int, Kind]) -> list[Skimmed]:
    return [
        (position, type, version, id, tags, data)
        for position, kind, id, tags, data in rows
        for type, version in (kinds[kind],)
    ]


def _made(
    make: Callable[[list[Any], dict[int, Kind]], list[MadeT]],
    connection: apsw.Connection,
    rows: Iterable[Any],
    kinds: Kinds,
) -> list[MadeT]:
    """What is made of rows and the kinds that their numbers stand for."""
    found = list(rows)
    try:
        return make(found, kinds.by_number())
    except KeyError:
        known = kinds.read_again(connection)
    try:
        return make(found, known)
    except KeyError as wrong:
        position = next(row[0] for row in found if row[1] not in known)
        raise Corrupted(
            f"{connection.filename}: the event at position {position} is of kind number {wrong}, and there is none; "
            "restore from a backup"
        ) from wrong


def matching(connection: apsw.Connection, rows: list[Any], kinds: Kinds, query: Query) -> list[SequencedEvent]:
    """The events of those rows that are asked for; quick for what is asked most, one tag."""
    if len(query.items) == 1 and len(query.items[0].tags) == 1:
        ((tag,), types) = query.items[0].tags, query.items[0].types
        with suppress(KeyError):  # A kind that is not known yet: what follows finds out.
            return _tagged(rows, kinds.among(types), tag)
    return [event for event in sequenced(connection, rows, kinds) if query.matches(event.type, event.tags)]


def _tagged(rows: list[Any], kinds: dict[int, Kind | None], tag: str) -> list[SequencedEvent]:
    line = f"\n{tag}\n"
    return [
        SequencedEvent(position, named, id, recorded, effective, tags, data, metadata, salt, leaf)
        for position, kind, id, recorded, effective, tags, data, metadata, salt, leaf in rows
        if (named := kinds[kind]) is not None and line in f"\n{tags}\n"
    ]


class Reader:
    """Reads on connections of its own, one a thread."""

    def __init__(self, path: Path, writer: Writer, *, durability: Durability, timeout: float) -> None:
        self._path = path
        self._writer = writer
        self._durability = durability
        self._timeout = timeout
        self._kinds = Kinds()
        self._connections = PerThread(self._connect, close=lambda connection: connection.close())
        self._absent: dict[str, Position] = {}
        self._closed = False

    def connection(self) -> apsw.Connection:
        """This thread's connection. `Unavailable` once closed."""
        if self._closed:
            raise closed(self._path)
        return self._connections.mine()

    def _connect(self) -> apsw.Connection:
        self._writer.turns.check_in_place()
        return connect(
            self._path, writes=False, durability=self._durability, cache_kib=READER_CACHE_KIB, timeout=self._timeout
        )

    def head(self) -> Position:
        """The newest position."""
        with translated(self._path):
            row = self.connection().execute(_SQL["newest"]).fetchone()
        return int(row[0] or 0) if row else 0

    def read(self, query: Query, span: Span, limit: int | None) -> Iterator[SequencedEvent]:
        """See `EventStore.read`; the arguments are checked already."""
        page = self._pager(query)
        left = limit
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            with translated(self._path):
                last, events = page(self.connection(), span, size)
            yield from events
            if last is None:
                return
            span = span.beyond(last)
            if left is not None:
                left -= len(events)

    def skim(self, types: Collection[str], span: Span, limit: int) -> list[Skimmed]:
        """See `Skims.skim`."""
        found: list[Skimmed] = []
        names = json_of(sorted(types))
        while (left := min(limit - len(found), PAGE)) > 0:
            with translated(self._path):
                connection = self.connection()
                rows = connection.execute(_SQL["skim"], (span.after, span.until, left, names))
                page = _made(_skimmed, connection, rows, self._kinds)
            found += page
            if len(page) < left:
                break
            span = span.beyond(page[-1][0])
        return found

    def _pager(
        self, query: Query
    ) -> Callable[[apsw.Connection, Span, int], tuple[Position | None, list[SequencedEvent]]]:
        """How to get a page: the last position it looked at (None at the end) and the events it found."""
        if query.is_all:
            return lambda connection, span, size: self._scan(connection, span, size, None)
        if all(item.tags for item in query.items):
            asked = tag_index.expressions(query)
            return lambda connection, span, size: self._look_up(connection, query, asked, span, size)
        if any(item.tags for item in query.items):
            return lambda connection, span, size: self._sift(connection, query, span, size)
        types = frozenset(type for item in query.items for type in item.types)
        return lambda connection, span, size: self._scan(connection, span, size, types)

    def _scan(
        self, connection: apsw.Connection, span: Span, size: int, types: frozenset[str] | None
    ) -> tuple[Position | None, list[SequencedEvent]]:
        direction = "backwards" if span.backwards else "forwards"
        if types is None:
            rows = connection.execute(_SQL[f"read_{direction}"], (span.after, span.until, size))
        else:
            names = json_of(sorted(types))
            rows = connection.execute(_SQL[f"read_types_{direction}"], (span.after, span.until, size, names))
        events = sequenced(connection, rows, self._kinds)
        return (events[-1].position if events else None), events

    def _sift(
        self, connection: apsw.Connection, query: Query, span: Span, size: int
    ) -> tuple[Position | None, list[SequencedEvent]]:
        """Some items have tags and some have none: read everything and keep what matches."""
        kept: list[SequencedEvent] = []
        while len(kept) < size:
            last, events = self._scan(connection, span, PAGE, None)
            if last is None:
                break
            kept.extend(event for event in events if query.matches(event.type, event.tags))
            span = span.beyond(last)
        kept = kept[:size]
        return (kept[-1].position if kept else None), kept

    def _look_up(
        self, connection: apsw.Connection, query: Query, asked: list[str], span: Span, size: int
    ) -> tuple[Position | None, list[SequencedEvent]]:
        """By the index, and beyond what it covers by the window."""
        indexed, recent = self._recent(query, span)
        recent = recent[::-1] if span.backwards else recent
        old = Span(span.after, min(span.until, indexed), span.backwards)
        positions = recent[:size] if span.backwards else []
        if old.after < old.until and len(positions) < size:
            positions += tag_index.find(
                connection,
                asked,
                after=old.after,
                until=old.until,
                limit=size - len(positions),
                backwards=span.backwards,
            )
        if not span.backwards:
            positions += recent[: size - len(positions)]
        if not positions:
            return None, []
        return positions[-1], self.at(connection, query, positions, backwards=span.backwards)

    def _recent(self, query: Query, span: Span) -> tuple[Position, list[Position]]:
        """How far the index reaches, and the matches beyond it."""
        writer = self._writer
        with writer.lock:
            known = writer.known
            known.catch_up()
            return known.indexed, known.window.find(query, max(span.after, known.indexed), span.until)

    def at(
        self, connection: apsw.Connection, query: Query, positions: list[Position], *, backwards: bool = False
    ) -> list[SequencedEvent]:
        """The events at these positions that really match."""
        rows = list(connection.execute(_SQL["read_positions"], (json_of(positions),)))
        events = matching(connection, rows, self._kinds, query)
        return events[::-1] if backwards else events

    def load(self, queries: Sequence[Query], after: Sequence[Position]) -> tuple[Position, list[list[SequencedEvent]]]:
        """See `EventStore.load`. On the writer's own connection, whose cache is warm; the lock is held.

        What is found is never changed, so it is looked for up to where the journal ended last. Whoever has read rows has
        thereby learned whether anybody else has written since: the head is asked for only where so or where nothing was read.
        """
        known = self._writer.known
        seen = known.window.head
        loaded = [self._load(query, start, seen) for query, start in zip(queries, after, strict=True)]
        head = seen if any(loaded) and known.is_whole() else known.catch_up()
        if head > seen:
            for query, start, events in zip(queries, after, loaded, strict=True):
                events.extend(self._load(query, max(start, seen), head))
        return head, loaded

    def _load(self, query: Query, after: Position, until: Position) -> list[SequencedEvent]:
        """All matches in (after, until]."""
        if after >= until:
            return []
        if query.items and all(item.tags for item in query.items):
            return self._load_tagged(query, after, until)
        known, connection = self._writer.known, self._writer.connection
        if query.is_all or any(item.tags for item in query.items):
            rows = connection.execute(_SQL["read_forwards"], (after, until, -1))
        else:
            names = json_of(sorted({type for item in query.items for type in item.types}))
            rows = connection.execute(_SQL["read_types_forwards"], (after, until, -1, names))
        return matching(connection, list(rows), known.kinds, query)

    def _load_tagged(self, query: Query, after: Position, until: Position) -> list[SequencedEvent]:
        """Old ones by the index, and those that the window still has by the window, which costs next to nothing."""
        known, connection = self._writer.known, self._writer.connection
        old = min(until, known.window.floor)
        found = self._load_indexed(query, after, old) if after < old else []
        recent = known.window.find(query, max(after, old), until)
        return found + self.at(connection, query, recent) if recent else found

    def _load_indexed(self, query: Query, after: Position, until: Position) -> list[SequencedEvent]:
        known, connection = self._writer.known, self._writer.connection
        asked = tag_index.expressions(query)
        if len(asked) > 1:
            positions = tag_index.find(connection, asked, after=after, until=until, limit=LAST_POSITION)
            return self.at(connection, query, positions)
        nothing_until = self._absent.get(asked[0], 0)
        if nothing_until >= until:
            return []
        rows = list(connection.execute(_READ_TAGGED, (asked[0], max(after, nothing_until), until)))
        if not rows and after <= nothing_until:
            self._is_absent(asked[0], until)
        return matching(connection, rows, known.kinds, query)

    def _is_absent(self, expression: str, until: Position) -> None:
        """The index has nothing of it up to a position: a guard asks that, and then the state of the new thing."""
        if len(self._absent) >= ABSENT_KNOWN:
            self._absent.clear()
        self._absent[expression] = until

    def forget_absent(self) -> None:
        """The index was written anew: what it did not have it may have now."""
        self._absent.clear()

    def close(self) -> None:
        """Give every thread's connection back."""
        self._closed = True
        self._connections.close()

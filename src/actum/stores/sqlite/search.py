"""An index for searching, in a file of its own: ids, stories and causes as small trees, words by full-text search.

Whatever engine keeps the journal, the index is a file beside whoever searches: it can be deleted and made again. As with a read
database, what was taken in and how far it has come are old together after a power cut.
"""

from __future__ import annotations

import base64
import contextlib
import re
import threading
from collections import Counter
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from actum.journal.errors import NotAJournal, Unavailable
from actum.journal.readmodel import Mark
from actum.journal.store import Durability
from actum.stores.sqlite.file import Layout, connect, translated
from actum.stores.sqlite.per_thread import PerThread
from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import apsw

    from actum.journal.clock import Microseconds
    from actum.journal.event import Position
    from actum.journal.search import Entry, Span, Wanted

_SQL = statements("sqlite/search.sql")

SEARCH_INDEX = Layout(0x61637473, "index for searching", ("sqlite/search_0001.sql",))
"""How it is known: its application id spells "acts"."""

MEMORY = ":memory:"

_PARTS = re.compile(r"[^\W_]+")

CACHE_KIB = 16384

TICK = 10_000_000
"""Microseconds: how finely it knows when events were recorded."""


class SqliteSearch:
    """The index of the journal `origin` in the file `path`, made where there is none; `:memory:` for none at all."""

    def __init__(self, path: str | Path, *, origin: str, timeout: float = 10.0) -> None:
        self._memory = str(path) == MEMORY
        self._path = Path(path) if self._memory else Path(path).absolute()
        self._timeout = timeout
        self._closed = False
        self._lock = threading.RLock()
        self._readers = PerThread(lambda: self._connect(writes=False), close=lambda connection: connection.close())
        self._writer = self._connect(writes=True)
        try:
            SEARCH_INDEX.bring_up_to_date(self._writer, self._path)
            self._check_origin(origin)
        except BaseException:
            self._writer.close()
            raise

    def _check_origin(self, origin: str) -> None:
        with translated(self._path):
            self._writer.execute(_SQL["begin"], (origin,))
            found = self._writer.execute(_SQL["origin"]).get
        if found != origin:
            raise NotAJournal(
                f"{self._path} was derived from another journal (expected {origin}, found {found}); delete it, or name another"
            )

    def _connect(self, *, writes: bool) -> apsw.Connection:
        return connect(
            self._path,
            layout=SEARCH_INDEX,
            writes=writes,
            durability=Durability.LOSES_LAST_COMMITS_WITH_POWER,
            cache_kib=CACHE_KIB,
            timeout=self._timeout,
        )

    @property
    def address(self) -> str:
        """See `SearchIndex.address`."""
        return str(self._path)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        """This thread's connection for reading; in memory, the one there is."""
        if self._closed:
            raise Unavailable(f"the index {self._path} is closed; open it again")
        if self._memory:
            with self._lock, translated(self._path):
                yield self._writer
            return
        mine = self._readers.mine()
        with translated(self._path):
            yield mine

    @contextlib.contextmanager
    def _writing(self) -> Iterator[apsw.Connection]:
        with self._lock, translated(self._path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def mark(self) -> Mark:
        """See `SearchIndex.mark`."""
        with self._reading() as connection:
            return Mark(*connection.execute(_SQL["mark"]).get)

    def add(self, entries: Sequence[Entry], *, seen: Mark, reached: Mark) -> bool:
        """See `SearchIndex.add`."""
        with self._writing() as connection:
            connection.execute(_SQL["move"], (reached.position, reached.event, seen.position, seen.event))
            if connection.changes() != 1:
                return False
            halves = {
                "add_id": [(_half(each.id), each.position) for each in entries],
                "add_story": [(_half(each.story), each.position) for each in entries if each.story],
                "add_cause": [(_half(each.cause), each.position) for each in entries if each.cause],
                "add_tick": list({each.recorded // TICK: each.position for each in entries}.items()),
            }
            for statement, rows in halves.items():
                connection.executemany(_SQL[statement], rows)
            connection.executemany(_SQL["add_words"], [(each.position, _text(each)) for each in entries])
            connection.executemany(_SQL["add_type"], list(Counter(each.type for each in entries).items()))
        return True

    def clear(self) -> None:
        """See `SearchIndex.clear`."""
        with self._writing() as connection:
            connection.execute(_SQL["clear"])

    def with_id(self, id: bytes) -> list[Position]:
        """See `SearchIndex.with_id`."""
        return self._positions("with_id", (_half(id),))

    def of_story(self, story: bytes, span: Span) -> list[Position]:
        """See `SearchIndex.of_story`."""
        return self._positions(f"of_story_{_way(span)}", (_half(story), span.after, span.until, span.limit))

    def caused_by(self, cause: bytes, span: Span) -> list[Position]:
        """See `SearchIndex.caused_by`."""
        return self._positions(f"caused_by_{_way(span)}", (_half(cause), span.after, span.until, span.limit))

    def find(self, wanted: Wanted, span: Span) -> list[Position]:
        """See `SearchIndex.find`."""
        marks = [" OR ".join(map(_marked, each)) for each in wanted.marks]
        demand = " AND ".join(f"({each})" for each in (*marks, *map(_words, wanted.words)) if each)
        return self._positions(f"find_{_way(span)}", (demand, span.after, span.until, span.limit)) if demand else []

    def _positions(self, statement: str, values: tuple[int | str, ...]) -> list[Position]:
        with self._reading() as connection:
            return [position for (position,) in connection.execute(_SQL[statement], values)]

    def last_until(self, moments: Sequence[Microseconds]) -> list[Position]:
        """See `SearchIndex.last_until`."""
        with self._reading() as connection:
            return [connection.execute(_SQL["last_until"], (moment // TICK,)).get or 0 for moment in moments]

    def types(self) -> dict[str, int]:
        """See `SearchIndex.types`."""
        with self._reading() as connection:
            return dict(connection.execute(_SQL["types"]))

    def close(self) -> None:
        """See `SearchIndex.close`."""
        with self._lock:
            self._closed = True
            self._readers.close()
            self._writer.close()


def _half(id: bytes) -> int:
    return int.from_bytes(id[:8], "big", signed=True)


def _way(span: Span) -> str:
    return "newest" if span.newest else "oldest"


def _text(entry: Entry) -> str:
    return " ".join((entry.words, *map(_marked, entry.marks)))


def _marked(mark: str) -> str:
    """A mark as one word that no text has."""
    return "0x" + base64.b32hexencode(blake2b(mark.encode("utf-8", "surrogatepass"), digest_size=5).digest()).decode()


def _words(word: str) -> str:
    """A word as its parts, as the index has them: `A-1*` is a, and what begins with 1."""
    parts = [f'"{part}"' for part in _PARTS.findall(word)]
    return " AND ".join(parts) + (" *" if parts and word.endswith("*") else "")

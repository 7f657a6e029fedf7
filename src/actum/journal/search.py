"""What an index for searching must offer: events by their ids, stories, causes and words, and how many there were when.

Derived from one journal, kept beside it, and worth nothing more: it may be deleted at any time, and is made again. It answers
with positions, of which some may be wrong, none missing: whoever asks looks at the events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from actum.journal.clock import Microseconds
from actum.journal.event import Position
from actum.journal.readmodel import Mark

if TYPE_CHECKING:
    from collections.abc import Sequence


class Entry(msgspec.Struct, frozen=True, gc=False):
    """What an index keeps of an event. `words` are separated by spaces; `marks` are found as they are, and nothing else is."""

    position: Position
    type: str
    recorded: Microseconds
    id: bytes
    story: bytes | None
    cause: bytes | None
    marks: tuple[str, ...]
    words: str


class Wanted(msgspec.Struct, frozen=True):
    """Events that have every one of these: of each of the `marks` one of the choices; of the `words` all.

    A word that ends with `*` stands for all that begin so.
    """

    marks: tuple[tuple[str, ...], ...] = ()
    words: tuple[str, ...] = ()


class Span(msgspec.Struct, frozen=True):
    """The positions with `after` < position ≤ `until`, `limit` of them at the most, the newest first or the oldest."""

    after: Position
    until: Position
    limit: int
    newest: bool = True


class SearchIndex(Protocol):
    """Everything by which an event is found. Shared between threads and processes."""

    @property
    def address(self) -> str:
        """Where it is, for people."""
        ...

    def mark(self) -> Mark:
        """How far it has come."""
        ...

    def add(self, entries: Sequence[Entry], *, seen: Mark, reached: Mark) -> bool:
        """Take in entries, in one transaction; False, and nothing is changed, where it does not stand where one had `seen` it."""
        ...

    def clear(self) -> None:
        """Begin anew."""
        ...

    def with_id(self, id: bytes) -> list[Position]:
        """Where an event of that id may stand."""
        ...

    def of_story(self, story: bytes, span: Span) -> list[Position]:
        """Where events of that story may stand."""
        ...

    def caused_by(self, cause: bytes, span: Span) -> list[Position]:
        """Where events may stand that name this as their cause, beyond their own command."""
        ...

    def find(self, wanted: Wanted, span: Span) -> list[Position]:
        """Where events may stand that have all that is wanted."""
        ...

    def last_until(self, moments: Sequence[Microseconds]) -> list[Position]:
        """For each moment the last position of the ten seconds that ended by then, 0 where there is none."""
        ...

    def types(self) -> dict[str, int]:
        """How many events there are of each type."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...

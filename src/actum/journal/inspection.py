"""What is to be known of the database that keeps a journal or its views: how large it is, and what of that is waste."""

from __future__ import annotations

import msgspec


class Part(msgspec.Struct, frozen=True):
    """A table with its indexes, or a file: its bytes, and how many of its rows are waste, where that can be known."""

    name: str
    bytes: int
    waste: int = 0


class Inspection(msgspec.Struct, frozen=True):
    """One database, as it is now.

    `engine` is its program and version. `layout` is the version of its tables, `newest` the newest that this actum knows.
    `bytes` is all that it takes on the disk, `reusable` what of that is free to be used again. `notes` are for people:
    what may keep it from growing slower, or from being looked after.
    """

    engine: str
    layout: int
    newest: int
    bytes: int
    reusable: int
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()

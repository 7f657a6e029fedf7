"""Lists as PostgreSQL reads them fastest: one binary parameter each, of a type that is said and never guessed.

The format is that of `array_recv` in src/backend/utils/adt/arrayfuncs.c: dimensions, flags, the element's type, length
and lower bound; then each element with its length before it.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, ClassVar

from psycopg.adapt import Dumper
from psycopg.pq import Format

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg.adapt import AdaptersMap

_HEADER = Struct(">iiiii")
_EMPTY = Struct(">iii")
_INT4, _INT8 = Struct(">ii"), Struct(">iq")
_FLOAT8 = Struct(">id")
_LENGTH = Struct(">i")
_LENGTHS = tuple(_LENGTH.pack(length) for length in range(1024))
_NULL = _LENGTH.pack(-1)


class Texts(list["str | None"]):
    """A `text[]`."""


class Blobs(list[bytes]):
    """A `bytea[]`."""


class Bigints(list["int | None"]):
    """A `bigint[]`."""


class Reals(list["float | None"]):
    """A `double precision[]`."""


class Integers(list["int | None"]):
    """An `integer[]`."""


def _packed(element: int, pieces: Iterable[bytes], count: int) -> bytes:
    if not count:
        return _EMPTY.pack(0, 0, element)
    return _HEADER.pack(1, 1, element, count, 1) + b"".join(pieces)


def _sized(items: Iterable[bytes]) -> Iterable[bytes]:
    for item in items:
        size = len(item)
        yield _LENGTHS[size] if size < 1024 else _LENGTH.pack(size)
        yield item


class _ArrayDumper(Dumper):
    format = Format.BINARY
    element: ClassVar[int]

    def dump(self, obj: Any) -> bytes:
        raise TypeError(obj)


class _TextsDumper(_ArrayDumper):
    oid, element = 1009, 25

    def dump(self, obj: Texts) -> bytes:
        return _packed(self.element, _texts(obj), len(obj))


def _texts(items: Iterable[str | None]) -> Iterable[bytes]:
    for text in items:
        if text is None:
            yield _NULL
            continue
        item = text.encode()
        size = len(item)
        yield _LENGTHS[size] if size < 1024 else _LENGTH.pack(size)
        yield item


class _BlobsDumper(_ArrayDumper):
    oid, element = 1001, 17

    def dump(self, obj: Blobs) -> bytes:
        return _packed(self.element, _sized(obj), len(obj))


class _BigintsDumper(_ArrayDumper):
    oid, element = 1016, 20

    def dump(self, obj: Bigints) -> bytes:
        return _packed(self.element, (_NULL if one is None else _INT8.pack(8, one) for one in obj), len(obj))


class _RealsDumper(_ArrayDumper):
    oid, element = 1022, 701

    def dump(self, obj: Reals) -> bytes:
        return _packed(self.element, (_NULL if one is None else _FLOAT8.pack(8, one) for one in obj), len(obj))


class _IntegersDumper(_ArrayDumper):
    oid, element = 1007, 23

    def dump(self, obj: Integers) -> bytes:
        return _packed(self.element, (_NULL if one is None else _INT4.pack(4, one) for one in obj), len(obj))


def register(adapters: AdaptersMap) -> None:
    """Let a connection send these lists."""
    for kind, dumper in (
        (Texts, _TextsDumper),
        (Blobs, _BlobsDumper),
        (Bigints, _BigintsDumper),
        (Integers, _IntegersDumper),
        (Reals, _RealsDumper),
    ):
        adapters.register_dumper(kind, dumper)

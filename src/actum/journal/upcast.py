"""Old events in today's words: what was stored stays as it is, and is read through a chain of small changes.

```python
bank.upcast("Opened", 1, rename("name", to="owner"), add("currency", "CZK"))      # Opened 1 -> Opened 2
bank.upcast("AccountOpened", 1, into=Opened)                                      # an older name for the type
bank.upcast("Moved", 1, split(parts, into=[("Withdrawn", 1), ("Deposited", 1)]))
bank.upcast("Pinged", 1, drop())                                                  # nothing of it matters today
```
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from actum.journal.errors import Misdeclared
from actum.journal.event import Kind

Data: TypeAlias = dict[str, Any]
"""The fields of a stored event, as JSON has them."""

Change: TypeAlias = Callable[[Data], Data]
"""A pure function from the fields as they were to the fields as they should have been."""

Parts: TypeAlias = Sequence[tuple[str, int, Data]]
"""What one stored event is today: type, version and fields of each."""


class Upcaster(msgspec.Struct, frozen=True):
    """How events of one kind are read: as what kinds they come out, and the function that does it."""

    source: Kind
    targets: tuple[Kind, ...]
    change: Callable[[Data], Parts]


class Split(msgspec.Struct, frozen=True):
    """One stored event is several today. `into` names the types that can come out, so that queries find them."""

    change: Callable[[Data], Parts]
    into: tuple[Kind, ...]


class Drop(msgspec.Struct, frozen=True):
    """A stored event is nothing today."""


def rename(old: str, *, to: str) -> Change:
    """The field `old` is called `to` today. A missing one stays missing."""

    def change(data: Data) -> Data:
        return {to if name == old else name: value for name, value in data.items()}

    return change


def add(field: str, value: Any) -> Change:
    """The field `field` exists today; for old events it is `value`, or what `value(data)` says where that is a function."""

    def change(data: Data) -> Data:
        return data | {field: value(data) if callable(value) else value}

    return change


def remove(field: str) -> Change:
    """The field `field` does not exist any more."""

    def change(data: Data) -> Data:
        return {name: value for name, value in data.items() if name != field}

    return change


def merge(*fields: str, into: str, by: Callable[..., Any]) -> Change:
    """Several fields are one today: `merge("first", "last", into="name", by=lambda first, last: f"{first} {last}")`."""

    def change(data: Data) -> Data:
        rest = {name: value for name, value in data.items() if name not in fields}
        return rest | {into: by(*(data.get(field) for field in fields))}

    return change


def convert(field: str, by: Callable[[Any], Any]) -> Change:
    """The field `field` means the same in another form: `convert("amount", by=lambda cents: str(Decimal(cents) / 100))`."""

    def change(data: Data) -> Data:
        return data | {field: by(data[field])} if field in data else data

    return change


def split(change: Callable[[Data], Parts], *, into: Sequence[tuple[str, int]]) -> Split:
    """One stored event is several today; `into` lists the (type, version) pairs that can come out."""
    return Split(change, tuple(Kind(type, version) for type, version in into))


def drop() -> Drop:
    """Events of that kind are read as nothing."""
    return Drop()


def upcaster(source: Kind, changes: Sequence[Change | Split | Drop], into: Kind | None) -> Upcaster:
    """The upcaster of one kind: its changes in order, and what comes out (the next version where nothing else is said)."""
    if any(isinstance(change, Split | Drop) for change in changes):
        return _whole(source, changes, into)
    fields: list[Change] = [change for change in changes if not isinstance(change, Split | Drop)]
    target = into or Kind(source.type, source.version + 1)

    def step(data: Data) -> Parts:
        for change in fields:
            data = change(data)
        return [(target.type, target.version, data)]

    return Upcaster(source, (target,), step)


def _whole(source: Kind, changes: Sequence[Change | Split | Drop], into: Kind | None) -> Upcaster:
    only = changes[0]
    if len(changes) > 1 or into is not None:
        raise Misdeclared(f"upcast {source}: split() and drop() say all there is to say; take the rest away")
    if isinstance(only, Split):
        return Upcaster(source, only.into, only.change)
    return Upcaster(source, (), lambda data: [])

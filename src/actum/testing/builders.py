"""Events and appends that read as English, for tests of stores and of whatever stands on them.

```python
store.append(an_append(an_event("Enrolled", "course:c1", "student:s1"), unless=Query.of(tags=["course:c1"])))
```
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from actum.journal.clock import SYSTEM_IDS
from actum.journal.event import EventData
from actum.journal.query import AppendCondition
from actum.journal.store import Append, DecisionKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actum.journal.clock import Ids, Microseconds
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.query import Query
    from actum.journal.store import EventStore


def an_event(
    type: str = "Happened",
    *tags: str,
    data: bytes = b"{}",
    metadata: bytes = b"{}",
    version: int = 1,
    effective: Microseconds | None = None,
    ids: Ids = SYSTEM_IDS,
) -> EventData:
    """An event of that type with these tags; everything else may be left to chance."""
    return EventData(
        id=ids.new(),
        type=type,
        data=data,
        salt=ids.salt(),
        version=version,
        tags=tags,
        metadata=metadata,
        effective=effective,
    )


def an_append(
    *events: EventData,
    unless: Query | None = None,
    after: Position = 0,
    command: str | None = None,
    content: str = "",
    sequel: bool = False,
) -> Append:
    """An append of these events, `unless` something that matches stands `after` a position; perhaps for a command.

    With a `command` it is a decision on it; `content` stands for what the command said.
    """
    return Append(
        events=events or (an_event(),),
        condition=None if unless is None else AppendCondition(unless, after),
        decision=None if command is None else a_decision(command, content=content),
        sequel=sequel,
    )


def a_decision(command: str, *, content: str = "") -> DecisionKey:
    """What makes an append the decision on the command of that name."""
    return DecisionKey(command=command_id(command), digest=sha256(content.encode()).digest(), handler="decide@1")


def command_id(command: str) -> bytes:
    """The id of the command of that name."""
    return sha256(command.encode()).digest()[:16]


def positions(events: Iterable[SequencedEvent]) -> list[Position]:
    """Where the events stand."""
    return [event.position for event in events]


def fill(store: EventStore, count: int, *tags: str, type: str = "Happened") -> Position:
    """Append `count` events of that type with these tags, in a few batches; the head afterwards."""
    for start in range(0, count, 1000):
        size = min(1000, count - start)
        store.append(an_append(*(an_event(type, *tags) for _ in range(size))))
    return store.head()

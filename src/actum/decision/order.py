"""What is handed in to be decided, or to be taken down without a rule, with everything its envelope says."""

from __future__ import annotations

from typing import ClassVar, TypeAlias

import msgspec

from actum.decision.command import Command
from actum.decision.handler import Handler, Key
from actum.journal.clock import Microseconds
from actum.journal.event import Event
from actum.journal.query import AppendCondition


class Order(msgspec.Struct, frozen=True, gc=False):
    """A command on its way to be decided."""

    handler: Handler
    command: Command
    needs: tuple[Key, ...]
    content: bytes
    digest: bytes
    id: bytes
    metadata: bytes
    effective: Microseconds | None

    @property
    def narrowed(self) -> bool:
        """Whether something may have happened to what the rule looks at without making its answer void."""
        return self.handler.conflicts is not None and bool(self.needs)


class Entry(msgspec.Struct, frozen=True, gc=False):
    """Events on their way into the journal without a rule, which so look at nothing: facts from elsewhere."""

    needs: ClassVar[tuple[Key, ...]] = ()
    narrowed: ClassVar[bool] = False

    events: tuple[Event, ...]
    condition: AppendCondition | None
    metadata: bytes
    effective: Microseconds | None


Job: TypeAlias = Order | Entry

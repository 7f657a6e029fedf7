"""How things are called: instances, timers and effects, each by an id that follows from what led to it.

So whoever does the same work again gives the same commands, and finds it done.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import msgspec

from actum.decision.command import command_id_of
from actum.journal.event import Tag

if TYPE_CHECKING:
    from collections.abc import Iterable

TIMERS = "timers"
"""Under which name timers are followed, and their commands given."""

ProcessName = Annotated[str, Tag("actum-process")]
"""A process, an effect or the timers, by the name under which they follow the journal."""

InstanceId = Annotated[str, Tag("actum-instance")]
"""One instance of a process: `Payout/T-1`."""

TimerId = Annotated[UUID, Tag("actum-timer")]
ScheduleName = Annotated[str, Tag("actum-schedule")]
EffectId = Annotated[UUID, Tag("actum-effect")]


def derived(*parts: object) -> UUID:
    """The id that follows from these parts: always the same for the same, never for others."""
    text = msgspec.json.encode([str(part) for part in parts])
    return UUID(bytes=command_id_of(sha256(text).hexdigest()))


def instance_of(process: str, ids: Iterable[object]) -> str:
    """How an instance is called: its process and its identities, with whatever would be ambiguous in them escaped."""
    from urllib.parse import quote  # noqa: PLC0415 - dear to import, and only who reacts needs it

    return "/".join([process, *(quote(str(value), safe=" @:+,;=!$'()*") for value in ids)])

"""An independent count: each command that was acknowledged against the journal, and each row against a fold of its own.

Looks into journals and read databases itself, and believes nobody's answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from actum.journal.query import Query
from actum.projection.digest import digest_of
from actum.projection.projector import Projector
from actum.projection.view import plan_of
from actum.service.opening import MEMORY, open_read_database

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actum.host.loading import Given
    from actum.journal.event import Position
    from actum.journal.store import JournalStore
    from actum.service.running import Running


class Counted(msgspec.Struct, kw_only=True):
    """What was counted. `lost`: acknowledged, and not in the journal where it was said to be. `doubled`: decided twice.
    `kept`: turned down, and in the journal all the same. `rows` names views whose rows are not what their events come to.
    """

    acknowledged: int = 0
    lost: list[str] = []
    doubled: list[str] = []
    kept: list[str] = []
    rows: list[str] = []

    @property
    def right(self) -> bool:
        """Whether nothing is missing and nothing too much."""
        return not (self.lost or self.doubled or self.kept or self.rows)


class Count:
    """Counts one context's journal as it grows."""

    def __init__(self, store: JournalStore) -> None:
        self._store = store
        self._read: Position = store.head()
        self._places: dict[bytes, list[tuple[Position, Position]]] = {}

    def read_on(self) -> None:
        """Read what has come, and know for each command where its events stand, run by run."""
        for event in self._store.read(Query.all(), after=self._read):
            self._read = event.position
            command = event.metadata.command_id
            if command is None:
                continue
            runs = self._places.setdefault(command.bytes, [])
            if runs and runs[-1][1] == event.position - 1:
                runs[-1] = (runs[-1][0], event.position)
            else:
                runs.append((event.position, event.position))

    def check(self, given: Iterable[Given], counted: Counted) -> None:
        """Hold these commands against it."""
        self.read_on()
        for one in given:
            runs = self._places.get(UUID(one.key).bytes, [])
            if one.acknowledged:
                counted.acknowledged += 1
                if not any(first <= one.position <= last for first, last in runs):
                    counted.lost.append(one.key)
            elif one.turned_down and runs:
                counted.kept.append(one.key)
            if len(runs) > 1:
                counted.doubled.append(one.key)


def wrong_rows(running: Running) -> list[str]:
    """The views whose rows differ from a fold of the whole journal, made for the purpose. Nothing may change meanwhile."""
    found: list[str] = []
    for name, view in running.app.views.items():
        plan = plan_of(view)
        passing = open_read_database(MEMORY, journal=MEMORY, origin=running.store.origin)
        try:
            Projector(running.store, running.app.codec, database=passing, plans=[plan], scribe=None).catch_up()
            if digest_of(passing, plan.shape) != running.digest(view):
                found.append(f"{running.app.name}: {name}")
        finally:
            passing.close()
    return found

"""What has changed: a definition held against the one that made the rows which are there, and what is done about it."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec

from actum.journal.readmodel import Role

if TYPE_CHECKING:
    from actum.journal.readmodel import Shape
    from actum.projection.place import Place


STEP = 500_000
"""How many events go into one transaction of a rebuild, at the most: half a second or many changed rows end it sooner."""


SHOWN = 1000
"""How many rows that differ are told one by one, where nobody says otherwise."""


class Rebuilds(Enum):
    """What an application does by itself when it is opened and a view has changed since its rows were made."""

    AUTOMATIC = "automatic"
    """Build the table of the new definition beside the other one, and switch to it as soon as it has come as far."""
    WHEN_RAISED = "when-raised"
    """The same where the view's version was raised; refuse to open where a view has changed without that."""
    BY_HAND = "by-hand"
    """Nothing: show the rows that are there until somebody rebuilds, compares and switches."""


class Definition(msgspec.Struct, frozen=True):
    """By which definition a table is made: the view's version, and what tells its fold from any other."""

    version: int
    fingerprint: str
    table: str

    def __str__(self) -> str:
        return f"version {self.version} ({self.fingerprint[:8]})"


def definition_of(shape: Shape) -> Definition:
    """The definition that a table is made by."""
    return Definition(shape.version, shape.fingerprint.hex(), shape.table)


class Changed(msgspec.Struct, frozen=True):
    """A view, or a projection (`kind` says which), whose live rows were made by another definition than the program's."""

    view: str
    live: Definition
    mine: Definition
    columns: str
    kind: str = "view"

    @property
    def raised(self) -> bool:
        """Whether the program's version is higher."""
        return self.mine.version > self.live.version

    @property
    def lowered(self) -> bool:
        """Whether it is lower: the program is the older one."""
        return self.mine.version < self.live.version

    def __str__(self) -> str:
        """The difference in one sentence, and what to do."""
        there = f"the {self.kind} {self.view} is kept by {self.live}"
        if self.lowered:
            return f"{there}; this program has the older {self.mine} and leaves it in peace"
        if self.raised:
            return f"{there}; this program has {self.mine}: {self.columns}"
        return (
            f"{there}; this program folds it otherwise ({self.mine.fingerprint[:8]}) and calls that version "
            f"{self.mine.version}, too: {self.columns}. Raise it: version={self.live.version + 1}"
        )


def changed_of(place: Place[Any]) -> Changed | None:
    """What has changed since the live rows were made; None where nothing has, or where there are none."""
    live, mine = place.live(), place.plan.shape
    if live is None or live.shape.fingerprint == mine.fingerprint:
        return None
    columns = _columns(live.shape, mine) if place.kind == "view" else "its handler, or what begin makes, is another"
    return Changed(place.plan.name, definition_of(live.shape), definition_of(mine), columns, place.kind)


def other_code(there: Shape, mine: Shape) -> bool:
    """Whether a definition of the same fingerprint is followed by other code than before, where that is known."""
    return there.fingerprint == mine.fingerprint and bool(there.code) and there.code != mine.code


def switches_by_itself(place: Place[Any], found: Changed, rebuilds: Rebuilds) -> bool:
    """Whether the program is to take the live table's place with its own, without being asked."""
    candidate = place.candidate()
    if rebuilds is Rebuilds.BY_HAND or found.lowered or (candidate is not None and candidate.role is Role.TAKEN_BACK):
        return False
    return found.raised or rebuilds is Rebuilds.AUTOMATIC


def _columns(live: Shape, mine: Shape) -> str:
    """Which columns differ."""
    before, after = ({column.name: column for column in shape.columns} for shape in (live, mine))
    said = [
        (" and ".join(names), what)
        for names, what in (
            ([name for name in after if name not in before], "new"),
            ([name for name in before if name not in after], "gone"),
            ([name for name in after if name in before and after[name] != before[name]], "of another type"),
        )
        if names
    ]
    return "; ".join(f"{names} {what}" for names, what in said) or "the same columns, filled otherwise"

"""What people do to the tables of views, on record: who switched to which definition, when, why, and what was in both."""

from __future__ import annotations

from typing import Annotated

from actum.journal.event import Event, Position, Tag
from actum.projection.changed import Definition

ViewName = Annotated[str, Tag("view")]


class ViewSwitched(Event, name="actum.view_switched"):
    """Somebody has another table take the live one's place. The digests are those of the two, as of `as_of`.

    It is on record before it is done. `added`, `removed` and `changed` are the rows that differed where the two were
    compared before; None where they were not.
    """

    view: ViewName
    before: Definition
    after: Definition
    digest_before: str
    digest_after: str
    as_of: Position
    added: int | None = None
    removed: int | None = None
    changed: int | None = None


class ViewTakenBack(Event, name="actum.view_taken_back"):
    """Somebody goes back to the table that was live before. It is on record before it is done."""

    view: ViewName
    before: Definition
    after: Definition
    digest_before: str
    digest_after: str
    as_of: Position


class RebuildCancelled(Event, name="actum.rebuild_cancelled"):
    """Somebody gives up a candidate; `position` is how far it had come."""

    view: ViewName
    candidate: Definition
    position: Position


class RowsRebuilt(Event, name="actum.view_rows_rebuilt"):
    """Somebody has some rows of a view built anew put in their places. The digests are those of these rows, as of `as_of`.

    It is on record before it is done. `chosen` says in words which rows they are, and `rows` how many.
    """

    view: ViewName
    definition: Definition
    chosen: str
    rows: int
    digest_before: str
    digest_after: str
    as_of: Position
    added: int
    removed: int
    changed: int


ACTS: tuple[type[Event], ...] = (ViewSwitched, ViewTakenBack, RebuildCancelled, RowsRebuilt)
"""All of them: every application knows them."""

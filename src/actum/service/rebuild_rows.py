"""Rebuilding some rows of a view: which they are, how they differ from what readers see, and putting them in place, on record."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic

from actum.decision.acting import Acting
from actum.history.as_of import position_at
from actum.journal.errors import Invalid
from actum.journal.event import LAST_POSITION, Position, checked_tag
from actum.projection.acts import RowsRebuilt
from actum.projection.changed import SHOWN, definition_of
from actum.projection.partial import Concerned, PartialBuild
from actum.projection.view import ViewT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.decision.state import Identity
    from actum.history.as_of import Moment
    from actum.journal.store import EventStore
    from actum.projection.difference import Difference
    from actum.projection.projector import Progressed
    from actum.projection.view import Plan
    from actum.service.rebuild import Rebuilding

TOLD = 20
"""How many keys are named on record, at the most."""


class Chosen:
    """Which rows: those of some keys, and those that some events are about."""

    def __init__(
        self,
        *,
        keys: Sequence[Identity | tuple[Identity, ...]] = (),
        tags: Sequence[str] = (),
        since: Moment | None = None,
        until: Moment | None = None,
    ) -> None:
        if not keys and not tags and since is None and until is None:
            raise Invalid(
                "expected some rows: name keys=[…], tags=[…], since=… or until=…; rebuild(View) is for all of them"
            )
        if isinstance(keys, str | bytes) or isinstance(tags, str):
            raise Invalid("expected lists: keys=['A-1'], tags=['branch:Praha']")
        self._keys = [key if isinstance(key, tuple) else (key,) for key in keys]
        self._tags = tuple(map(checked_tag, tags))
        self._since = since
        self._until = until

    def of(self, plan: Plan[Any], store: EventStore, rebuilding: Rebuilding) -> list[tuple[Identity, ...]]:
        """Their keys."""
        named = [plan.fold.ids(key) for key in self._keys]
        if not self._tags and self._since is None and self._until is None:
            return named
        events = Concerned(tags=self._tags, after=self._before(store), until=self._last(store))
        return [*named, *events.keys(plan, store=store, codec=rebuilding.app.codec)]

    def _before(self, store: EventStore) -> Position:
        """The last position before the first event that is meant."""
        if self._since is None:
            return 0
        if isinstance(self._since, datetime):
            return position_at(store, self._since - timedelta(microseconds=1), what="since")
        return max(0, position_at(store, self._since, what="since") - 1)

    def _last(self, store: EventStore) -> Position:
        return LAST_POSITION if self._until is None else position_at(store, self._until, what="until")

    def __str__(self) -> str:
        named = [", ".join(map(str, key)) for key in self._keys[:TOLD]]
        more = len(self._keys) - len(named)
        parts = [f"keys {'; '.join(named)}{f' and {more} more' if more else ''}"] if named else []
        events = [
            *self._tags,
            *(
                f"{word} {moment}"
                for word, moment in (("since", self._since), ("until", self._until))
                if moment is not None
            ),
        ]
        if events:
            parts.append(f"events {', '.join(events)}")
        return "; ".join(parts)


class RowsRebuild(Generic[ViewT]):
    """Some rows of a view, built anew from the journal in memory. Made by `Running.rebuild_rows`.

    Nobody sees anything of them until `switch`, which puts all of them in place in one transaction, also while others keep
    the view up. A key that is parked stays so, and its row is as of there.
    """

    def __init__(
        self, view: type[ViewT], chosen: Chosen, *, rebuilding: Rebuilding, progress: Progressed | None = None
    ) -> None:
        self.view = view
        self._chosen = chosen
        self._rebuilding = rebuilding
        views = rebuilding.views
        place = views.shelf.place(view)
        own = place.own()
        if own is None:
            raise Invalid(
                f"the rows of {view.__name__} that readers see were not made by this program's definition: rebuild it whole, "
                "compare and switch"
            )
        plan = place.kept_in(own)
        self._build = PartialBuild(
            plan,
            chosen.of(plan, rebuilding.store, rebuilding),
            database=views.database,
            store=rebuilding.store,
            codec=rebuilding.app.codec,
            progress=progress,
        )

    @property
    def count(self) -> int:
        """How many rows are built anew."""
        return len(self._build.keys)

    def diff(self, *, limit: int = SHOWN) -> Difference:
        """How they differ from those that readers see, as of one moment; `limit` is how many are told one by one."""
        return self._build.difference(self._build.compare(), limit=limit)

    def switch(
        self, diffed: Difference | None = None, *, actor: str | None = None, reason: str | None = None
    ) -> Position:
        """Put them in place, all at once for every reader, and answer the position at which it is on record who did this and why.

        With `diffed`, raises `Invalid` where no event has come since and the rows are not what was compared. It is on record
        before it is done.
        """
        found = self.diff(limit=0)
        if diffed is not None:
            self._check(diffed, found)
        event = RowsRebuilt(
            view=self.view.__name__,
            definition=definition_of(self._build.plan.shape),
            chosen=str(self._chosen),
            rows=self.count,
            digest_before=found.live.digest,
            digest_after=found.candidate.digest,
            as_of=found.position,
            added=found.added,
            removed=found.removed,
            changed=found.changed,
        )
        position = self._rebuilding.record(event, Acting(actor, reason=reason))
        with self._rebuilding.views.switching():
            self._build.put()
        return position

    def _check(self, diffed: Difference, found: Difference) -> None:
        if diffed.view != found.view or diffed.live.definition != found.live.definition:
            raise Invalid(
                f"what was compared is {diffed.view}, {diffed.live.definition}, and not these rows; compare again"
            )
        same = (diffed.live.digest, diffed.candidate.digest) == (found.live.digest, found.candidate.digest)
        if diffed.position == found.position and not same:
            raise Invalid(
                f"the rows of {found.view} are not those that were compared: somebody has changed them; compare again"
            )

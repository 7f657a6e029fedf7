"""What a projector holds: its lines, and how far those have come that are in others' hands. Looked up, and held against the journal."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeAlias

from actum.journal.errors import Unavailable
from actum.journal.query import Query
from actum.journal.readmodel import Mark
from actum.projection.handling import Projection, line_of
from actum.projection.notes import discarded
from actum.subscription.patience import trouble
from actum.subscription.sharing import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.journal.readmodel import ReadDatabase, Share, Slices
    from actum.journal.store import EventStore
    from actum.projection.line import Line
    from actum.projection.view import Plan
    from actum.subscription.patience import Trouble

_LOG = logging.getLogger(__name__)

Follows: TypeAlias = "Plan[Any] | Projection"
"""What a projector keeps up: a view, or a projection of any shape."""


class Holdings:
    """The lines of whoever owns them; with no `owner`, those that nobody holds.

    `kept` is how many rows of a share stay in memory from one page to the next, twice at the most.
    """

    def __init__(
        self, store: EventStore, database: ReadDatabase, plans: Sequence[Follows], *, owner: str, kept: int
    ) -> None:
        self.lines: list[Line] = []
        self.others: list[Mark] = []
        self._store = store
        self._database = database
        self._owner = owner
        self._kept = kept
        self._plans = {plan.table: plan for plan in plans}
        self._lost: dict[str, Trouble] = {}

    @property
    def position(self) -> int:
        """Up to where every view has come, in whoever's hands."""
        marks = [*(line.mark for line in self.lines), *self.others]
        return min((mark.position for mark in marks), default=0)

    @property
    def troubles(self) -> list[Trouble]:
        """What keeps views from going on for the moment."""
        return [*self._lost.values(), *(line.trouble for line in self.lines if line.trouble is not None)]

    @property
    def lost(self) -> list[Trouble]:
        """Why views are not ours to keep for the moment."""
        return [*self._lost.values()]

    def make_tables(self) -> None:
        """Have every table there; one of another fold begins anew."""
        for plan in self._plans.values():
            self._make(plan)

    def _make(self, plan: Follows) -> None:
        if self._database.prepare(plan.shape, plan.begin):
            _LOG.info("the view %s is built from the beginning of the journal", plan.name)

    def look(self) -> None:
        """Read who holds what and where it stands, and hold that against the journal."""
        known = {(line.plan.table, line.share.slices, line.share.epoch): line for line in self.lines}
        lost, self._lost = self._lost, {}
        self.lines, self.others = [], []
        for name, plan in self._plans.items():
            try:
                shares = self._joined(plan, self._database.shares(plan.shape) or self._missing(plan))
                lines = [self._line(plan, share, known) for share in shares if self._is_mine(share)]
            except Unavailable as wrong:
                self._lose(name, wrong, lost.get(name))
                self.others += [line.mark for line in known.values() if line.plan is plan] or [Mark()]
                continue
            self.lines += lines
            self.others += [share.mark for share in shares if not self._is_mine(share)]

    def changed(self) -> bool:
        """Whether something is not as it was when one looked; where not, how far others have come is up to date."""
        found = {
            name: self._database.shares(plan.shape) for name, plan in self._plans.items() if name not in self._lost
        }
        mine = [(name, _place(share)) for name, shares in found.items() for share in shares if self._is_mine(share)]
        apart = not self._owner and any(len(shares) > 1 and joined(shares) for shares in found.values())
        if apart or not all(found.values()) or mine != [(line.plan.table, _place(line.share)) for line in self.lines]:
            return True
        self.others = [share.mark for shares in found.values() for share in shares if not self._is_mine(share)]
        return False

    def _joined(self, plan: Follows, shares: list[Share]) -> list[Share]:
        """What workers who have gone left divided, whoever keeps it alone joins again."""
        todo = [] if self._owner or len(shares) == 1 else joined(shares)
        for step in todo:
            self._database.recut(plan.table, step.seen, step.cuts, worker="", seconds=0)
        return self._database.shares(plan.shape) if todo else shares

    def _lose(self, name: str, wrong: Unavailable, before: Trouble | None) -> None:
        """A view that is not ours to keep for the moment."""
        self._lost[name] = trouble(wrong) if before is None else before.once_more(wrong)
        if before is None:
            _LOG.warning("%s", wrong)

    def _line(self, plan: Follows, share: Share, known: dict[tuple[str, Slices, int], Line]) -> Line:
        """The line of a share: as it is where we know it and it has not moved."""
        before = known.get((plan.table, share.slices, share.epoch))
        if before is not None and before.mark == share.mark:
            return before
        self._check_fits(plan, share.mark)
        parked = frozenset(one.key for one in self._database.parked(plan.shape))
        passed = discarded(self._store, plan.name)
        line = line_of(plan, share, self._database, parked=parked, discarded=passed, kept=self._kept)
        line.trouble = None if before is None else before.trouble
        return line

    def _is_mine(self, share: Share) -> bool:
        return share.owner == self._owner if self._owner else not share.held

    def _missing(self, plan: Follows) -> list[Share]:
        """The table is not there any more, or it is somebody else's now."""
        name = plan.shape.name or plan.table
        others = [each.shape for each in self._database.tables() if name in (each.shape.name, each.shape.table)]
        if others:
            raise Unavailable(
                f"the table {plan.table} of the view {plan.name} was taken away by somebody; version "
                f"{others[0].version} of the view is there: begin the rebuild anew, or upgrade this program"
            )
        self._make(plan)
        return self._database.shares(plan.shape)

    def _check_fits(self, plan: Follows, mark: Mark) -> None:
        if mark.position == 0:
            return
        where = f"the view {plan.name} in {self._database.address}"
        stored = next(iter(self._store.read(Query.all(), after=mark.position - 1, limit=1)), None)
        if stored is None:
            raise Unavailable(
                f"{where} stands at position {mark.position}, ahead of the journal, which ends at {self._store.head()}: "
                "was an older copy of the journal put back? Rebuild the view, or delete the read database"
            )
        if stored.id != mark.event:
            raise Unavailable(
                f"{where} was built from another event at position {mark.position} than the journal has: "
                "was an older copy of the journal put back? Rebuild the view, or delete the read database"
            )


def _place(share: Share) -> tuple[Slices, Mark, int]:
    return share.slices, share.mark, share.epoch

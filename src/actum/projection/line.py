"""A line: one share of one follower as a projector works on it. It folds pages of events into what is to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from actum.journal.errors import ActumError, Unavailable
from actum.journal.readmodel import ALL_SLICES, Change, Mark, Share
from actum.projection.rows import ROWS_KEPT, Rows
from actum.subscription.policy import Then

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actum.decision.state import Identity
    from actum.journal.event import Event, Position
    from actum.journal.readmodel import ReadDatabase
    from actum.projection.view import Plan
    from actum.subscription.patience import Trouble

Named: TypeAlias = "Sequence[tuple[Sequence[tuple[Identity, ...]], Event]]"
"""Events, each with the keys of the rows that it is about."""


class Line:
    """One share of one view: where it stands, the rows it knows, the trouble it is in, and what it leaves out.

    `changed` are the rows, by their keys, that are not written yet as they are now. `parked` are the keys that are put aside,
    by their texts; `discarded` are the positions and keys that are passed over.
    """

    by_hand = False
    """Whether each event is handed over with its envelope, in the transaction."""

    __slots__ = ("changed", "discarded", "parked", "plan", "rows", "share", "trouble")

    def __init__(
        self,
        plan: Any,
        share: Share,
        database: ReadDatabase,
        *,
        rows: Any = None,
        parked: frozenset[str] = frozenset(),
        discarded: frozenset[tuple[Position, str]] = frozenset(),
        kept: int = ROWS_KEPT,
    ) -> None:
        self.plan: Plan[Any] = plan
        self.share = share
        self.parked = parked
        self.discarded = discarded
        self.changed: dict[Any, Any] = {}
        self.rows: Rows[Any] = Rows(self.plan, database, slices=share.slices, kept=kept) if rows is None else rows
        self.rows.forget(empty=share.mark.position == 0)
        self.rows.leave_out(parked)
        self.trouble: Trouble | None = None

    @property
    def mark(self) -> Mark:
        """How far it has come."""
        return self.share.mark

    @property
    def whole(self) -> bool:
        """Whether it has every slice."""
        return self.share.slices == ALL_SLICES

    @property
    def where(self) -> str:
        """What it is, for people."""
        return f"the {'projection' if self.by_hand else 'view'} {self.plan.name}" + (
            "" if self.whole else f", slices {self.share.slices}"
        )

    @property
    def gives_up(self) -> bool:
        """Whether what it fails over is to be put aside or passed over now."""
        policy, trouble = self.plan.policy, self.trouble
        return policy.then is not Then.STOP and trouble is not None and trouble.attempts >= policy.attempts

    @property
    def tries_on(self) -> bool:
        """Whether it fails, and will give up once it has tried a few times more."""
        return self.trouble is not None and self.plan.policy.then is not Then.STOP and not self.gives_up

    def wants_care(self, *, after: Position, until: Position) -> bool:
        """Whether the events between these positions are to be looked at one by one."""
        return self.by_hand or any(after < position <= until for position, _ in self.discarded)

    def park(self, keys: Iterable[str]) -> None:
        """Leave these keys out, too."""
        self.parked = self.parked.union(keys)
        self.rows.leave_out(self.parked)

    def stands_at(self, mark: Mark) -> None:
        """It has come so far, and all is well."""
        share = self.share
        self.share = Share(share.slices, mark, share.epoch, share.owner, share.left)
        self.trouble = None
        self.changed = {}
        self.rows.age()

    def forget(self) -> None:
        """Know nothing of the rows any more."""
        self.changed = {}
        self.rows.forget(empty=self.share.mark.position == 0)

    def change(self, reached: Mark, *, owner: str) -> Change:
        """What to write once everything up to there is folded."""
        share, rows = self.share, self.plan.rows(list(self.changed.values()))
        return Change(self.plan.shape, rows, share.mark, reached, share.slices, share.epoch, owner)

    def fold(self, named: Named) -> None:
        """Have the rows take in a page of events."""
        wanted, own = self.plan.fold.event_set, self.plan.fold.own
        mine = [pair for pair in named if type(pair[1]) in wanted]
        rows = self.rows.having([key for keys, _ in mine for key in keys])
        changed, event = self.changed, None
        try:
            for keys, event in mine:
                for key in keys:
                    row = changed[key] = rows[key]
                    row.evolve(own(event))
        except Exception as wrong:
            if isinstance(wrong, ActumError):
                raise
            raise Unavailable(
                f"the view {self.plan.name} cannot take {event!r:.200}: {type(wrong).__name__}: {wrong}; mend its evolve"
            ) from wrong

"""Leases: how workers divide a follower's slices among themselves, kept beside the rows and on the database's clock.

A lease spares workers from doing each other's work; it is not what keeps them from doing it twice. That is the epoch: it
is raised whenever a share changes hands or range, and whoever writes must know it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import msgspec

from actum.journal.errors import Invalid
from actum.journal.readmodel import ReadDatabase, Slices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.journal.readmodel import Share


class Cut(msgspec.Struct, frozen=True):
    """A share to be made, and who is to hold it; "" for nobody."""

    slices: Slices
    owner: str = ""


class Leases(Protocol):
    """Who holds which share. Times are the database's own; a worker is a name that no other ever had."""

    def keep(self, worker: str, *, followers: Sequence[str], seconds: float) -> dict[str, tuple[str, ...]]:
        """The worker is alive and holds what it holds for so many seconds more; who is alive, for each of the followers."""
        ...

    def recut(self, follower: str, seen: Sequence[Share], cuts: Sequence[Cut], *, worker: str, seconds: float) -> bool:
        """Replace neighbouring shares by others of the same slices, in one transaction and under a new epoch.

        So a share is taken, given up, split and merged. False, and nothing is changed, where one of them is not as it
        was `seen`, is held by somebody else than `worker`, or does not stand at the mark of the others.
        """
        ...

    def leave(self, worker: str) -> None:
        """The worker is gone, and holds nothing."""
        ...


def check_cuts(seen: Sequence[Share], cuts: Sequence[Cut]) -> None:
    """`Invalid` where the cuts are not, in order, exactly the slices of the shares: before anything is changed."""
    before, after = _range([share.slices for share in seen]), _range([cut.slices for cut in cuts])
    if before is None or before != after:
        raise Invalid(
            f"expected neighbouring shares and cuts of the same slices, in order; found the shares "
            f"{', '.join(str(share.slices) for share in seen)} and the cuts {', '.join(str(cut.slices) for cut in cuts)}"
        )


def _range(parts: Sequence[Slices]) -> Slices | None:
    """What the parts are together, None where there is none, or something between them."""
    if not parts or any(one.high + 1 != next.low for one, next in pairwise(parts)):
        return None
    return Slices(parts[0].low, parts[-1].high)


class SharedReadDatabase(ReadDatabase, Leases, Protocol):
    """A read database whose followers may have several workers."""

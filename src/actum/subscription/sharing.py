"""How workers divide the slices of a follower: what each should do next, from what it sees. Pure.

Every worker knows who is alive and aims at the range that is its own among them. It gives up what it holds elsewhere,
takes what is free of its own, and joins neighbours that stand at one mark. Nobody tells anybody what to do: all see the
same workers and aim at ranges that do not overlap, and a step that another one foiled is thought over again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actum.journal.readmodel import ALL_SLICES, SLICES, Cut, Share, Slices, slice_of

if TYPE_CHECKING:
    from collections.abc import Sequence


class Step(msgspec.Struct, frozen=True):
    """Neighbouring shares as they were seen, and what to make of them in one transaction."""

    seen: tuple[Share, ...]
    cuts: tuple[Cut, ...]


def aim(worker: str, workers: Sequence[str], *, follower: str, divisible: bool = True) -> Slices | None:
    """The slices that one of these workers should hold; None where there are none for it.

    What is not divisible, because all its events belong to one key, goes to one worker whole; which one depends on the
    follower's name, so that they do not all fall to the same.
    """
    order = sorted({*workers, worker})
    place, count = order.index(worker), len(order)
    if not divisible:
        return ALL_SLICES if place == slice_of(follower) % count else None
    low, high = SLICES * place // count, SLICES * (place + 1) // count - 1
    return Slices(low, high) if low <= high else None


def steps(shares: Sequence[Share], *, worker: str, own: Slices | None) -> list[Step]:
    """What the worker should do, given the shares in order of their slices and the slices that it aims at.

    Each share is in one step at the most; none is needed once the worker holds its own slices as one share, and no other.
    """
    single = [step for share in shares if (step := _step(share, worker, own)) is not None]
    return single or _joined(shares, worker)


def joined(shares: Sequence[Share]) -> list[Step]:
    """How to join free neighbours that stand at one mark, for whoever holds none."""
    return _joined([share for share in shares if not share.held], "")


def _step(share: Share, worker: str, own: Slices | None) -> Step | None:
    """Take what is free of one's own, and give up the rest of what one holds."""
    mine = share.owner == worker
    wanted = None if own is None else _both(share.slices, own)
    if (not mine and (share.held or wanted is None)) or (mine and wanted == share.slices and share.held):
        return None
    return Step((share,), tuple(_cuts(share.slices, wanted, worker)))


def _cuts(slices: Slices, wanted: Slices | None, worker: str) -> list[Cut]:
    if wanted is None:
        return [Cut(slices)]
    below = [Cut(Slices(slices.low, wanted.low - 1))] if slices.low < wanted.low else []
    above = [Cut(Slices(wanted.high + 1, slices.high))] if wanted.high < slices.high else []
    return [*below, Cut(wanted, worker), *above]


def _joined(shares: Sequence[Share], worker: str) -> list[Step]:
    runs: list[list[Share]] = []
    for share in shares:
        if worker and share.owner != worker:
            continue
        if runs and _fit(runs[-1][-1], share):
            runs[-1].append(share)
        else:
            runs.append([share])
    return [
        Step(tuple(run), (Cut(Slices(run[0].slices.low, run[-1].slices.high), worker),)) for run in runs if len(run) > 1
    ]


def _fit(one: Share, next: Share) -> bool:
    return one.slices.high + 1 == next.slices.low and one.mark == next.mark


def _both(one: Slices, other: Slices) -> Slices | None:
    low, high = max(one.low, other.low), min(one.high, other.high)
    return Slices(low, high) if low <= high else None

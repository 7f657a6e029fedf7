"""Workers that come, go and fall silent come to hold each its own slices, and no slice is ever in two hands."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actum.journal.readmodel import ALL_SLICES, SLICES, Change, Cut, Mark, Shape, Share, Slices
from actum.stores.sqlite.tables import MEMORY, SqliteTables
from actum.subscription.sharing import aim, joined, steps

SHAPE = Shape("own", (), (), b"1")
NAMES = [f"w{number}" for number in range(9)]


@given(st.sets(st.sampled_from(NAMES), min_size=1))
def test_the_aims_of_all_workers_are_all_slices_each_once_and_fairly(workers: set[str]):
    aims = [aim(worker, tuple(workers), follower="own") for worker in sorted(workers)]
    assert [slice for own in aims if own for slice in range(own.low, own.high + 1)] == list(range(SLICES))
    sizes = [len(own) for own in aims if own]
    assert max(sizes) - min(sizes) <= 1


@given(st.sets(st.sampled_from(NAMES), min_size=1), st.text(max_size=5))
def test_what_cannot_be_divided_goes_to_one_worker_whole(workers: set[str], follower: str):
    aims = [aim(worker, tuple(workers), follower=follower, divisible=False) for worker in workers]
    assert [own for own in aims if own is not None] == [ALL_SLICES]


def test_more_workers_than_slices_leave_some_without():
    workers = [f"w{number:04}" for number in range(SLICES + 1)]
    aims = [aim(worker, workers, follower="own") for worker in workers]
    assert aims.count(None) == 1


class Crew:
    """Workers on a real read database, one step at a time, in any order."""

    def __init__(self) -> None:
        self.tables = SqliteTables(MEMORY, origin="o")
        self.tables.prepare(SHAPE)
        self.alive: set[str] = set()
        self.owners: dict[tuple[int, int], str] = {}

    def shares(self) -> list[Share]:
        return self.tables.shares(SHAPE)

    def act(self, worker: str, *, all_steps: bool) -> bool:
        """What one worker does when it is its turn; whether there was anything to do."""
        own = aim(worker, sorted(self.alive), follower="own")
        todo = steps(self.shares(), worker=worker, own=own)
        for step in todo if all_steps else todo[:1]:
            self.tables.recut("own", step.seen, step.cuts, worker=worker, seconds=1000)
            self.check()
        return bool(todo)

    def move(self, random: Random) -> None:
        """Somebody works: a share goes on."""
        share = random.choice(self.shares())
        self.tables.commit([_on(share)])

    def check(self) -> None:
        """All slices are there once, and nobody shares an epoch of a slice with another."""
        shares = self.shares()
        assert [slice for share in shares for slice in range(share.slices.low, share.slices.high + 1)] == [
            *range(SLICES)
        ]
        for share in shares:
            if share.held:
                for slice in (share.slices.low, share.slices.high):
                    assert self.owners.setdefault((slice, share.epoch), share.owner) == share.owner

    def die(self, worker: str) -> None:
        self.alive.discard(worker)
        self.tables.keep(worker, followers=["own"], seconds=0)

    def settle(self) -> int:
        """Let all work until nobody has anything to do; how many rounds that took."""
        for rounds in range(20):
            acted = [self.act(worker, all_steps=True) for worker in sorted(self.alive)]
            if not any(acted):
                return rounds
        pytest.fail(f"the workers {self.alive} do not come to rest: {self.shares()}")


def _on(share: Share) -> Change:
    mark = Mark(share.mark.position + 1, b"x")
    return Change(SHAPE, [], share.mark, mark, share.slices, share.epoch, share.owner)


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_whoever_comes_goes_or_dies_the_workers_come_to_hold_each_its_own(seed: int):
    random, crew = Random(seed), Crew()
    for _ in range(random.randrange(40)):
        match random.randrange(4):
            case 0:
                crew.alive.add(random.choice(NAMES))
            case 1 if crew.alive:
                crew.die(random.choice(sorted(crew.alive)))
            case 2:
                crew.move(random)
            case _ if crew.alive:
                crew.act(random.choice(sorted(crew.alive)), all_steps=random.random() < 0.5)
            case _:
                pass
    crew.alive.add("w0")
    crew.settle()
    for share in crew.shares():
        own = aim(share.owner, sorted(crew.alive), follower="own")
        assert own is not None
        assert share.held
        assert own.low <= share.slices.low <= share.slices.high <= own.high
    while len({share.mark for share in crew.shares()}) > 1:
        least = min(crew.shares(), key=lambda share: share.mark.position)
        assert crew.tables.commit([_on(least)])
    crew.settle()
    assert len(crew.shares()) == len(crew.alive)


def test_what_stands_at_different_marks_is_joined_only_once_they_meet():
    one, other = Mark(1, b"a"), Mark(2, b"b")
    shares = [
        Share(Slices(0, 9), one, 1, "w", 5.0),
        Share(Slices(10, 19), other, 2, "w", 5.0),
        Share(Slices(20, 1023), other, 3, "w", 5.0),
    ]
    (step,) = steps(shares, worker="w", own=ALL_SLICES)
    assert step.seen == tuple(shares[1:])
    assert step.cuts == (Cut(Slices(10, 1023), "w"),)
    assert steps([shares[0], Share(Slices(10, 1023), other, 4, "w", 5.0)], worker="w", own=ALL_SLICES) == []


def test_whoever_holds_none_joins_what_is_free_and_leaves_what_is_held():
    mark = Mark(1, b"a")
    shares = [
        Share(Slices(0, 9), mark, 1, "gone", 0.0),
        Share(Slices(10, 19), mark, 2),
        Share(Slices(20, 29), mark, 3, "w", 5.0),
        Share(Slices(30, 1023), mark, 4),
    ]
    (step,) = joined(shares)
    assert step.cuts == (Cut(Slices(0, 19)),)

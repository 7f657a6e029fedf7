"""Many chains of work whose commands are given together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from actum import Decided
from actum.decision.acting import Acting
from actum.process.agenda import Answer, Wish
from actum.process.naming import derived
from actum.process.together import Chain, together
from tests.unit.process.payouts import Remind


def a_wish(name: str) -> Wish:
    return Wish(Remind(payout=name), derived(name), Acting("tester"))


class Giver:
    def __init__(self, **troubles: Exception) -> None:
        self.batches: list[list[str]] = []
        self._troubles = troubles

    def __call__(self, wishes: Sequence[Wish], /) -> list[Answer]:
        names = [getattr(wish.command, "payout") for wish in wishes]  # noqa: B009
        self.batches.append(names)
        decided = Decided(events=(), position=1, recorded=0, command=None)
        return [self._troubles.get(name, decided) for name in names]


def chain(*names: str) -> Chain:
    for name in names:
        yield a_wish(name)


def test_chains_are_given_together_and_each_keeps_its_order():
    give = Giver()
    together([chain("a1", "a2", "a3"), chain("b1"), chain(), chain("c1", "c2")], give)
    assert give.batches == [["a1", "b1", "c1"], ["a2", "c2"], ["a3"]]


def test_what_is_raised_comes_to_the_chain_that_wished_it():
    seen: list[Any] = []

    def careful() -> Chain:
        try:
            yield a_wish("bad")
        except ValueError as wrong:
            seen.append(str(wrong))
        yield a_wish("after")

    give = Giver(bad=ValueError("no"))
    together([careful(), chain("b1", "b2")], give)
    assert seen == ["no"]
    assert give.batches == [["bad", "b1"], ["after", "b2"]]


def test_what_a_chain_lets_out_ends_all():
    give = Giver(bad=ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        together([chain("bad"), chain("b1", "b2")], give)
    assert give.batches == [["bad", "b1"]]

"""Many threads of work, each in its own order, whose commands are given together: one commit serves all that wait.

A chain is a generator that yields wishes and is sent their decisions, or has thrown into it what was raised.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, TypeAlias

from actum.decision.outcome import Decided
from actum.process.agenda import Answer, Wish

if TYPE_CHECKING:
    from actum.process.agenda import Give

Chain: TypeAlias = Generator[Wish, Decided, None]


def together(chains: Iterable[Chain], give: Give) -> None:
    """Run all of them to their end. What one of them lets out ends all: nothing is lost, for all is done once by its id."""
    waiting: list[tuple[Chain, Wish]] = [(chain, wish) for chain in chains if (wish := _next(chain, None)) is not None]
    while waiting:
        answers = give([wish for _, wish in waiting])
        pairs = zip(waiting, answers, strict=True)
        waiting = [(chain, wish) for (chain, _), answer in pairs if (wish := _next(chain, answer)) is not None]


def _next(chain: Chain, answer: Answer | None) -> Wish | None:
    """What the chain wishes next; None where it is at its end."""
    try:
        if answer is None:
            return next(chain)
        if isinstance(answer, BaseException):
            return chain.throw(answer)
        return chain.send(answer)
    except StopIteration:
        return None

"""The pulse: where every journal and every follower stands, felt every other second and kept for a quarter of an hour.

From it come the rates, the time that is left, and the charts. Nothing of it is on record: it begins with the console.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from actum.journal.event import Position
    from actum.service.running import Running

_LOG = logging.getLogger(__name__)

EVERY = 2.0
"""Seconds between two beats."""

KEPT = 450
"""How many beats are kept: a quarter of an hour."""

RECENT = 10.0
"""Over how many seconds a rate is taken."""


class Beat(msgspec.Struct, frozen=True):
    """Where a context stood at one moment: its journal's end, and its followers; `at` is seconds since 1970."""

    at: float
    head: Position
    followers: dict[str, Position]


class Flow(msgspec.Struct, frozen=True):
    """How fast something goes, in events a second; how far behind it is; how many seconds until it is not, where one can tell."""

    rate: float
    behind: int = 0
    left: float | None = None


class Pulse:
    """Feels the pulse of the contexts in a thread of its own."""

    def __init__(self, contexts: Mapping[str, Running]) -> None:
        self._contexts = contexts
        self._beats: dict[str, deque[Beat]] = {name: deque(maxlen=KEPT) for name in contexts}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="actum-pulse", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.feel()
            self._stopping.wait(EVERY)

    def feel(self) -> None:
        """One beat of every context; one that cannot be felt now is left out."""
        for name, running in self._contexts.items():
            try:
                followers = {each.name: each.position for each in running.followers()}
                self._beats[name].append(Beat(time.time(), running.head(), followers))
            except Exception as wrong:  # noqa: BLE001 - what is out of reach now is felt again at the next beat
                _LOG.debug("no pulse of %s: %s", name, wrong)

    def beats(self, context: str) -> tuple[Beat, ...]:
        """What was felt, the oldest first."""
        return tuple(self._beats.get(context, ()))

    def flow(self, context: str, follower: str | None = None) -> Flow:
        """How the journal of a context grows, or how a follower of it comes on."""
        beats = self.beats(context)
        if not beats:
            return Flow(0.0)
        recent = [beat for beat in beats if beat.at >= beats[-1].at - RECENT]
        places = [(beat.at, beat.head if follower is None else beat.followers.get(follower, 0)) for beat in recent]
        rate = _rate(places)
        if follower is None:
            return Flow(rate)
        behind = max(beats[-1].head - beats[-1].followers.get(follower, 0), 0)
        gain = rate - _rate([(beat.at, beat.head) for beat in recent])
        return Flow(rate, behind, behind / gain if behind and gain > 0 else None)


def _rate(places: Iterable[tuple[float, Position]]) -> float:
    found = list(places)
    seconds = found[-1][0] - found[0][0]
    return max(found[-1][1] - found[0][1], 0) / seconds if seconds > 0 else 0.0

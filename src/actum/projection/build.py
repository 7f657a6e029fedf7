"""A build: the table of a view, filled beside the live one from the beginning of the journal, as far as that has come.

Nobody reads it yet, so it need not be written page by page: many pages of events are folded in memory, until half a second is
over or enough rows have changed, and then each changed row is written once, with the checkpoint. That is a step. Killed at
any moment, it goes on from the last one. Of several processes one builds, and the others wait for it.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Generic

import msgspec

from actum.journal.errors import ActumError, Busy
from actum.journal.event import Position
from actum.journal.readmodel import Role
from actum.projection.changed import STEP
from actum.projection.place import live_of
from actum.projection.projector import LONGEST_WAIT, Projector
from actum.projection.turn import LEASE, Turn
from actum.projection.view import ViewT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.journal.codec import Codec
    from actum.journal.readmodel import Mark, Standing
    from actum.journal.store import EventStore
    from actum.projection.place import Place

LOOK = 0.05
"""Seconds between two looks at whether somebody else has built it, or has stopped."""

PAGE = 500
"""How many events are folded at once. More of them cost more each: they fill the processor's caches, and collecting garbage goes through them."""

LONGEST_STEP = 0.5
"""Seconds for which pages are folded before what they changed is written."""

ROWS_KEPT = 100_000
"""How many rows stay in memory, twice at the most; where so many have changed, they are written."""


class Pace(msgspec.Struct, frozen=True):
    """How far a build has come, how fast it goes in events a second, and how many seconds it will take, where one can tell."""

    position: Position
    goal: Position
    rate: float
    left: float | None


class Build(Generic[ViewT]):
    """The building of one table. Safe to share between threads; one works at a time.

    Goes on with `standing`, or with a candidate of the same definition where there is one, and makes one where there is none.
    Of several processes one builds: who says nothing for `lease` seconds leaves it to another one. `step` is how many events go
    into one transaction and `longest` for how many seconds they are folded, at the most.
    """

    def __init__(
        self,
        place: Place[ViewT],
        *,
        store: EventStore,
        codec: Codec,
        standing: Standing | None = None,
        step: int = STEP,
        lease: float = LEASE,
        longest: float = LONGEST_STEP,
    ) -> None:
        self.place = place
        self._lease = lease
        self._store = store
        self._codec = codec
        self._step = step
        self._longest = longest
        self._write_at = 0.0
        found = standing or place.candidate()
        self.plan = place.new() if found is None else place.kept_in(found)
        self._projector: Projector | None = None
        self._turn: Turn | None = None
        self._lock = threading.RLock()
        self._begun: tuple[float, Position] | None = None
        self._pace = Pace(0 if found is None else found.mark.position, self.goal(), 0.0, None)

    def goal(self) -> Position:
        """How far the live table has come: further than that the build does not go, nor than the journal."""
        live, head = live_of(self.place.tables()), self.head()
        if live is None or live.shape.table == self.plan.shape.table:
            return head
        return min(live.mark.position, head)

    def head(self) -> Position:
        """The position of the newest event."""
        return self._store.head()

    def step(self) -> bool:
        """Take in one step, or wait a moment for another process that does; whether there may be more before it is as far as the live table."""
        with self._lock, self._anew_after_trouble():
            if self._projector is None:
                goal = self.goal()
                if self._is_there(goal):
                    return False
                if not self._has_turn():
                    time.sleep(LOOK)
                    return True
                self._projector = self._projector_to(goal)
                self._move(self._projector, goal)
            elif not self._has_turn():
                self._projector = None
                return True
            more = self._stepped(self._projector)
            self._move(self._projector, self._pace.goal)
            if not more:
                self._projector = None
            return True

    def catch_up(self) -> None:
        """Come as far as the live table is now; that may move on meanwhile."""
        goal = self.goal()
        while self.step() and self._pace.position < goal:
            pass

    def _is_there(self, goal: Position) -> bool:
        """Whether it has come so far, by whomever; then the turn is given up."""
        mark = self.mark()
        if mark is None or mark.position < goal:
            if mark is not None:
                self._pace = Pace(mark.position, goal, self._pace.rate, self._pace.left)
            return False
        self._pace = Pace(mark.position, goal, self._pace.rate, 0.0)
        self._leave()
        return True

    def _has_turn(self) -> bool:
        if self._turn is None:
            self.place.prepare(self.plan)
            self._turn = Turn(self.place.home(self.plan.shape), self.plan.shape, lease=self._lease)
        return self._turn.take()

    def _leave(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.leave()

    @contextmanager
    def _anew_after_trouble(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._projector = None
            with suppress(ActumError):
                self._leave()
            raise

    def bring_to(self, position: Position) -> None:
        """Take in everything up to that position, and nothing behind it. `Busy` where others are at it for a minute."""
        with self._lock, self._anew_after_trouble():
            self._projector = None
            deadline = time.monotonic() + LONGEST_WAIT
            while not self._has_turn():
                if time.monotonic() > deadline:
                    raise Busy(f"another process builds {self.plan.table}; try again when that is done")
                time.sleep(LOOK)
            projector = self._projector_to(position)
            while self._stepped(projector):
                self._has_turn()
                self._move(projector, position)
            self._leave()

    def mark(self) -> Mark | None:
        """How far the table has come; None where it is not there (any more)."""
        return self.place.home(self.plan.shape).mark(self.plan.shape)

    def pace(self) -> Pace:
        """How far it is, and how fast it goes."""
        return self._pace

    def rest(self) -> None:
        """Let go of what is kept in memory, and of the time: it will be a while before the next step."""
        with self._lock:
            self._projector, self._begun = None, None
            self._leave()

    def drop(self) -> None:
        """Take the table away. Not where it is live, or kept to go back to."""
        with self._lock:
            self._projector = None
            self._leave()
            for each in self.place.tables():
                if each.shape.table == self.plan.shape.table and each.role in (Role.CANDIDATE, Role.TAKEN_BACK):
                    self.place.drop(each.shape.table)

    def _projector_to(self, goal: Position) -> Projector:
        projector = Projector(
            self._store,
            self._codec,
            database=self.place.home(self.plan.shape),
            views=self.place.database,
            plans=[self.plan],
            until=goal,
            page=min(PAGE, self._step),
            owner=self._turn.owner or "" if self._turn is not None else "",
            kept=ROWS_KEPT,
            folds_on=self._folds_on,
        )
        projector.prepare()
        return projector

    def _stepped(self, projector: Projector) -> bool:
        """One step; whether there may be more. Raises what the view fails over, unless it is to give that up after some attempts:
        a build has no other views to go on with.
        """
        self._write_at = time.monotonic() + self._longest
        more = projector.step()
        if projector.tries_on:
            time.sleep(projector.rest(LOOK))
            return True
        if projector.trouble is not None:
            raise projector.trouble.error
        return more

    def _folds_on(self, events: int) -> bool:
        """Whether the step under way takes another page, after so many events."""
        return events + PAGE <= self._step and time.monotonic() < self._write_at and self._has_turn()

    def _move(self, projector: Projector, goal: Position) -> None:
        now, position = time.monotonic(), projector.position
        if self._begun is None or position < self._begun[1]:
            self._begun = (now, position)
        begun, start = self._begun
        rate = (position - start) / (now - begun) if now > begun and position > start else 0.0
        left = (goal - position) / rate if rate else None
        self._pace = Pace(position, goal, rate, left)

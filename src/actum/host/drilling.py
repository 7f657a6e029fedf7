"""A drill: each service of a running system is switched off in turn under load, and what follows is held against what was predicted.

Nothing here believes the system: routes are asked through its gateway, followers are seen by their checkpoints, and what was
acknowledged is counted in the journals.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec

from actum.host.counting import Count, Counted, wrong_rows
from actum.host.loading import Fate
from actum.host.seeing import followers_of
from actum.service.consequences import Happens, predicted
from actum.service.part import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actum.host.faults import Fault
    from actum.host.loading import Given, Load
    from actum.host.seeing import Eyes, Follower, Seen
    from actum.journal.event import Position
    from actum.service.consequences import Consequence
    from actum.service.running import Running
    from actum.service.system import Place, System

PATIENCE = 120.0
"""Seconds that whatever is said to catch up has for it: a slow machine is no difference."""

LOOK = 0.2
"""Seconds between two looks at everything."""

LONGER = 4.0
"""How many times as long a fault lasts, at the most, where a prediction has nothing to show before."""

STANDSTILL = 5.0
"""Seconds without a step after which whatever is said to wait is taken to do so."""

LANDING = 20.0
"""Seconds that a fault which strikes bit by bit may take to strike everything that it is said to."""


class Outcome(msgspec.Struct, frozen=True):
    """One thing: what was said would happen to it, what did, and in words how that showed. `observed`: None where nothing showed,
    because nothing happened that could have.
    """

    what: str
    predicted: Happens
    observed: Happens | None
    shown: str
    passes: bool = False
    """Whether the fault mends itself or strikes only some: then less may happen than was predicted."""

    @property
    def right(self) -> bool:
        """Whether that is what was predicted. Where nothing showed, nothing spoke against it: see `Step.unseen`."""
        less = {
            Happens.REFUSED: (Happens.STALE,),
            Happens.STALE: (Happens.ANSWERED,),
            Happens.WAITS: (Happens.ANSWERED,),
        }
        over = self.passes and self.observed in less.get(self.predicted, ())
        return self.observed is None or self.observed is self.predicted or over


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One piece off, in one way: every outcome, how it came back, and what was counted then."""

    piece: str
    way: str
    outcomes: tuple[Outcome, ...]
    seconds: float
    given: int
    ready: float
    caught_up: float
    behind: int
    counted: Counted

    @property
    def right(self) -> bool:
        """Whether everything was as predicted, and nothing lost or doubled."""
        return self.counted.right and all(outcome.right for outcome in self.outcomes)

    @property
    def unseen(self) -> tuple[str, ...]:
        """What was predicted, and did not show: neither right nor wrong."""
        return tuple(outcome.what for outcome in self.outcomes if outcome.observed is None)


class Drill:
    """Goes through faults with a load on the system's gateway. Looks into journals itself: open it where those are."""

    def __init__(
        self,
        system: System,
        places: Mapping[str, Place],
        *,
        load: Load,
        eyes: Eyes,
        seconds: float = 5.0,
        said: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._system = system
        self._load = load
        self._eyes = eyes
        self._seconds = seconds
        self._said = said
        self._stack = ExitStack()
        self._contexts: dict[str, Running] = {
            name: self._stack.enter_context(
                app.open(places[name].journal, read_database=places[name].read_database, part=Part.QUERIES)
            )
            for name, app in system.contexts.items()
        }
        self._followers = followers_of(system, self._contexts)
        self._counts = {name: Count(running.store) for name, running in self._contexts.items()}
        self._checked = 0

    def close(self) -> None:
        """Give back what was opened."""
        self._stack.close()

    # One step.

    async def step(self, fault: Fault) -> Step:
        """One fault: before, meanwhile, after, and the count."""
        await self.caught_up()
        foretold = [one for one in predicted(self._system, [fault.piece]) if self._can_be_seen(one)]
        first = len(self._load.given)
        await fault.strike()
        watch = _Watch(self._eyes, self._followers)
        await watch.begin()
        off_from = len(self._load.given)
        await watch.go_on(self._seconds)
        await self._show_more(foretold, watch)
        if fault.passes:
            await self._land(foretold, watch, off_from)
        off_until = len(self._load.given)
        given = self._load.given[off_from:off_until]
        await self._load.answered(given)
        outcomes = [await self._outcome(one, watch, given) for one in foretold]
        if fault.passes:
            outcomes = [msgspec.structs.replace(one, passes=True) for one in outcomes]
        behind = max((goal - reached for reached, goal in watch.ends.values()), default=0)
        begun = time.monotonic()
        await fault.mend()
        ready = time.monotonic() - begun
        caught_up = await self.caught_up()
        counted = await self._count()
        return Step(
            piece=fault.piece,
            way=fault.way,
            outcomes=tuple(outcomes),
            seconds=watch.seconds,
            given=len(self._load.given) - first,
            ready=ready,
            caught_up=caught_up,
            behind=behind,
            counted=counted,
        )

    def _can_be_seen(self, consequence: Consequence) -> bool:
        if not consequence.is_route:
            return any(one.what == consequence.what for one in self._followers)
        commands = consequence.what.endswith("/commands")
        return commands or any(one.what == consequence.what for one in self._eyes.probes)

    async def _show_more(self, foretold: list[Consequence], watch: _Watch) -> None:
        """Go on for a while where a follower is said to wait that had nothing to do yet, and still may get some."""
        silent, until = self._silent(foretold), time.monotonic() + self._seconds * LONGER
        waits = {one.what for one in foretold if one.happens is Happens.WAITS}
        busy = [one for one in self._followers if one.what in waits and one.source not in silent]
        while time.monotonic() < until and not all(watch.has_work(follower) for follower in busy):
            await watch.go_on(LOOK)

    async def _land(self, foretold: list[Consequence], watch: _Watch, first: int) -> None:
        """Go on for a while where commands are still decided that are said to be refused: in files there is some room left."""
        shut = {one.context for one in foretold if one.what.endswith("/commands") and one.happens is Happens.REFUSED}
        until = time.monotonic() + LANDING
        while time.monotonic() < until:
            given = [one for one in self._load.given[first:] if one.context in shut]
            if {one.context for one in given} == {one.context for one in given if one.fate is Fate.TURNED_DOWN}:
                return
            await watch.go_on(LOOK)

    def _silent(self, foretold: list[Consequence]) -> set[str]:
        """The contexts in which nothing new is to be expected: nobody may write there, or nobody does and they hear nothing."""
        waits = {one.what for one in foretold if one.happens is Happens.WAITS}
        shut = {f"/{name}/commands": name for name in self._contexts}
        silent = {shut[one.what] for one in foretold if one.what in shut and one.happens is Happens.REFUSED}
        given = {one.context for one in self._load.given}
        for name, app in self._system.contexts.items():
            heard = [other for other in app.heard if other not in silent and f"{name}: hears {other}" not in waits]
            if name not in given and not heard:
                silent.add(name)
        return silent

    async def caught_up(self) -> float:
        """Until every follower has come as far as the journal was now; how many seconds that took. Its goal stands still."""
        begun = time.monotonic()
        goals = {follower.what: (follower, follower.stand()[1]) for follower in self._followers}
        while goals:
            goals = {what: one for what, one in goals.items() if one[0].stand()[0] < one[1]}
            if time.monotonic() - begun > PATIENCE:
                self._said(f"after {PATIENCE:g} s these have not caught up: {', '.join(goals)}")
                return time.monotonic() - begun
            await asyncio.sleep(0.02)
        return time.monotonic() - begun

    # What came of a prediction.

    async def _outcome(self, one: Consequence, watch: _Watch, given: list[Given]) -> Outcome:
        if not one.is_route:
            return await self._of_follower(one, watch)
        if one.what.endswith("/commands"):
            return _of_commands(one, [each for each in given if each.context == one.context])
        return await self._of_route(one, watch)

    async def _of_follower(self, one: Consequence, watch: _Watch) -> Outcome:
        follower = next(each for each in self._followers if each.what == one.what)
        (began, _), (ended, goal) = watch.begins[one.what], watch.ends[one.what]
        if goal <= began:
            return Outcome(one.what, one.happens, None, "there was nothing to do meanwhile")
        if ended == began and one.happens is Happens.WAITS:
            return Outcome(one.what, one.happens, Happens.WAITS, f"stood still at {began:,}, {goal - ended:,} behind")
        return await self._goes_on(one, follower, goal)

    async def _goes_on(self, one: Consequence, follower: Follower, goal: Position) -> Outcome:
        """What goes on also arrives, in its own time, while the fault still lasts; what is said to wait need not be waited for."""
        patience = PATIENCE if one.happens is Happens.ANSWERED else STANDSTILL
        reached, since = follower.stand()[0], time.monotonic()
        while reached < goal and time.monotonic() - since < patience:
            await asyncio.sleep(LOOK)
            before, reached = reached, follower.stand()[0]
            if reached > before and one.happens is not Happens.ANSWERED:
                since = time.monotonic()
        if reached >= goal:
            return Outcome(one.what, one.happens, Happens.ANSWERED, f"went on, to {goal:,} and further")
        return Outcome(
            one.what, one.happens, Happens.WAITS, f"did not come to {goal:,} in {patience:g} s, but to {reached:,}"
        )

    async def _of_route(self, one: Consequence, watch: _Watch) -> Outcome:
        seen = watch.seen[one.what]
        failed = sorted({f"{each.status} {each.problem}" for each in seen if each.failed})
        if failed:
            return Outcome(one.what, one.happens, Happens.FAILED, f"answered {', '.join(failed)}")
        refused = [each for each in seen if each.refused]
        if len(refused) == len(seen):
            words = ", ".join(sorted({f"{each.status} {each.problem}" for each in refused}))
            return Outcome(one.what, one.happens, Happens.REFUSED, f"{len(seen)} times {words}")
        if refused and not self._over(refused, seen):
            words = ", ".join(sorted({f"{each.status} {each.problem}" for each in refused}))
            return Outcome(one.what, one.happens, Happens.REFUSED, f"{len(refused)} of {len(seen)} times {words}")
        probe = next(each for each in self._eyes.probes if each.what == one.what)
        if not probe.shows_views:
            return Outcome(one.what, one.happens, Happens.ANSWERED, f"answered {len(seen) - len(refused)} times")
        return await self._age(one, watch, [each.position for each in seen if each.position is not None])

    @staticmethod
    def _over(refused: list[Seen], seen: list[Seen]) -> bool:
        """Whether it was only busy, and is not any more."""
        return all(one.problem == "busy" for one in refused) and not seen[-1].refused

    async def _age(self, one: Consequence, watch: _Watch, shown: list[Position]) -> Outcome:
        """Whether it shows what has happened meanwhile."""
        assert one.context is not None
        head, until = self._contexts[one.context].head(), time.monotonic() + PATIENCE
        if not shown or head <= shown[0]:
            return Outcome(one.what, one.happens, None, "nothing new happened meanwhile")
        if len(set(shown)) == 1 and one.happens is Happens.STALE:
            behind = head - shown[-1]
            return Outcome(
                one.what, one.happens, Happens.STALE, f"{behind:,} events old after {watch.seconds:.0f} s, and says so"
            )
        probe = next(each for each in self._eyes.probes if each.what == one.what)
        while time.monotonic() < until:
            now = (await self._eyes.look(probe)).position
            await asyncio.sleep(LOOK)
            if now is not None and now >= head:
                return Outcome(one.what, one.happens, Happens.ANSWERED, "answered, with what was new")
        return Outcome(one.what, one.happens, Happens.STALE, f"did not show position {head:,} in {PATIENCE:g} s")

    # The count.

    async def _count(self) -> Counted:
        """Ask again for what nobody knows, then hold all that was given since the last count against the journals."""
        given = self._load.given[self._checked :]
        await self._load.answered(given)
        counted = Counted()
        unknown = await self._load.settle(given, patience=PATIENCE)
        if unknown:
            self._said(f"{len(unknown)} commands could not be found out: {unknown[0].status} {unknown[0].problem}")
            counted.lost += [one.key for one in unknown]
        self._checked += len(given)
        await asyncio.to_thread(self._hold_against, given, counted)
        return counted

    def _hold_against(self, given: list[Given], counted: Counted) -> None:
        for name, count in self._counts.items():
            count.check([one for one in given if one.context == name], counted)

    async def rows(self) -> list[str]:
        """The views whose rows are not what their events come to. The load must have ended."""
        await self.caught_up()
        return [wrong for running in self._contexts.values() for wrong in await asyncio.to_thread(wrong_rows, running)]


class _Watch:
    """Looks at everything, again and again, for some seconds."""

    def __init__(self, eyes: Eyes, followers: tuple[Follower, ...]) -> None:
        self._eyes = eyes
        self._followers = followers
        self._begun = time.monotonic()
        self.seconds = 0.0
        self.seen: dict[str, list[Seen]] = {probe.what: [] for probe in eyes.probes}
        self.begins: dict[str, tuple[Position, Position]] = {}
        self.ends: dict[str, tuple[Position, Position]] = {}

    async def begin(self) -> None:
        """Once what was under way when the fault struck is through."""
        self.begins = {follower.what: follower.stand() for follower in self._followers}

    def has_work(self, follower: Follower) -> bool:
        """Whether it has been given something to do since the fault struck."""
        return follower.stand()[1] > self.begins[follower.what][0]

    async def go_on(self, seconds: float) -> None:
        """Look for so long, twice at least."""
        until, looks = time.monotonic() + seconds, 0
        while time.monotonic() < until or looks < 2:
            for what, seen in (await self._eyes.look_everywhere()).items():
                self.seen[what].append(seen)
            looks += 1
            await asyncio.sleep(LOOK)
        self.ends = {follower.what: follower.stand() for follower in self._followers}
        self.seconds = time.monotonic() - self._begun


def _of_commands(one: Consequence, given: list[Given]) -> Outcome:
    """What became of the commands that were given meanwhile."""
    if not given:
        return Outcome(one.what, one.happens, None, "nobody gave any meanwhile")
    fates = Counter(each.fate for each in given)
    words = f"{len(given)} given: " + ", ".join(f"{fates[fate]} {fate.value}" for fate in Fate if fates[fate])
    if fates[Fate.FAILED]:
        failed = sorted({f"{each.status} {each.problem}" for each in given if each.fate is Fate.FAILED})
        return Outcome(one.what, one.happens, Happens.FAILED, f"{words}: {', '.join(failed)}")
    if fates[Fate.DECIDED] == len(given):
        return Outcome(one.what, one.happens, Happens.ANSWERED, words)
    if fates[Fate.DECIDED]:
        return Outcome(one.what, one.happens, Happens.STALE, f"neither one nor the other: {words}")
    return Outcome(one.what, one.happens, Happens.REFUSED, words)

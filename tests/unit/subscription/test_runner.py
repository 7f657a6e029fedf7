"""A runner works when the journal grows, tries again after trouble that may pass, and stops for good after any other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from actum.journal.errors import Busy, Corrupted, Unavailable
from actum.journal.store import Append
from actum.stores.memory import MemoryStore
from actum.subscription.progress import Progress
from actum.subscription.runner import Runner
from actum.testing.builders import an_event


class Work:
    """Follows the head of a journal, and fails as it is told to."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.position = 0
        self.troubles: list[Exception] = []
        self.steps = 0

    def step(self) -> bool:
        self.steps += 1
        if self.troubles:
            raise self.troubles.pop(0)
        self.position = min(self.position + 2, self.store.head())
        return self.position < self.store.head()


class Place:
    """A journal, some work on it, and its runner."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.work = Work(self.store)
        self.progress = Progress("the work")
        self.runner = Runner(
            self.store, self.work.step, position=lambda: self.work.position, progress=self.progress, name="test"
        )

    def grow(self, count: int) -> None:
        self.store.append(*[Append((an_event(),)) for _ in range(count)])


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place()
    yield place
    place.runner.stop()
    place.store.close()


def test_work_is_done_when_the_journal_grows(place: Place):
    place.runner.start()
    for head in (7, 14, 21):
        place.grow(7)
        place.progress.wait(head, timeout=30)


@pytest.mark.parametrize("trouble", [Busy("locked"), Unavailable("elsewhere")])
def test_trouble_that_may_pass_is_tried_again(place: Place, trouble: Exception):
    place.work.troubles = [trouble] * 4
    place.grow(3)
    place.runner.start()
    place.progress.wait(3, timeout=30)
    assert place.work.steps >= 6
    assert place.progress.error is None


@pytest.mark.parametrize("trouble", [KeyError("a bug"), Corrupted("bytes")])
def test_any_other_trouble_stops_it_and_is_told(place: Place, trouble: Exception):
    place.work.troubles = [trouble]
    place.grow(3)
    place.runner.start()
    with pytest.raises(Unavailable, match="the work stopped") as raised:
        place.progress.wait(3, timeout=30)
    assert raised.value.__cause__ is trouble


def test_work_that_stopped_goes_on_when_it_is_nudged(place: Place):
    place.work.troubles = [KeyError("a bug")]
    place.grow(3)
    place.runner.start()
    with pytest.raises(Unavailable):
        place.progress.wait(3, timeout=30)
    mended = _on_change(place.progress, lambda: place.progress.position == 3)
    place.runner.nudge()
    assert mended.wait(30)


def _on_change(progress: Progress, holds: Callable[[], bool]) -> threading.Event:
    happened = threading.Event()

    def look() -> None:
        if holds():
            happened.set()

    progress.listen(look)
    return happened


def test_stopping_ends_the_thread_whatever_it_is_doing():
    for troubles in ([], [KeyError("a bug")], [Busy("locked")] * 1000):
        place = Place()
        place.work.troubles = list(troubles)
        place.runner.start()
        place.grow(1)
        place.runner.stop()
        place.runner.stop()
        assert not place.runner._thread.is_alive()


def test_a_runner_that_never_began_can_be_stopped():
    Place().runner.stop()

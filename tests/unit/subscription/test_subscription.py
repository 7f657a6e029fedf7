"""A subscription misses nothing, whatever happens while it looks and waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from actum.journal.errors import Invalid
from actum.journal.event import Position
from actum.journal.query import Query
from actum.journal.store import Append
from actum.stores.memory import MemoryStore
from actum.subscription.subscription import Subscription
from actum.testing.builders import an_event


def _grow(store: MemoryStore, count: int, *, type: str = "Moved") -> None:
    for _ in range(count):
        store.append(Append((an_event(type),)))


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    store = MemoryStore()
    yield store
    store.close()


def test_what_there_is_comes_first_and_then_what_comes(store: MemoryStore):
    _grow(store, 30)
    seen: list[Position] = []
    with Subscription(store, after=10) as subscription:
        for event in subscription:
            seen.append(event.position)
            if event.position == 30:
                threading.Thread(target=_grow, args=(store, 50)).start()
            if event.position == 80:
                break
        assert subscription.position == 80
    assert seen == list(range(11, 81))


def test_what_comes_while_it_looks_is_not_missed(store: MemoryStore):
    """Events are appended at every moment of the iteration, by the iteration itself."""
    seen: list[Position] = []
    _grow(store, 1)
    with Subscription(store) as subscription:
        for event in subscription:
            seen.append(event.position)
            if event.position < 200:
                _grow(store, 1 + event.position % 2)
            if len(seen) == 200:
                break
    assert seen == list(range(1, 201))


def test_what_does_not_match_is_passed_over_and_not_read_again(store: MemoryStore):
    _grow(store, 500, type="Other")
    _grow(store, 1)
    with Subscription(store, Query.of(types=["Moved"])) as subscription:
        following = iter(subscription)
        assert next(following).position == 501
        _grow(store, 10, type="Other")
        _grow(store, 1)
        assert next(following).position == 512


def test_a_second_iteration_goes_on_where_the_first_one_stopped(store: MemoryStore):
    _grow(store, 5)
    with Subscription(store) as subscription:
        assert [event.position for event, _ in zip(subscription, range(2), strict=False)][:2] == [1, 2]
        assert next(iter(subscription)).position > 2


def test_closing_ends_an_iteration_that_waits(store: MemoryStore):
    subscription = Subscription(store)
    seen: list[Position] = []
    begun = threading.Event()

    def follow() -> None:
        begun.set()
        seen.extend(event.position for event in subscription)

    thread = threading.Thread(target=follow)
    thread.start()
    begun.wait()
    subscription.close()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert seen == []


def test_it_stops_watching_when_it_is_closed():
    class Counted(MemoryStore):
        watchers = 0

        def watch(self, ring: Callable[[Position], None]) -> Callable[[], None]:
            self.watchers += 1
            stop = super().watch(ring)

            def stopped() -> None:
                self.watchers -= 1
                stop()

            return stopped

    store = Counted()
    with Subscription(store):
        assert store.watchers == 1
    assert store.watchers == 0


def test_a_ring_that_comes_early_or_twice_does_no_harm(store: MemoryStore):
    with Subscription(store) as subscription:
        subscription._bell.ring(3)
        following = iter(subscription)
        growing = threading.Thread(target=_grow, args=(store, 4))
        growing.start()
        assert [next(following).position for _ in range(4)] == [1, 2, 3, 4]
        growing.join()


def test_a_position_that_cannot_be_is_refused(store: MemoryStore):
    with pytest.raises(Invalid, match="after"):
        Subscription(store, after=-1)


def test_hundreds_of_awaiters_follow_without_a_thread_each(store: MemoryStore):
    async def follow(count: int) -> list[Position]:
        seen: list[Position] = []
        with Subscription(store) as subscription:
            async for event in subscription:
                seen.append(event.position)
                if len(seen) == count:
                    break
        return seen

    async def act() -> None:
        _grow(store, 3)
        tasks = [asyncio.create_task(follow(6)) for _ in range(200)]
        await asyncio.sleep(0)
        assert threading.active_count() < 60
        await asyncio.to_thread(_grow, store, 3)
        assert await asyncio.gather(*tasks) == [[1, 2, 3, 4, 5, 6]] * 200

    asyncio.run(act())

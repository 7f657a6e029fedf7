"""Watching: whoever waits for news is woken, and a call to a closed journal says so."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from actum.journal.bell import Bell
from actum.journal.errors import Unavailable
from actum.journal.query import Query
from actum.journal.store import Snapshot
from actum.testing.builders import an_append, an_event, command_id, fill
from actum.testing.contract.case import Opener, StoreCase
from actum.testing.crews import threads_at_work

if TYPE_CHECKING:
    from collections.abc import Callable

    from actum.journal.event import Position
    from actum.journal.store import JournalStore

PATIENCE = 20.0
"""Seconds after which a wait has failed; a sound store needs a few milliseconds."""


class WatchingCases(StoreCase):
    """The cases of `EventStore.watch`."""

    def test_a_watcher_is_rung_with_the_new_head(self, store: JournalStore) -> None:
        bell = Bell()
        store.watch(bell.ring)
        for size in (1, 3, 100):
            assert bell.wait(fill(store, size), timeout=PATIENCE)
        assert bell.position == 104

    def test_what_a_ring_announces_can_be_read(self, store: JournalStore) -> None:
        seen: list[tuple[Position, Position]] = []
        bell = Bell()
        store.watch(lambda position: seen.append((position, store.head())))
        store.watch(bell.ring)
        for _ in range(20):
            fill(store, 1)
        assert bell.wait(20, timeout=PATIENCE)
        assert seen
        assert all(head >= position for position, head in seen)

    def test_every_watcher_is_rung(self, store: JournalStore) -> None:
        bells = [Bell() for _ in range(10)]
        for bell in bells:
            store.watch(bell.ring)
        fill(store, 1)
        assert all(bell.wait(1, timeout=PATIENCE) for bell in bells)

    def test_a_watcher_who_stopped_is_not_rung_any_more(self, store: JournalStore) -> None:
        left, stayed = Bell(), Bell()
        stop = store.watch(left.ring)
        store.watch(stayed.ring)
        fill(store, 1)
        assert left.wait(1, timeout=PATIENCE)
        stop()
        fill(store, 1)
        assert stayed.wait(2, timeout=PATIENCE)
        assert left.position == 1
        stop()

    def test_growth_between_looking_and_waiting_is_not_missed(self, store: JournalStore) -> None:
        for expected in range(1, 30):
            bell = Bell()
            stop = store.watch(bell.ring)
            writer = threading.Thread(target=fill, args=(store, 1))
            writer.start()
            if store.head() < expected:
                assert bell.wait(expected, timeout=PATIENCE)
            writer.join()
            stop()

    def test_a_watcher_that_fails_harms_neither_the_append_nor_the_others(self, store: JournalStore) -> None:
        def fail(position: Position) -> None:
            raise RuntimeError(f"rung with {position}")

        bell = Bell()
        store.watch(fail)
        store.watch(bell.ring)
        assert fill(store, 1) == 1
        assert bell.wait(1, timeout=PATIENCE)
        assert fill(store, 1) == 2
        assert bell.wait(2, timeout=PATIENCE)


class ClosedCases(StoreCase):
    """What a closed journal answers."""

    def test_every_verb_of_a_closed_journal_says_that_it_is_closed(self, open_store: Opener) -> None:
        store = open_store()
        store.append(an_append(an_event(), command="c"))
        store.close()
        calls: dict[str, Callable[[], object]] = {
            "append": lambda: store.append(an_append()),
            "read": lambda: list(store.read()),
            "read backwards": lambda: list(store.read(Query.of(tags=["a:1"]), backwards=True)),
            "load": lambda: store.load([Query.all()], after=[0]),
            "head": store.head,
            "watch": lambda: store.watch(print),
            "decision": lambda: store.decision(command_id("c")),
            "decisions": lambda: list(store.decisions()),
            "snapshot": lambda: store.snapshot("k"),
            "remember": lambda: store.remember("k", Snapshot(1, b"", b"")),
        }
        for call in calls.values():
            with pytest.raises(Unavailable, match="closed"):
                call()

    def test_closing_twice_is_closing(self, open_store: Opener) -> None:
        store = open_store()
        store.close()
        store.close()

    def test_closing_while_others_are_at_work_gives_them_no_other_error(self, open_store: Opener, seed: int) -> None:
        for _ in range(5):
            store = open_store()
            fill(store, 10)
            begun = threading.Barrier(9)

            def work(store: JournalStore, member: int, begun: threading.Barrier = begun) -> str:
                begun.wait(PATIENCE)
                try:
                    while True:
                        fill(store, 1)
                        list(store.read(Query.of(tags=["a:1"]), limit=5))
                        list(store.read(limit=5, backwards=True))
                        store.load([Query.of(types=["Happened"])], after=[store.head()])
                except Unavailable as closed:
                    return str(closed)

            with threads_at_work(work, store, range(seed, seed + 8)) as futures:
                begun.wait(PATIENCE)
                store.close()
                assert all("closed" in future.result(PATIENCE) for future in futures)

    def test_closing_under_a_reader_ends_the_reading_with_an_error_or_its_end(self, open_store: Opener) -> None:
        store = open_store()
        fill(store, 3000)
        reading = store.read()
        assert next(reading).position == 1
        store.close()
        with pytest.raises(Unavailable, match="closed"):
            assert [event.position for event in reading] == []

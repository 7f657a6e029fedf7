"""Many writers and readers in the threads of one process: no condition violated, none failed without need, none missed."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from actum.journal.bell import Bell
from actum.journal.event import SequencedEvent
from actum.journal.query import Query
from actum.journal.store import Appended
from actum.testing import workers
from actum.testing.builders import an_append, an_event, command_id, positions
from actum.testing.contract.case import StoreCase
from actum.testing.crews import PATIENCE, in_threads, threads_at_work

if TYPE_CHECKING:
    from actum.journal.store import JournalStore

CREW = 8


def seeds_from(seed: int) -> range:
    """A seed for each member of a crew."""
    return range(seed, seed + CREW)


def tail(store: JournalStore, count: int, query: Query) -> list[SequencedEvent]:
    """Follow the journal from its beginning until `count` events that match were seen, waiting only for its rings."""
    bell, seen, last = Bell(), list[SequencedEvent](), 0
    stop = store.watch(bell.ring)
    while len(seen) < count:
        head = store.head()
        news = list(store.read(query, after=last, until=head))
        assert positions(news) == sorted(positions(news))
        seen += news
        last = head
        if len(seen) < count:
            assert bell.wait(last + 1, timeout=PATIENCE), f"no news after position {last}"
    stop()
    return seen


def check_consistency(store: JournalStore, found: workers.Tally) -> None:
    """Every batch is whole, and what each writer had seen last was the last there was."""
    events = list(store.read())
    print(f"{found.appended} batches, {found.collided} conflicts, {len(events)} events")  # noqa: T201
    assert positions(events) == list(range(1, store.head() + 1))
    assert found.appended == CREW * 12
    assert workers.broken_expectations(events) == []
    for record in store.decisions():
        assert record.condition is not None
        query, after = record.condition.fail_if_events_match, record.condition.after
        assert list(store.read(query, after=after, until=record.first - 1)) == []
    assert found.collided > 0, "inconclusive: no two writers ever met"


def check_names(store: JournalStore, tallies: list[workers.Tally]) -> None:
    """Fifty names, each claimed by one writer."""
    assert Counter(tag for event in store.read() for tag in event.tags) == {f"name:{n}": 1 for n in range(50)}
    assert workers.total(tallies) == workers.Tally(appended=50, collided=50 * (CREW - 1))


def check_commands(store: JournalStore, tallies: list[workers.Tally]) -> None:
    """Fifty commands, each decided once whoever retried."""
    assert workers.total(tallies) == workers.Tally(appended=50, repeated=50 * (CREW - 1))
    assert store.head() == 100
    assert len(list(store.decisions())) == 50
    for number in range(50):
        record = store.decision(command_id(f"command {number}"))
        assert record is not None
        written = list(store.read(after=record.first - 1, until=record.last))
        assert [event.tags for event in written] == [(f"command {number}",), ()]


def check_alone(store: JournalStore, other: JournalStore) -> None:
    """Whoever is alone with the journal is not overtaken; whoever wanted to write meanwhile does so afterwards."""
    begun, done = threading.Event(), threading.Event()

    def overtake() -> None:
        begun.set()
        other.append(an_append(an_event("Second")))
        done.set()

    overtaking = threading.Thread(target=overtake)
    with store.alone():
        head, _ = store.load([Query.all()], after=[0])
        overtaking.start()
        assert begun.wait(PATIENCE)
        assert not done.wait(0.2), "another has written meanwhile"
        (outcome,) = store.append(an_append(an_event("First"), unless=Query.all(), after=head))
        assert isinstance(outcome, Appended)
        assert not done.wait(0.1), "the first append has ended it"
    overtaking.join(PATIENCE)
    assert done.is_set()
    assert [event.type for event in store.read()] == ["First", "Second"]


def check_batches(events: list[SequencedEvent]) -> None:
    """Every batch of every writer is whole, in order, and stands together."""
    numbers: Counter[str] = Counter()
    place = 0
    for event in events:
        (writer,) = event.tags
        number, at, size = map(int, event.data.split())
        assert (number, at) == (numbers[writer], place)
        place = (place + 1) % size
        numbers[writer] += place == 0
    assert place == 0
    assert set(numbers.values()) == {40}


class ThreadCases(StoreCase):
    """The cases of several threads on one store."""

    def test_whoever_is_alone_with_the_journal_is_not_overtaken(self, store: JournalStore) -> None:
        check_alone(store, store)

    def test_decisions_taken_at_once_in_threads_rest_on_what_was_true(self, store: JournalStore, seed: int) -> None:
        tallies = in_threads(workers.decide_at_random, store, seeds_from(seed))
        check_consistency(store, workers.total(tallies))

    def test_unrelated_writers_in_threads_never_collide(self, store: JournalStore, seed: int) -> None:
        tallies = in_threads(workers.write_for_oneself, store, seeds_from(seed))
        assert tallies == [workers.Tally(appended=100)] * CREW
        assert store.head() == CREW * 200

    def test_a_name_wanted_by_many_threads_is_claimed_once(self, store: JournalStore, seed: int) -> None:
        check_names(store, in_threads(workers.claim_names, store, seeds_from(seed)))

    def test_a_command_retried_by_many_threads_is_decided_once(self, store: JournalStore, seed: int) -> None:
        check_commands(store, in_threads(workers.retry_commands, store, seeds_from(seed)))

    def test_a_tailing_reader_beside_threads_sees_every_event_once_and_in_order(
        self, store: JournalStore, seed: int
    ) -> None:
        expected = _volume(seed)
        with threads_at_work(workers.write_batches, store, seeds_from(seed)):
            seen = tail(store, expected, Query.all())
        assert positions(seen) == list(range(1, expected + 1))
        check_batches(seen)

    def test_a_tailing_reader_of_one_tag_misses_none_of_it(self, store: JournalStore, seed: int) -> None:
        mine, query = workers.volume(seed + 3), Query.of(tags=[f"writer:{seed + 3}"])
        with threads_at_work(workers.write_batches, store, seeds_from(seed)):
            seen = tail(store, mine, query)
        assert seen == [event for event in store.read() if event.tags == (f"writer:{seed + 3}",)]

    def test_loads_beside_writers_answer_as_of_one_head(self, store: JournalStore, seed: int) -> None:
        expected, shared = _volume(seed), Query.of(types=["Written"])
        with threads_at_work(workers.write_batches, store, seeds_from(seed)):
            head = 0
            while head < expected:
                start = max(head - 50, 0)
                head, (every, typed, again) = store.load([Query.all(), shared, shared], after=[start] * 3)
                assert positions(every) == list(range(start + 1, head + 1))
                assert every == typed == again

    def test_a_batch_is_never_seen_in_part(self, store: JournalStore, seed: int) -> None:
        expected = _volume(seed)
        with threads_at_work(workers.write_batches, store, seeds_from(seed)):
            looks = 0
            while (head := store.head()) < expected:
                looks += 1
                for event in store.read(until=head, limit=1, backwards=True):
                    _, at, size = map(int, event.data.split())
                    assert at == size - 1, f"the head {head} stands in the middle of a batch"
        assert looks, "inconclusive: the writers were done before the first look"


def _volume(seed: int) -> int:
    return sum(workers.volume(member) for member in seeds_from(seed))

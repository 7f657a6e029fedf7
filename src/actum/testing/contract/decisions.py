"""Decisions: taken once per command whoever retries, and kept with their evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actum.journal.query import AppendCondition, Query
from actum.journal.store import Append, Appended, Collided, DecisionKey, DecisionRecord, Repeated, Snapshot
from actum.testing.builders import a_decision, an_append, an_event, command_id, fill
from actum.testing.contract.case import StoreCase

if TYPE_CHECKING:
    from actum.journal.store import JournalStore

FOO = Query.of(tags=["foo:1"])


class DecisionCases(StoreCase):
    """The cases of `DecisionLog`, and of appends that are decisions."""

    def test_a_command_nobody_decided_has_no_decision(self, store: JournalStore) -> None:
        assert store.decision(command_id("c")) is None
        assert list(store.decisions()) == []

    def test_a_decision_is_kept_with_its_positions(self, store: JournalStore) -> None:
        fill(store, 4)
        store.append(an_append(an_event(), an_event(), an_event(), unless=FOO, after=2, command="c", content="x"))
        key = a_decision("c", content="x")
        record = DecisionRecord(key.command, key.digest, key.handler, AppendCondition(FOO, 2), first=5, count=3)
        assert store.decision(key.command) == record
        assert record.last == 7

    def test_a_decision_that_looked_at_nothing_has_no_condition(self, store: JournalStore) -> None:
        store.append(an_append(command="c"))
        record = store.decision(command_id("c"))
        assert record is not None
        assert record.condition is None

    def test_appends_that_are_no_decisions_leave_no_record(self, store: JournalStore) -> None:
        store.append(an_append(unless=FOO), an_append())
        assert list(store.decisions()) == []

    def test_a_retry_is_answered_with_the_first_decision(self, store: JournalStore) -> None:
        append = an_append(an_event("A", "foo:1"), an_event("B"), unless=FOO, command="c")
        (first,) = store.append(append)
        fill(store, 3)
        (second,) = store.append(append)
        assert isinstance(first, Appended)
        assert isinstance(second, Repeated)
        assert (second.decision.first, second.decision.last) == (first.first, first.last)
        assert second.decision == store.decision(command_id("c"))
        assert store.head() == 5

    def test_a_retry_is_a_repetition_even_where_its_condition_would_fail(self, store: JournalStore) -> None:
        store.append(an_append(an_event("A", "foo:1"), unless=FOO, command="c"))
        (outcome,) = store.append(an_append(an_event("A", "foo:1"), unless=Query.all(), command="c"))
        assert isinstance(outcome, Repeated)

    def test_a_retry_with_other_content_is_answered_with_what_was_decided(self, store: JournalStore) -> None:
        store.append(an_append(an_event("A"), command="c", content="ten"))
        (outcome,) = store.append(an_append(an_event("A"), command="c", content="twenty"))
        assert isinstance(outcome, Repeated)
        assert outcome.decision.digest == a_decision("c", content="ten").digest
        assert store.head() == 1

    def test_a_command_twice_in_one_batch_is_decided_once(self, store: JournalStore) -> None:
        first, second = store.append(an_append(an_event("A"), command="c"), an_append(an_event("B"), command="c"))
        assert isinstance(first, Appended)
        assert isinstance(second, Repeated)
        assert second.decision.first == first.first
        assert [event.type for event in store.read()] == ["A"]

    def test_a_command_that_collided_is_still_undecided(self, store: JournalStore) -> None:
        fill(store, 1, "foo:1")
        outcomes = store.append(
            an_append(an_event("A"), unless=FOO, command="c"),
            an_append(an_event("B"), unless=FOO, after=1, command="c"),
        )
        assert isinstance(outcomes[0], Collided)
        assert isinstance(outcomes[1], Appended)
        record = store.decision(command_id("c"))
        assert record is not None
        assert record.first == 2

    def test_decisions_are_read_in_order_of_position(self, store: JournalStore) -> None:
        for number in range(5):
            store.append(an_append(an_event(), an_event(), command=f"z{9 - number}"), an_append())
        found = list(store.decisions())
        assert [record.command for record in found] == [command_id(f"z{9 - number}") for number in range(5)]
        assert [record.first for record in found] == [1, 4, 7, 10, 13]
        assert [record.first for record in store.decisions(after=4)] == [7, 10, 13]
        assert [record.first for record in store.decisions(after=6)] == [7, 10, 13]
        assert list(store.decisions(after=100)) == []

    def test_thousands_of_decisions_are_read_whole(self, store: JournalStore) -> None:
        for start in range(0, 3000, 500):
            store.append(*(an_append(an_event(), command=f"c{n}") for n in range(start, start + 500)))
        assert [record.first for record in store.decisions()] == list(range(1, 3001))
        assert store.decision(command_id("c2999")) is not None

    def test_reading_decisions_holds_nobody_back_and_hides_nothing(self, store: JournalStore) -> None:
        for number in range(3):
            store.append(an_append(command=f"c{number}"))
        reading = store.decisions()
        assert next(reading).first == 1
        assert fill(store, 2) == 5
        assert [event.position for event in store.read()] == [1, 2, 3, 4, 5]
        assert [record.first for record in reading] == [2, 3]

    def test_commands_are_told_apart_to_the_last_byte(self, store: JournalStore) -> None:
        ids = [bytes(15) + bytes([last]) for last in (0, 1, 255)] + [b"\xff" * 16, b"'" * 16]
        outcomes = store.append(*(Append((an_event(),), decision=DecisionKey(id, b"d", "h@1")) for id in ids))
        assert [type(outcome) for outcome in outcomes] == [Appended] * len(ids)
        found = [store.decision(id) for id in ids]
        assert [record.first for record in found if record] == [1, 2, 3, 4, 5]

    def test_the_name_of_a_handler_is_kept_as_it_is(self, store: JournalStore) -> None:
        for handler in ("décide@1", "a.b.c@12", 'it\'s "quoted" %_\\;--', "決める@3"):
            store.append(Append((an_event(),), decision=DecisionKey(command_id(handler), b"", handler)))
            record = store.decision(command_id(handler))
            assert record is not None
            assert record.handler == handler

    def test_every_shape_of_condition_is_kept_exactly(self, store: JournalStore) -> None:
        queries = [
            Query.all(),
            FOO,
            Query.of(types=["A"]),
            Query.of(types=["B", "A"], tags=["z:1", "a:1", "it's:%_\\;\"'"]),
            Query.of(tags=["b:1"])
            | Query.of(types=["A"])
            | Query.of(types=["A"], tags=["b:1"])
            | Query.of(tags=["a:1"]),
            Query.of(tags=["a:1"]) | Query.of(types=["A"], tags=["b:1"]) | Query.of(tags=["b:1"]),
            Query.of(tags=["type", "tag", "A"]) | Query.of(types=["tag", "type"]),
        ]
        for number, query in enumerate(queries):
            after = store.head()
            store.append(an_append(unless=query, after=after, command=f"c{number}"))
            record = store.decision(command_id(f"c{number}"))
            assert record is not None
            assert record.condition == AppendCondition(query, after)
        assert [record.condition.fail_if_events_match for record in store.decisions() if record.condition] == queries


class SnapshotCases(StoreCase):
    """The cases of `Snapshots`: a cache, so what was remembered is found or is gone, but never wrong."""

    def test_nothing_is_remembered_at_first(self, store: JournalStore) -> None:
        assert store.snapshot("Account/a") is None

    def test_what_is_remembered_is_found_as_it_was(self, store: JournalStore) -> None:
        for key in ("Account/a", "Account/A", "it's", "ü→🜂", "x" * 1000):
            kept = Snapshot(position=3, fingerprint=b"\x00\xff", data=key.encode() + bytes(range(256)))
            store.remember(key, kept)
            assert store.snapshot(key) == kept

    def test_the_last_one_remembered_counts(self, store: JournalStore) -> None:
        for position in (3, 9, 5):
            store.remember("k", Snapshot(position=position, fingerprint=b"f", data=b"d"))
        assert store.snapshot("k") == Snapshot(position=5, fingerprint=b"f", data=b"d")
        assert store.snapshot("other") is None

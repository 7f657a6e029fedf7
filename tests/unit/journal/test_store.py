"""What the port demands of an append before a store sees it, and of a batch before one writes."""

from __future__ import annotations

import pytest

from actum.journal.errors import Conflict, Corrupted, Invalid
from actum.journal.query import Query
from actum.journal.store import (
    Append,
    Collided,
    DecisionRecord,
    check_positions,
    check_sizes,
    checked_continuation,
    checked_limit,
    checked_payload_limit,
)
from actum.stores.memory import MemoryStore
from actum.testing.builders import an_append, an_event


def test_an_append_of_nothing_cannot_be_made() -> None:
    with pytest.raises(Invalid, match="at least one event"):
        Append(())


def test_a_decision_ends_with_its_last_event() -> None:
    assert DecisionRecord(b"c", b"d", "h@1", None, first=5, count=3).last == 7


def test_a_collision_is_a_conflict_to_raise() -> None:
    error = Collided(position=9, type="Moved", tags=("a", "b"), after=4).error()
    assert isinstance(error, Conflict)
    assert "after position 4, found Moved at position 9 tagged a, b" in str(error)


@pytest.mark.parametrize("limit", [None, 0, 1, 2**63 - 1])
def test_a_limit_is_a_count_or_none(limit: int | None) -> None:
    assert checked_limit(limit) == limit


def test_sizes_count_data_and_metadata_each() -> None:
    check_sizes([an_append(an_event(data=b"12345", metadata=b"12345"))], payload_limit=5)
    for event in (an_event(data=b"123456"), an_event(metadata=b"123456")):
        with pytest.raises(Invalid, match=r"at most 5 bytes each .* higher payload_limit"):
            check_sizes([an_append(an_event()), an_append(event)][1:], payload_limit=5)


def test_a_payload_limit_is_at_least_one_byte() -> None:
    assert checked_payload_limit(1) == 1
    with pytest.raises(Invalid, match="payload_limit"):
        checked_payload_limit(0)


def test_a_position_from_the_future_is_refused() -> None:
    check_positions([an_append(unless=Query.all(), after=3)], head=3)
    with pytest.raises(Invalid, match="position 4 is from the future, the journal ends at 3"):
        check_positions([an_append(unless=Query.all(), after=4)], head=3)


def test_a_continuation_belongs_to_one_journal_and_stands_right_behind_its_head() -> None:
    store = MemoryStore(origin="here")
    store.append(an_append(), an_append(command="c"))
    events, decisions = list(store.read()), list(store.decisions())
    checked_continuation("here", events, decisions, onto="new", head=0, recorded=0)
    checked_continuation("here", events[1:], decisions, onto="here", head=1, recorded=events[0].recorded)
    with pytest.raises(Invalid, match="this is the journal there, the events are of here"):
        checked_continuation("here", events[1:], [], onto="there", head=1, recorded=0)
    with pytest.raises(Corrupted, match="position 1 is not what was committed to"):
        checked_continuation("other", events, [], onto="new", head=0, recorded=0)
    with pytest.raises(Invalid, match="not all there"):
        checked_continuation("here", events, [*decisions, *decisions], onto="new", head=0, recorded=0)


@pytest.mark.parametrize("origin", ["", "a\nb", "x" * 201])
def test_an_origin_is_one_line(origin: str) -> None:
    with pytest.raises(Invalid, match="origin: expected a line"):
        checked_continuation(origin, [], [], onto="new", head=0, recorded=0)

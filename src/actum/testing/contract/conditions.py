"""Append conditions: what must fail fails and leaves nothing, what may pass passes. The rules of https://dcb.events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actum.journal.errors import Conflict, Invalid
from actum.journal.event import LAST_POSITION
from actum.journal.query import AppendCondition, Query
from actum.journal.store import Appended, Collided, DecisionKey
from actum.testing.builders import a_decision, an_append, an_event, fill, positions
from actum.testing.contract.reading import HEAD, QUESTIONS, ReadingCases, questions

if TYPE_CHECKING:
    from actum.journal.store import JournalStore

FOO = Query.of(tags=["foo:1"])
BAR = Query.of(tags=["bar:1"])
NOWHERE = Query.of(tags=["nobody:1"])


class ConditionCases(ReadingCases):
    """The cases of `EventStore.append` with one condition at a time."""

    @questions
    def test_an_append_collides_exactly_with_matches_after_its_position(
        self, story: JournalStore, question: str
    ) -> None:
        query, matches = QUESTIONS[question]
        for after in range(HEAD, -1, -1):
            newer = [found for found in matches if found > after]
            (outcome,) = story.append(an_append(an_event("Noted", "note:1"), unless=query, after=after))
            if newer:
                assert isinstance(outcome, Collided)
                assert outcome.position in newer
            else:
                assert isinstance(outcome, Appended)
                if query.is_all:
                    return

    def test_an_empty_journal_lets_every_condition_pass(self, store: JournalStore) -> None:
        (outcome,) = store.append(an_append(unless=Query.all()))
        assert isinstance(outcome, Appended)

    def test_a_condition_without_a_position_fails_for_any_match(self, story: JournalStore) -> None:
        (outcome,) = story.append(an_append(unless=Query.of(types=["Closed"], tags=["bar:1"])))
        assert isinstance(outcome, Collided)
        assert (outcome.position, outcome.type, outcome.tags, outcome.after) == (3, "Closed", ("bar:1",), 0)

    def test_a_condition_without_a_position_passes_where_nothing_ever_matched(self, story: JournalStore) -> None:
        (outcome,) = story.append(an_append(unless=NOWHERE))
        assert isinstance(outcome, Appended)

    def test_the_event_at_the_position_seen_does_not_collide(self, story: JournalStore) -> None:
        (outcome,) = story.append(an_append(unless=FOO, after=9))
        assert isinstance(outcome, Appended)

    def test_the_position_seen_may_be_the_head_instead_of_the_last_match(self, story: JournalStore) -> None:
        (outcome,) = story.append(an_append(unless=Query.of(tags=["foo:2"]), after=HEAD))
        assert isinstance(outcome, Appended)

    def test_the_position_seen_may_be_the_last_match_instead_of_the_head(self, story: JournalStore) -> None:
        (outcome,) = story.append(an_append(unless=Query.of(tags=["foo:2"]), after=5))
        assert isinstance(outcome, Appended)

    def test_an_event_that_came_since_collides(self, story: JournalStore) -> None:
        story.append(an_append(an_event("Moved", "foo:1", "other:1")))
        (outcome,) = story.append(an_append(unless=FOO, after=HEAD))
        assert outcome == Collided(position=HEAD + 1, type="Moved", tags=("foo:1", "other:1"), after=HEAD)

    def test_an_event_that_came_since_and_does_not_match_is_no_matter(self, story: JournalStore) -> None:
        story.append(an_append(an_event("Moved", "other:1")))
        (outcome,) = story.append(an_append(unless=FOO, after=HEAD))
        assert isinstance(outcome, Appended)

    def test_everything_collides_with_the_condition_on_all_events(self, story: JournalStore) -> None:
        (failed,) = story.append(an_append(unless=Query.all(), after=HEAD - 1))
        (passed,) = story.append(an_append(unless=Query.all(), after=HEAD))
        assert isinstance(failed, Collided)
        assert failed.position == HEAD
        assert isinstance(passed, Appended)

    def test_a_condition_on_types_alone_sees_events_without_tags(self, store: JournalStore) -> None:
        store.append(an_append(an_event("Closed")))
        (failed,) = store.append(an_append(unless=Query.of(types=["Closed"])))
        (passed,) = store.append(an_append(unless=Query.of(types=["Closed"]), after=1))
        assert failed == Collided(position=1, type="Closed", tags=(), after=0)
        assert isinstance(passed, Appended)

    def test_a_condition_on_types_alone_finds_the_old_among_thousands(self, store: JournalStore) -> None:
        store.append(an_append(an_event("Closed", "foo:1")))
        fill(store, 3000, "bar:1")
        for rare in (Query.of(types=["Closed"]), FOO, Query.of(types=["Closed", "Unheard"], tags=["foo:1"])):
            (failed,) = store.append(an_append(unless=rare))
            assert isinstance(failed, Collided)
            assert failed.position == 1
        for unseen in (Query.of(types=["Closed"]), FOO, NOWHERE, Query.of(tags=["foo:1", "bar:1"])):
            (passed,) = store.append(an_append(unless=unseen, after=1))
            assert isinstance(passed, Appended)

    def test_the_events_of_an_append_do_not_collide_with_its_own_condition(self, store: JournalStore) -> None:
        (outcome,) = store.append(an_append(an_event("Moved", "foo:1"), an_event("Moved", "foo:1"), unless=FOO))
        assert outcome == Appended(first=1, last=2, recorded=next(store.read()).recorded)

    def test_a_refused_append_leaves_nothing(self, story: JournalStore) -> None:
        before = list(story.read())
        for _ in range(3):
            (outcome,) = story.append(an_append(an_event("Lost", "lost:1"), an_event("Lost"), unless=FOO, command="c"))
            assert isinstance(outcome, Collided)
        assert list(story.read()) == before
        assert story.head() == HEAD
        assert list(story.read(Query.of(types=["Lost"]))) == []
        assert list(story.read(Query.of(tags=["lost:1"]))) == []
        assert story.decision(a_decision("c").command) is None

    def test_a_refused_append_leaves_no_gap(self, story: JournalStore) -> None:
        story.append(an_append(unless=FOO))
        (outcome,) = story.append(an_append())
        assert isinstance(outcome, Appended)
        assert outcome.first == HEAD + 1

    def test_a_refused_append_does_not_collide_with_later_conditions(self, story: JournalStore) -> None:
        story.append(an_append(an_event("Lost", "lost:1"), unless=FOO))
        (outcome,) = story.append(an_append(unless=Query.of(tags=["lost:1"])))
        assert isinstance(outcome, Appended)

    def test_a_collision_explains_itself_as_an_error(self, story: JournalStore) -> None:
        (outcome,) = story.append(an_append(unless=Query.of(tags=["baz:1"]), after=4))
        assert isinstance(outcome, Collided)
        with pytest.raises(Conflict, match="OpenedAgain at position 9 tagged bar:1, foo:1, baz:1") as caught:
            raise outcome.error()
        assert caught.value.after == 4

    @pytest.mark.parametrize("beyond", [HEAD + 1, HEAD + 1000, LAST_POSITION])
    def test_a_condition_from_the_future_is_refused(self, story: JournalStore, beyond: int) -> None:
        with pytest.raises(Invalid, match=rf"{beyond}.*\b{HEAD}\b"):
            story.append(an_append(), an_append(unless=NOWHERE, after=beyond))
        assert story.head() == HEAD

    def test_a_guard_keeps_a_name_unique_without_a_read(self, store: JournalStore) -> None:
        taken = [
            isinstance(store.append(an_append(an_event("Claimed", tag), unless=Query.of(tags=[tag])))[0], Appended)
            for tag in ("name:ann", "name:bob", "name:ann", "name:Ann", "name:bob", "name:ann ")
        ]
        assert taken == [True, True, False, True, False, True]


class EnrolmentCases(ReadingCases):
    """The scenario of https://dcb.events: a course takes so many students, a student so many courses."""

    def test_a_course_is_never_overbooked_and_a_student_never_overburdened(self, store: JournalStore) -> None:
        wishes = [(f"s{student}", f"c{course}") for course in range(4) for student in range(5)]
        granted = [wish for wish in wishes * 2 if enrol(store, *wish)]
        assert [" ".join(wish) for wish in granted] == [
            *("s0 c0", "s1 c0", "s2 c0"),  # the first course is full
            *("s0 c1", "s1 c1", "s2 c1"),  # three students have two courses
            *("s3 c2", "s4 c2", "s3 c3", "s4 c3"),
        ]

    def test_one_decision_looks_at_two_entities_and_both_are_guarded(self, store: JournalStore) -> None:
        store.append(an_append(an_event("CourseDefined", "course:c1"), an_event("StudentRegistered", "student:s1")))
        boundary = Query.of(tags=["course:c1"]) | Query.of(tags=["student:s1"])
        for rival in ("course:c1", "student:s1"):
            seen = store.head()
            store.append(an_append(an_event("Renamed", rival)))
            (outcome,) = store.append(an_append(an_event("Enrolled"), unless=boundary, after=seen))
            assert isinstance(outcome, Collided)
            assert outcome.tags == (rival,)
        store.append(an_append(an_event("Renamed", "course:c2", "student:s2")))
        (outcome,) = store.append(an_append(an_event("Enrolled"), unless=boundary, after=4))
        assert isinstance(outcome, Appended)

    def test_conflict_criteria_may_be_narrower_than_what_was_read(self, store: JournalStore) -> None:
        store.append(an_append(an_event("Opened", "account:a")))
        debits = Query.of(types=["Withdrawn"], tags=["account:a"])
        store.append(an_append(an_event("Deposited", "account:a")))
        (credit_came,) = store.append(an_append(an_event("Withdrawn", "account:a"), unless=debits, after=1))
        (debit_came,) = store.append(an_append(an_event("Withdrawn", "account:a"), unless=debits, after=2))
        assert isinstance(credit_came, Appended)
        assert isinstance(debit_came, Collided)

    def test_the_condition_of_a_decision_is_kept_as_its_evidence(self, store: JournalStore) -> None:
        fill(store, 3, "foo:1")
        condition = AppendCondition(BAR | Query.of(types=["Closed"], tags=["foo:1"]), after=3)
        append = an_append(unless=condition.fail_if_events_match, after=3, command="c")
        store.append(append)
        record = store.decision(a_decision("c").command)
        assert record is not None
        assert record.condition == condition
        assert isinstance(append.decision, DecisionKey)
        assert (record.digest, record.handler) == (append.decision.digest, append.decision.handler)
        assert positions(store.read(after=record.first - 1, until=record.last)) == [4]


def enrol(store: JournalStore, student: str, course: str) -> bool:
    """Enrol where the course has fewer than three students and the student fewer than two courses; whether it was."""
    boundary = Query.of(types=["Enrolled"], tags=[f"course:{course}"])
    boundary |= Query.of(types=["Enrolled"], tags=[f"student:{student}"])
    seen, (found,) = store.head(), store.load([boundary], after=[0])[1]
    students = [event for event in found if f"course:{course}" in event.tags]
    courses = [event for event in found if f"student:{student}" in event.tags]
    both = [event for event in students if f"student:{student}" in event.tags]
    if len(students) >= 3 or len(courses) >= 2 or both:
        return False
    enrolled = an_event("Enrolled", f"course:{course}", f"student:{student}")
    (outcome,) = store.append(an_append(enrolled, unless=boundary, after=seen))
    return isinstance(outcome, Appended)

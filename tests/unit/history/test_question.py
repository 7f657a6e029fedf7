"""What somebody types to search."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from actum.history.question import Question, question
from actum.journal.errors import Invalid
from actum.journal.search import Wanted

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ID = UUID("01a21d22-58eb-720d-900c-d10df3bfb057")


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("type:Deposited", (("type:Deposited",),)),
        ("type:De*", (("type:Debited", "type:Deposited"),)),
        ("type:X*", (("type:X*",),)),
        ("account:A-1", (("tag:account:A-1",),)),
        ("tag:odd", (("tag:odd",),)),
        ('actor:"Zoé K"', (("actor:Zoé K",),)),
        ("for:C-1 did:Transfer", (("for:C-1",), ("did:Transfer",))),
        ("amount=30.00", (("amount=30.00",),)),
    ],
)
def test_marks_are_found_as_they_are(text: str, marks: tuple[tuple[str, ...], ...]):
    assert question(text, types=("Debited", "Deposited", "Opened")).wanted == Wanted(marks)


def test_what_is_no_mark_is_a_word():
    assert question('rent "loyer de mars" sal* :x y: a:b:c').wanted == Wanted(
        (("tag:a:b:c",),), ("rent", "loyer de mars", "sal*", ":x", "y:")
    )


def test_an_id_alone_is_whatever_has_it():
    assert question(str(ID)) == Question(id=ID)
    assert question(f"story:{ID}") == Question(story=ID)


def test_times_are_days_moments_or_how_long_ago():
    assert question("after:2026-01-30 before:2h", now=NOW) == Question(
        since=datetime(2026, 1, 30, tzinfo=UTC), until=NOW - timedelta(hours=2)
    )
    assert question("after:2026-01-30T10:00:00+01:00").since == datetime(2026, 1, 30, 9, tzinfo=UTC)
    assert question("after:2026-01-30").everything
    assert not question("rent").everything


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("story:x", "expected a UUID"),
        ("after:noon", "expected a day"),
        ("before:999999d", "expected a day"),
        ("x" * 1001, "1,000"),
    ],
)
def test_what_cannot_be_is_refused_in_words(text: str, says: str):
    with pytest.raises(Invalid, match=says):
        question(text)

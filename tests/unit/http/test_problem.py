"""An error becomes a document and the very same error again; every type is told apart and documented."""

from __future__ import annotations

import msgspec
import pytest

from actum.http.problem import TYPES, URN, Document, error_of, pointer_of, problem_of, read
from actum.journal.errors import (
    ActumError,
    Busy,
    Conflict,
    Corrupted,
    Denied,
    Invalid,
    NewerSchema,
    NotAJournal,
    OutcomeUnknown,
    ReadOnly,
    Refused,
    Reused,
    StorageFull,
    Unavailable,
    Unknown,
)
from tests.house import DOCS


def refused() -> Refused:
    refused = Refused("insufficient funds", balance="3.00", limit="1")
    refused.position, refused.repeated = 7, True
    return refused


ERRORS: list[ActumError] = [
    refused(),
    Conflict(position=7, type="Opened", tags=("account:A", "owner:é"), after=6),
    Invalid("Deposit.amount: expected Decimal", where="Deposit.amount"),
    Unknown("command", "Close", ("Open", "Deposit")),
    Reused("the id stands for another command"),
    Denied("say who you are"),
    Denied("may not", needed="commands:Open"),
    Busy("later"),
    OutcomeUnknown("perhaps"),
    *(kind("out of order") for kind in (Unavailable, StorageFull, ReadOnly, Corrupted, NotAJournal, NewerSchema)),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_comes_back_as_the_very_same_with_its_facts(error: ActumError):
    problem = problem_of(error)
    assert problem is not None
    found = error_of(read(problem.document(), status=problem.type.status))
    assert (type(found), str(found), vars(found)) == (type(error), str(error), vars(error))


def test_every_error_that_a_caller_can_do_something_about_has_a_type_of_its_own():
    names = [problem.type.name for problem in map(problem_of, ERRORS) if problem is not None]
    assert len(names) == len(set(names)) == len(ERRORS)


def test_a_document_has_what_the_standard_says():
    problem = problem_of(refused())
    assert problem is not None
    document = msgspec.json.decode(problem.document())
    assert {
        "type": "urn:actum:problem:refused",
        "title": "The rules said no",
        "status": 422,
    }.items() <= document.items()
    assert document["detail"] == "insufficient funds (balance=3.00, limit=1)"


def test_an_error_of_somebody_else_is_no_problem_of_ours():
    assert problem_of(ValueError("x")) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid),
        (404, Invalid),
        (429, Busy),
        (503, Busy),
        (502, OutcomeUnknown),
        (504, OutcomeUnknown),
        (500, Unavailable),
    ],
)
def test_an_answer_that_is_no_problem_of_ours_is_told_by_its_status(status: int, kind: type[ActumError]):
    for body in (b"<html>Bad gateway</html>", b'{"type":"about:blank","title":"x","status":%d}' % status):
        assert type(error_of(read(body, status=status))) is kind


def test_members_that_others_have_added_are_passed_over():
    document = read(b'{"type":"urn:actum:problem:busy","title":"t","status":503,"detail":"d","more":[1]}', status=503)
    assert document == Document("urn:actum:problem:busy", "t", 503, "d")


@pytest.mark.parametrize(
    ("where", "pointer"),
    [
        ("Order.lines[2].amount", "#/lines/2/amount"),
        ("Order", "#"),
        ("Order.words[...]", "#/words"),
        ("Order.words['x']", "#/words/x"),
        (".limit", "#/limit"),
    ],
)
def test_a_place_is_written_as_a_pointer(where: str, pointer: str):
    assert pointer_of(where) == pointer


def test_every_type_is_documented_with_its_status():
    page = (DOCS / "reference" / "http.md").read_text(encoding="utf-8")
    missing = [one.urn for one in TYPES.values() if f"| `{one.urn}` | {one.status} |" not in page]
    assert missing == []
    assert page.count(f"| `{URN}") == len(TYPES)

"""Cursors come back from outside: only one that a page gave, for this very question, is taken."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from actum import Invalid, Table
from actum.journal.readmodel import Change, Mark
from actum.projection.paging import LONGEST_CURSOR
from actum.projection.view import plan_of
from actum.stores.sqlite.tables import MEMORY, SqliteTables
from tests.unit.projection.bank import Everything

PLAN = plan_of(Everything)
DATABASE = SqliteTables(MEMORY, origin="test")
DATABASE.prepare(PLAN.shape)
DATABASE.commit([Change(PLAN.shape, PLAN.rows([Everything(account=str(n)) for n in range(9)]), Mark(), Mark(1, b"x"))])
TABLE = Table(Everything, DATABASE)


def _cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def _true_cursor(table: Table[Everything]) -> str:
    cursor = table.page(limit=2).next
    assert cursor is not None
    return cursor


def _opened(cursor: str) -> list[Any]:
    found: list[Any] = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return found


@given(some.text() | some.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_a_text_that_is_no_cursor_is_refused(text: str):
    with pytest.raises(Invalid, match="cursor"):
        TABLE.page(after=text)


@given(some.recursive(some.none() | some.booleans() | some.integers() | some.text(), some.lists, max_leaves=5))
def test_a_cursor_with_something_else_in_it_is_refused(value: Any):
    mark = _opened(_true_cursor(TABLE.order("number")))[0]
    for made in (_cursor(mark, value), _cursor(mark, value, value, value), _cursor(value)):
        with pytest.raises(Invalid, match="cursor"):
            TABLE.order("number").page(after=made)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", 2**63),
        ("number", 1.5),
        ("number", True),
        ("number", None),
        ("number", "1"),
        ("amount", "NaN"),
        ("amount", "one"),
        ("amount", 1),
        ("text", "\0"),
        ("text", 1),
        ("real", "x"),
    ],
)
def test_a_cursor_whose_values_do_not_fit_the_columns_is_refused(field: str, value: Any):
    table = TABLE.order(field)
    mark = _opened(_true_cursor(table))[0]
    with pytest.raises(Invalid, match="expected a cursor"):
        table.page(after=_cursor(mark, value, "3"))


@pytest.mark.parametrize("cursor", [None, "", "x" * (LONGEST_CURSOR + 1), b"bytes", 5, "é", "W10", "bnVsbA"])
def test_an_odd_cursor_is_refused_without_being_read(cursor: Any):
    if cursor is None:
        assert len(TABLE.page(after=cursor)) == 9
        return
    with pytest.raises(Invalid, match="cursor"):
        TABLE.page(after=cursor)


def test_a_cursor_of_another_question_is_refused():
    cursor = _true_cursor(TABLE.order("number"))
    for other in (TABLE, TABLE.order("number", descending=True), TABLE.order("number").where("text", "=", "")):
        with pytest.raises(Invalid, match="belongs to another question"):
            other.page(after=cursor)


def test_a_page_knows_whether_there_is_more():
    assert TABLE.page(limit=9).next is None
    assert TABLE.page(limit=8).next is not None
    assert len(TABLE.page(limit=8, after=TABLE.page(limit=8).next)) == 1

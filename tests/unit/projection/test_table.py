"""A table answers what it is asked, numerically right, page by page."""

from __future__ import annotations

import operator
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from actum import Invalid, Table
from actum.journal.readmodel import Change, Mark
from actum.projection.view import plan_of
from actum.stores.sqlite.tables import MEMORY, SqliteTables
from tests.unit.projection.bank import Balance, Colour, Everything

PLAN = plan_of(Everything)
MOMENT = datetime(2024, 2, 29, 12, 30, 1, 5, tzinfo=UTC)

amounts = some.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=3) | (
    some.sampled_from([Decimal(text) for text in ("1", "1.0", "1.00", "0.1", "0.10", "-0", "0", "1E+2", "100")])
)
texts = some.text(alphabet=some.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)
rows = some.builds(
    Everything,
    account=some.uuids().map(str),
    text=texts,
    number=some.integers(-(2**63), 2**63 - 1) | some.integers(-2, 2),
    flag=some.booleans(),
    real=some.floats(allow_nan=False, allow_infinity=False),
    amount=amounts,
    moment=some.none() | some.datetimes(timezones=some.just(UTC)),
    day=some.none() | some.dates(),
    id=some.none() | some.uuids(),
    colour=some.sampled_from(Colour),
    maybe=some.none() | amounts,
    many=some.dictionaries(texts, some.lists(some.integers(0, 9), max_size=2), max_size=2),
)
tables = some.lists(rows, max_size=12, unique_by=lambda row: row.account)
quickly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _filled(views: list[Everything]) -> tuple[Table[Everything], SqliteTables]:
    database = SqliteTables(MEMORY, origin="test")
    database.prepare(PLAN.shape)
    assert database.commit([Change(PLAN.shape, PLAN.rows(views), Mark(), Mark(1, b"x"))])
    return Table(Everything, database), database


@quickly
@given(tables)
def test_every_row_comes_back_as_it_was(views: list[Everything]):
    table, _ = _filled(views)
    assert {row.account: row for row in table} == {view.account: view for view in views}
    for view in views:
        found = table.get(view.account)
        assert found == view
        assert str(found.amount) == str(view.amount)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _holds(sign: str, value: Any, wanted: Any) -> bool:
    if value is None and sign not in ("=", "!="):
        return False
    return COMPARISONS[sign](value, wanted)


@quickly
@given(tables, some.data())
def test_a_filter_finds_what_python_finds(views: list[Everything], data: some.DataObject):
    table, _ = _filled(views)
    field = data.draw(
        some.sampled_from(["account", "text", "number", "real", "amount", "moment", "day", "id", "maybe"])
    )
    values = [value for view in views if (value := getattr(view, field)) is not None]
    if not values:
        return
    wanted = data.draw(some.sampled_from(values))
    sign: Any = data.draw(some.sampled_from(list(COMPARISONS)))
    expected = {view.account for view in views if _holds(sign, getattr(view, field), wanted)}
    asked = table.where(field, sign, wanted)
    assert {row.account for row in asked} == expected
    assert asked.count() == len(expected)
    chosen = data.draw(some.lists(some.sampled_from(values), max_size=3))
    among = {view.account for view in views if getattr(view, field) in chosen}
    assert {row.account for row in table.where(field, "in", chosen)} == among


@quickly
@given(tables, some.data())
def test_pages_in_any_order_come_to_the_whole_sorted_table(views: list[Everything], data: some.DataObject):
    table, _ = _filled(views)
    fields = data.draw(
        some.lists(some.sampled_from(["text", "number", "amount", "maybe", "moment", "flag"]), unique=True)
    )
    directions = [data.draw(some.booleans()) for _ in fields]
    expected = sorted(views, key=lambda view: view.account)
    for field, descending in reversed(list(zip(fields, directions, strict=True))):
        expected.sort(key=lambda view: _sortable(getattr(view, field)), reverse=descending)
    for field, descending in zip(fields, directions, strict=True):
        table = table.order(field, descending=descending)
    if any(directions):
        # Python's reverse keeps equals in their order, as the key does here.
        expected = _stable(views, fields, directions)
    assert list(table) == expected
    assert list(_paged(table, data.draw(some.integers(1, 4)))) == expected
    assert table.first() == (expected[0] if expected else None)


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def _stable(views: list[Everything], fields: list[str], directions: list[bool]) -> list[Everything]:
    found = sorted(views, key=lambda view: view.account)
    for field, descending in reversed(list(zip(fields, directions, strict=True))):
        found = sorted(found, key=lambda view: _sortable(getattr(view, field)), reverse=descending)
    return found


def _paged(table: Table[Everything], limit: int) -> Iterator[Everything]:
    page = table.page(limit=limit)
    yield from page
    while page.next is not None:
        assert len(page) == limit
        page = table.page(limit=limit, after=page.next)
        yield from page


@quickly
@given(
    some.lists(some.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20), max_size=8)
)
def test_amounts_of_any_length_are_sorted_to_the_last_digit(values: list[Decimal]):
    near = [value for base in values for value in (base, base.next_plus(), base.next_minus())]
    table, _ = _filled([Everything(account=str(number), amount=value) for number, value in enumerate(near)])
    found = [row.amount for row in table.order("amount")]
    assert found == sorted(near)


def test_text_is_found_by_its_beginning_whatever_is_in_it():
    table, _ = _filled(
        [Everything(account=str(n), text=text) for n, text in enumerate(["a%b", "a_b", "aXb", "A%", "é"])]
    )
    assert [row.text for row in table.where("text", "starts with", "a%")] == ["a%b"]
    assert [row.text for row in table.where("text", "starts with", "é")] == ["é"]
    assert table.where("text", "starts with", "").count() == 5


def test_what_is_none_is_found_by_equality_and_never_by_an_inequality():
    table, _ = _filled([Everything(account="1"), Everything(account="2", maybe=Decimal(1))])
    assert [row.account for row in table.where("maybe", "=", None)] == ["1"]
    assert [row.account for row in table.where("maybe", "!=", None)] == ["2"]
    assert [row.account for row in table.where("maybe", "!=", Decimal(5))] == ["1", "2"]
    assert [row.account for row in table.where("maybe", "<", 9)] == ["2"]
    assert [row.account for row in table.where("maybe", "in", [None, 1])] == ["1", "2"]
    assert table.where("maybe", "in", []).count() == 0


def test_a_table_is_never_changed_by_asking_it():
    table, _ = _filled([Everything(account="1"), Everything(account="2")])
    table.where("account", "=", "1").order("text")
    assert table.count() == 2
    assert repr(table.where("account", "=", "1").order("text", descending=True)) == (
        "Table[Everything].where('account', '=', '1').order('text', descending=True)"
    )


@pytest.mark.parametrize(
    ("field", "sign", "value", "why"),
    [
        ("balance", "=", 1, "no field 'balance'; it has account, text"),
        ("text", "like", "a", "no operator 'like'; there are =, !=, <"),
        ("amount", ">", 1.5, "expected Decimal, found 1.5.*float has no exact amount"),
        ("number", "=", "1", "expected int, found '1'"),
        ("number", "=", 2**63, "64 bits"),
        ("number", "=", True, "expected int"),
        ("text", "=", 1, "expected str"),
        ("text", "=", "\ud800", "UTF-8"),
        ("text", "<", None, "expected str, found None"),
        ("moment", ">", datetime(2024, 1, 1), "naive"),  # noqa: DTZ001
        ("colour", "<", Colour.RED, "has no order; use =, !=, in"),
        ("many", "=", {}, "kept as JSON"),
        ("number", "starts with", 1, "is for text"),
        ("text", "in", "abc", "takes a list"),
        ("amount", "=", Decimal("NaN"), "finite"),
    ],
)
def test_a_question_that_does_not_fit_says_what_would(field: str, sign: Any, value: Any, why: str):
    table, _ = _filled([])
    with pytest.raises(Invalid, match=why):
        table.where(field, sign, value)


def test_an_order_that_there_is_not_says_which_there_are():
    table, _ = _filled([])
    with pytest.raises(Invalid, match="no field 'nothing'"):
        table.order("nothing")
    with pytest.raises(Invalid, match="kept as JSON and has no order"):
        table.order("many")
    with pytest.raises(Invalid, match="sorted by text already"):
        table.order("text").order("text")


def test_a_page_stays_where_it_was_while_rows_come_and_go():
    table, database = _filled([Everything(account=f"{n:02}", number=n) for n in range(0, 20, 2)])
    by_number = table.order("number")
    first = by_number.page(limit=4)
    added = [Everything(account=f"{n:02}", number=n) for n in range(1, 20, 2)]
    assert database.commit([Change(PLAN.shape, PLAN.rows(added), Mark(1, b"x"), Mark(2, b"y"))])
    second = by_number.page(limit=50, after=first.next)
    assert [row.number for row in first] == [0, 2, 4, 6]
    assert [row.number for row in second] == list(range(7, 20))


@pytest.mark.parametrize("limit", [0, -1, 10_001, True, 1.0, None])
def test_a_page_has_a_size_that_makes_sense(limit: Any):
    table, _ = _filled([])
    with pytest.raises(Invalid, match="expected 1 to 10000 rows"):
        table.page(limit=limit)


def test_an_identity_that_does_not_fit_is_refused():
    table, _ = _filled([])
    with pytest.raises(Invalid, match="identified by account, found 0 values"):
        table.get()
    with pytest.raises(Invalid, match="expected str, found 7"):
        table.get(7)


def test_plain_sql_works_on_the_tables(tmp_path: Path):
    from tests.unit.projection.bank import fill, folded, opened, some_events

    events = some_events(500, seed=11)
    with opened(tmp_path / "bank.actum") as running:
        fill(running.store, events)
        running.catch_up()
        with closing(sqlite3.connect(tmp_path / "bank.views.db")) as plain:
            found = plain.execute("SELECT account, owner, balance, changes FROM balances ORDER BY account").fetchall()
            total = plain.execute("SELECT deposited FROM turnover").fetchone()[0]
        assert {
            row[0]: Balance(account=row[0], owner=row[1], balance=Decimal(row[2]), changes=row[3]) for row in found
        } == (folded(events))
        assert Decimal(total) == sum(event.amount for event in events if type(event).__name__ == "Deposited")


def test_moments_are_kept_in_utc_so_that_they_sort():
    zone = timezone(timedelta(hours=2))
    view = Everything(
        account="1", moment=MOMENT.astimezone(zone), day=date(2024, 2, 29), id=UUID(int=5), colour=Colour.BLUE
    )
    ((row),) = PLAN.rows([view])
    kept = dict(zip(PLAN.cells, row, strict=True))
    assert kept["moment"] == "2024-02-29T12:30:01.000005Z"
    assert kept["day"] == "2024-02-29"
    assert kept["id"] == "00000000-0000-0000-0000-000000000005"
    assert kept["colour"] == "blue"
    assert kept["many"] == "{}"

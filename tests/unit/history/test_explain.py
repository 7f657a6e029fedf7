"""Why a number is what it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import apsw
import pytest

from actum.history.explain import Doubt
from actum.history.formula import Term, formula_of
from actum.journal.errors import Invalid, Unknown
from actum.service.running import Running
from tests.unit.history.wealth import Applied, Assets, Doubled, Frozen, Moved, Priced, Rated, Valued, rates, wealth

C = "C-1"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with wealth.open(tmp_path / "wealth.db", actor="teller-7", follow=False) as running:
        running.append(Moved(customer=C, amount=Decimal(100)), reason="salary")
        running.append(Moved(customer="C-2", amount=Decimal(7)))
        running.append(Valued(customer=C, value=Decimal("30.50")), actor="market")
        running.append(Moved(customer=C, amount=Decimal(-40)), reason="rent")
        running.append(Valued(customer=C, value=Decimal("30.50")), actor="market")
        running.catch_up()
        yield running


def test_a_cell_is_told_by_the_events_that_changed_it(running: Running):
    found = running.explain(Assets, C, column="current")
    assert (found.value, found.opening, found.position, found.exact) == (60, 0, 5, True)
    assert [(m.recorded.position, m.before, m.after, m.delta) for m in found.movements] == [
        (1, 0, 100, 100),
        (4, 100, 60, -40),
    ]
    assert [m.recorded.metadata.reason for m in found.movements] == ["salary", "rent"]
    assert found.parts == ()
    assert found.formula is None


def test_a_cell_made_of_others_is_told_by_its_formula_as_it_is_written(running: Running):
    found = running.explain(Assets, C, column="total")
    assert found.value == Decimal("29.50")
    assert found.formula is not None
    assert (found.formula.text, found.formula.sum) == ("current - pea", True)
    assert [(part.sign, part.explanation.title, part.explanation.value) for part in found.parts] == [
        ("+", "current account", 60),
        ("-", "PEA", Decimal("30.50")),
    ]
    assert [m.recorded.position for m in found.parts[1].explanation.movements] == [3]  # the second said nothing new
    assert found.exact


def test_cells_are_called_by_their_titles_in_the_readers_language(running: Running):
    found = running.explain(Assets, C, column="total", language="fr")
    assert [part.explanation.title for part in found.parts] == ["compte courant", "PEA"]


def test_a_property_is_explained_down_to_events(running: Running):
    found = running.explain(Assets, C, column="debt")
    assert found.value == Decimal("-29.50")
    (total,) = found.parts
    assert (total.sign, total.explanation.column) == ("-", "total")
    assert [part.explanation.column for part in total.explanation.parts] == ["current", "pea"]
    assert found.exact


def test_what_is_no_sum_names_the_cells_that_it_reads():
    formula = formula_of(Assets, "highest")
    assert formula is not None
    assert (formula.text, formula.terms, formula.sum) == (
        "max(current, pea)",
        (Term("", "current"), Term("", "pea")),
        False,
    )


@pytest.mark.parametrize("column", ["current", "pea", "frozen", "seen"])
def test_what_is_made_of_events_has_no_formula(column: str):
    assert formula_of(Assets, column) is None


def test_parts_that_do_not_add_up_are_said_not_hidden(running: Running):
    running.append(Valued(customer=C, value=Decimal(1)))
    found = running.explain(Assets, C, column="stale", at=running.head())
    assert found.doubts == (Doubt.FORMULA,)
    assert not found.exact


def test_events_that_count_without_changing_the_cell_make_it_approximate():
    with rates.open("memory:", actor="clerk") as running:
        running.append(Rated(thing="x", rate=5), Applied(thing="x"))
        found = running.explain(Priced, "x", column="price", at=2)
        assert (found.value, found.doubts, found.exact) == (105, (Doubt.OTHERS_COUNT,), False)
        assert running.explain(Priced, "x", column="rate", at=2).exact


def test_an_event_that_changed_nothing_is_no_movement(running: Running):
    running.append(Frozen(customer=C), Moved(customer=C, amount=Decimal(1)), Doubled(customer=C))
    found = running.explain(Assets, C, column="current", at=running.head())
    assert ([m.recorded.type for m in found.movements], found.exact) == (["Moved", "Moved", "Doubled"], True)


def test_between_two_moments_the_opening_and_the_movements_lead_to_the_value(running: Running):
    found = running.explain(Assets, C, column="current", since=1, at=4)
    assert (found.opening, [m.delta for m in found.movements], found.value) == (100, [-40], 60)
    whole = running.explain(Assets, C, column="current", at=1)
    assert (whole.value, whole.position) == (100, 1)
    first = next(running.events(after=0)).recorded_at
    assert running.explain(Assets, C, column="current", at=first - timedelta(days=1)).value == 0


def test_only_the_last_movements_are_told_where_there_are_many(running: Running):
    found = running.explain(Assets, C, column="current", last=1)
    assert ([m.delta for m in found.movements], found.moved, found.exact) == ([-40], 2, True)


def test_it_is_about_what_the_table_shows_however_far_that_is(running: Running):
    running.append(Moved(customer=C, amount=Decimal(1000)))
    assert running.explain(Assets, C, column="current").value == 60
    running.catch_up()
    assert running.explain(Assets, C, column="current").value == 1060


def test_a_table_that_shows_something_else_is_said(running: Running, tmp_path: Path):
    (table,) = running.views.tables(Assets)
    with apsw.Connection(str(tmp_path / "wealth.views.db")) as database:
        database.execute(f"UPDATE {table} SET total = '90.50' WHERE customer = 'C-1'")
    found = running.explain(Assets, C, column="total")
    assert (found.value, found.shown, found.doubts) == (Decimal("29.50"), Decimal("90.50"), (Doubt.SHOWN,))


def test_a_value_that_can_change_in_place_is_kept_as_it_was(running: Running):
    found = running.explain(Assets, C, column="seen")
    assert [m.after for m in found.movements] == [[Decimal("30.50")], [Decimal("30.50")] * 2]


def test_a_thing_of_which_nothing_is_known_has_its_defaults_and_no_movements(running: Running):
    found = running.explain(Assets, "nobody", column="total")
    assert (found.value, found.movements, found.exact) == (0, (), True)


def test_what_cannot_be_explained_is_refused_in_words(running: Running):
    with pytest.raises(Unknown, match="pea, total"):
        running.explain(Assets, C, column="totl")
    with pytest.raises(Invalid, match="identified by customer"):
        running.explain(Assets, column="total")
    with pytest.raises(Invalid, match="since: position 4 is behind position 2"):
        running.explain(Assets, C, column="total", since=4, at=2)
    with pytest.raises(Invalid, match="from the future"):
        running.explain(Assets, C, column="total", at=99)

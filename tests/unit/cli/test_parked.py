"""Parked events from the shell: seen, mended, taken up again or discarded."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from actum.testing.postgres import with_journal
from tests.unit.cli.conftest import Type, lines_of
from tests.unit.cli.shop import Paid, bad_luck, shop


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def at_shop(request: pytest.FixtureRequest, type_: Type, tmp_path: Path) -> Iterator[Type]:
    """A shell at the shop, where the second payment of one of two customers is parked."""
    path = str(tmp_path / "shop.actum")
    if request.param == "PostgreSQL":
        path = with_journal(request.getfixturevalue("postgres"), f"t{uuid4().hex[:20]}")
    bad_luck.add(Decimal(13))
    with shop.open(path, actor="ada", follow=False) as running:
        for customer, amount in [("c-1", 5), ("c-1", 13), ("c-2", 7), ("c-1", 8)]:
            running.append(Paid(customer=customer, amount=Decimal(amount)))
        running.catch_up()
    yield partial(type_, ACTUM_JOURNAL=path, ACTUM_APP="tests.unit.cli.shop:shop", ACTUM_ACTOR="eva")
    bad_luck.clear()


def _totals(type_: Type) -> dict[str, str]:
    return {row["customer"]: row["total"] for row in lines_of(type_("views", "show", "Sales", "--json"))}


def test_what_is_parked_is_listed_and_shown_with_its_error(at_shop: Type):
    (one,) = lines_of(at_shop("parked", "list", "--json"))
    assert one == {
        "view": "Sales",
        "key": "c-1",
        "position": 2,
        "waiting": 2,
        "attempts": 1,
        "error": "ValueError: 13 brings bad luck",
    }
    assert "13 brings bad luck" in at_shop("parked", "list").stdout
    shown = at_shop("parked", "show", "Sales", "c-1").stdout
    assert "Paid" in shown
    assert "in evolve" in shown
    (facts,) = lines_of(at_shop("parked", "show", "Sales", "c-1", "--json"))
    assert facts["data"] == '{"customer":"c-1","amount":"13"}'
    assert _totals(at_shop) == {"c-1": "5", "c-2": "7"}


def test_what_is_mended_is_taken_up_again(at_shop: Type):
    failed = at_shop("parked", "retry", "Sales", "c-1")
    assert (failed.exit_code, "still parked: c-1" in failed.stdout) == (1, True)
    bad_luck.clear()
    assert at_shop("parked", "retry", "Sales").exit_code == 0
    assert _totals(at_shop) == {"c-1": "26", "c-2": "7"}
    assert at_shop("parked", "list").stdout == "nothing is parked\n"


def test_what_does_not_matter_is_discarded_with_a_reason(at_shop: Type):
    assert at_shop("parked", "discard", "Sales", "c-1").exit_code == 2
    done = at_shop("parked", "discard", "Sales", "c-1", "--reason", "a test", "--json")
    assert (done.exit_code, lines_of(done)) == (0, [{"view": "Sales", "parked": []}])
    assert _totals(at_shop) == {"c-1": "13", "c-2": "7"}
    notes = lines_of(at_shop("events", "list", "--type", "actum.view-discarded", "--json"))
    assert [(note["metadata"]["actor"], note["data"]["reason"]) for note in notes] == [("eva", "a test")]


def test_a_key_that_is_not_parked_is_unknown(at_shop: Type):
    result = at_shop("parked", "show", "Sales", "c-9")
    assert (result.exit_code, "known: c-1" in result.stderr) == (2, True)

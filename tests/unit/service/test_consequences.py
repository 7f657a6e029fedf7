"""What follows when pieces are off is known before they are."""

from __future__ import annotations

import pytest

from actum import System, Unknown
from actum.service.consequences import Happens, names_of, predicted
from tests.unit.host.shop import system as MARKET  # noqa: N812 - a system like the others here
from tests.unit.process.payouts import a_bank
from tests.unit.projection.bank import bank

SYSTEM = System("bank", bank)
REACTING = System("payouts", a_bank())


def happening(*off: str, system: System = SYSTEM) -> dict[str, str]:
    return {one.what: one.happens.value for one in predicted(system, off) if one.happens is not Happens.ANSWERED}


def test_nothing_happens_where_nothing_is_off():
    assert happening() == {}


def test_without_commands_everything_can_still_be_read():
    assert happening("bank/commands", system=REACTING) == {"/bank/commands": "refused"}


def test_without_projections_the_views_grow_stale_and_the_journal_is_read_as_always():
    assert happening("bank/projections") == {
        "/bank/queries": "stale",
        "/bank/views": "stale",
        "/bank/live": "stale",
        "bank: views": "waits",
    }


def test_without_queries_nothing_is_read_and_everything_goes_on():
    off = happening("bank/queries")
    assert set(off.values()) == {"refused"}
    assert set(off) == {f"/bank/{route}" for route in ("queries", "views", "live", "states", "events", "feed")}


def test_without_processes_they_wait_and_nobody_notices_otherwise():
    assert happening("bank/processes", system=REACTING) == {"bank: processes": "waits"}


def test_a_journal_that_cannot_be_written_is_read_as_always():
    assert happening("bank/journal", system=REACTING) == {"/bank/commands": "refused", "bank: processes": "waits"}


def test_a_read_database_that_was_deleted_comes_back_and_shows_less_meanwhile():
    assert happening("bank/read-database") == happening("bank/projections")


def test_a_full_disk_keeps_everything_from_being_written():
    off = happening("disk", system=MARKET)
    assert {off[f"/{name}/commands"] for name in ("shop", "ledger")} == {"refused"}
    assert {off["shop: views"], off["shop: processes"], off["ledger: hears shop"]} == {"waits"}
    assert "/shop/events" not in off


def test_a_context_that_hears_another_needs_that_one_s_queries():
    assert happening("shop/queries", system=MARKET)["ledger: hears shop"] == "waits"
    assert happening("ledger/processes", system=MARKET) == {"ledger: hears shop": "waits"}
    assert "ledger: hears shop" not in happening("shop/commands", system=MARKET)


def test_without_the_gateway_no_route_is_reached_and_what_works_by_itself_goes_on():
    off = happening("gateway", system=REACTING)
    assert set(off.values()) == {"refused"}
    assert all(what.startswith("/") for what in off)
    assert happening("gateway", system=MARKET)["ledger: hears shop"] == "waits"


def test_several_pieces_are_off_at_once_and_each_is_named_as_the_reason():
    both = predicted(SYSTEM, ["bank/projections", "bank/queries"])
    views = next(one for one in both if one.what == "/bank/views")
    assert (views.happens, views.because) == (Happens.REFUSED, ("bank/queries",))


def test_it_is_said_in_english_and_in_french():
    for off in names_of(REACTING):
        for one in predicted(REACTING, [off]):
            assert one.en
            assert one.fr
            assert one.en != one.fr


def test_a_name_that_is_no_piece_is_told_with_those_there_are():
    with pytest.raises(Unknown, match="bank/queries"):
        predicted(SYSTEM, ["bank/quarries"])

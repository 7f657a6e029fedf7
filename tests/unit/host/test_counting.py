"""The count finds what was lost, doubled or kept against its word, and rows that are not what their events come to."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import apsw
import pytest

from actum import Running
from actum.host.counting import Count, Counted, wrong_rows
from actum.host.loading import Given
from actum.journal.clock import SYSTEM_IDS
from actum.journal.metadata import Metadata
from actum.journal.store import Append
from actum.testing.builders import an_event
from tests.unit.host.shop import Order, Stock, Stocked, shop


@pytest.fixture
def running(tmp_path: Path):
    with shop.open(tmp_path / "shop.actum", actor="t", follow=False) as running:
        yield running


def a_key() -> str:
    return str(UUID(bytes=SYSTEM_IDS.new()))


def given(key: str, *, status: int = 200, problem: str = "", position: int = 0) -> Given:
    return Given("shop", key, b"", 0.0, status=status, problem=problem, position=position)


def counted(count: Count, *commands: Given) -> Counted:
    found = Counted()
    count.check(commands, found)
    return found


def test_what_is_where_it_was_said_to_be_is_right(running: Running):
    count, key, refused = Count(running.store), a_key(), a_key()
    position = running.execute(Stock(item="I", count=1), id=UUID(key)).position
    with pytest.raises(Exception, match="not so many"):
        running.execute(Order(order="O", item="I", count=9), id=UUID(refused))
    answers = [
        given(key, position=position),
        given(refused, status=422, problem="refused", position=running.head()),
        given(a_key(), status=503, problem="service-off"),
    ]
    found = counted(count, *answers)
    assert found.right, found
    assert found.acknowledged == 2


def test_what_was_acknowledged_and_is_not_there_is_lost(running: Running):
    count, key = Count(running.store), a_key()
    position = running.execute(Stock(item="I", count=1), id=UUID(key)).position
    gone = a_key()
    found = counted(count, given(key, position=position + 1), given(gone, position=position))
    assert (found.lost, found.right) == ([key, gone], False)


def test_what_was_turned_down_and_is_there_was_kept_against_its_word(running: Running):
    count, key = Count(running.store), a_key()
    running.execute(Stock(item="I", count=1), id=UUID(key))
    found = counted(count, given(key, status=503, problem="service-off"))
    assert (found.kept, found.right) == ([key], False)


def test_what_stands_in_two_places_was_decided_twice(running: Running):
    count = Count(running.store)
    twice = UUID(a_key())
    metadata = Metadata(actor="t", command_id=twice).encode()
    for _ in range(2):
        running.store.append(Append((an_event("Stocked", "item:I", metadata=metadata),)))
        running.append(Stocked(item="I", count=1))
    found = counted(count, given(str(twice), position=1))
    assert (found.doubled, found.right) == ([str(twice)], False)


def test_a_row_that_somebody_has_changed_is_found(running: Running, tmp_path: Path):
    running.execute(Stock(item="I", count=3))
    running.catch_up()
    assert wrong_rows(running) == []
    with apsw.Connection(str(tmp_path / "shop.views.db")) as database:
        table = running.views.tables(shop.views["Item"])[0]
        database.execute(f'UPDATE "{table}" SET left = 4')
    assert wrong_rows(running) == ["shop: Item"]

"""The feed: each new event once, in batches, from where one was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import httpx2
import pytest

from actum.console import console
from actum.console.live import ROWS, cursor, places_in
from actum.http.serving import Serving
from actum.journal.errors import Invalid
from tests.unit.cli.bank import Deposit
from tests.unit.console.street import Street


@pytest.fixture
def url(street: Street) -> Iterator[str]:
    with Serving(console(street.contexts)) as serving:
        yield serving.url


def messages(lines: Iterator[str], count: int) -> list[tuple[str, list[str]]]:
    """The next messages: each with its id, and the rows in it."""
    found: list[tuple[str, list[str]]] = []
    id, text = "", ""
    while len(found) < count:
        line = next(lines)
        if line.startswith("id: "):
            id = line[4:]
        elif line.startswith("data: "):
            text += line[6:]
        elif not line and text:
            found.append((id, re.findall(r'id="e-([\w-]+)"', text)))
            id, text = "", ""
    return found


def test_each_new_event_comes_once_and_one_goes_on_from_where_one_was(street: Street, url: str):
    with httpx2.stream("GET", f"{url}/live/feed?after=bank.2~wealth.2~payouts.99999", timeout=30) as answer:
        lines = answer.iter_lines()
        assert messages(lines, 1) == [("bank.4~wealth.2~payouts.99999", ["bank-4", "bank-3"])]
        street.bank.execute(Deposit(account="A-1", amount=Decimal(7)))
        assert messages(lines, 1) == [("bank.5~wealth.2~payouts.99999", ["bank-5"])]
    headers = {"last-event-id": "bank.4~wealth.2~payouts.99999"}
    with httpx2.stream("GET", f"{url}/live/feed?after=bank.1", headers=headers, timeout=30) as answer:
        assert messages(answer.iter_lines(), 1)[0][1] == ["bank-5"]


def test_only_what_is_asked_for_comes(street: Street, url: str):
    with httpx2.stream("GET", f"{url}/live/feed?q=actor:robot&after=bank.0", timeout=30) as answer:
        assert messages(answer.iter_lines(), 1)[0][1] == ["bank-4"]


def test_too_many_at_once_are_counted_and_left_out(street: Street, url: str):
    for _ in range(ROWS + 10):
        street.bank.execute(Deposit(account="A-1", amount=Decimal(1)))
    with httpx2.stream("GET", f"{url}/live/feed?after=bank.0~wealth.2~payouts.99999", timeout=30) as answer:
        lines = answer.iter_lines()
        assert any("14 more came at once" in next(lines) for _ in range(20))


def test_a_place_is_a_position_of_each_context():
    assert places_in(cursor({"bank": 4, "a.b": 7})) == {"bank": 4, "a.b": 7}
    for wrong in ("bank", "bank.x", "bank.-1"):
        with pytest.raises(Invalid, match="expected a place"):
            places_in(wrong)

"""What was constructed is what was declared; test_codec.py says what is turned down."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest

from actum.journal.conforming import checker
from actum.journal.errors import Invalid
from actum.journal.event import Event


class Line(msgspec.Struct, frozen=True):
    amount: Decimal


class Booked(Event):
    account: str
    count: int = 0
    lines: list[Line] = []


def test_a_message_that_holds_what_it_declares_passes() -> None:
    checker(Booked)(Booked(account="A", count=2**63 - 1, lines=[Line(amount=Decimal(1))]))


def test_a_moment_is_no_day() -> None:
    made = msgspec.defstruct("Made", [("day", date)], frozen=True)
    checker(made)(made(date(2026, 3, 1)))
    with pytest.raises(Invalid, match=r"Made\.day: expected date, found datetime"):
        checker(made)(made(datetime(2026, 3, 1, tzinfo=UTC)))

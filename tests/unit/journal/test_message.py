"""JSON from outside must not be believed; and what of a message can be changed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec
import pytest

from actum.journal.errors import Invalid
from actum.journal.message import comes_back_alike, copier, from_json, to_json
from actum.journal.tagging import tagger
from tests.unit.journal.booked import AccountId, Booked, Line


def test_json_from_outside_becomes_the_message() -> None:
    text = b'{"account":"A","amount":"1.50","lines":[{"account":"B","amount":"2"}]}'
    made = from_json(text, Booked)
    assert made == Booked(account="A", amount=Decimal("1.50"), lines=[Line(account="B", amount=Decimal(2))])
    assert from_json(to_json(made), Booked) == made


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            b'{"account":"A","amount":1.5}',
            "Booked.amount: a JSON float is no exact amount, found 1.5; write it as text",
        ),
        (b'{"account":"A","amount":"1","lines":[{"account":"B","amount":0.1}]}', r"lines\[0\].amount: a JSON float"),
        (
            b'{"account":"A"}',
            r"Booked: .*missing required field `amount`; its fields are account \(str\), amount \(Decimal\), lines",
        ),
        (b'{"account":"A","amount":"1","more":1}', "Booked: .*unknown field `more`; its fields are account"),
        (b'{"account":"A","amount":"1","lines":[{"amount":"1"}]}', r"required field `account` - at `\$.lines\[0\]`$"),
        (b'{"account":7,"amount":"1"}', "Booked: Expected `str`, got `int`"),
        (
            b'{"account":"A","amount":"one"}',
            'Booked: Invalid decimal string - at `.*amount`; write an amount as "12.50"',
        ),
        (b'{"account":"A","amount":"NaN"}', "amount: expected a finite amount"),
        (b'{"account":"A","amount":"Infinity"}', "amount: expected a finite amount"),
        (
            b'{"account":"A","amount":"1","count":9223372036854775808}',
            "Booked.count: expected a whole number of 64 bits, found one of 65; declare a Decimal",
        ),
        (b'{"account":"A","amount":"1","count":-' + b"9" * 5000 + b"}", "Booked"),
        (b"{", "Booked: Input data was truncated; expected one whole JSON object with the fields account"),
        (b"", "Booked: Input data was truncated; expected one whole JSON object with the fields account"),
        (b"[]", "Booked: Expected `object`, got `array`; expected one whole JSON object with"),
        (b'{"account":"\xff","amount":"1"}', "Booked: .*utf-8|Booked: Invalid"),
        (b"[" * 100_000, "Booked: "),
    ],
)
def test_json_that_is_not_the_message_says_where_and_why(text: bytes, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        from_json(text, Booked)


def test_an_identity_from_outside_may_not_be_empty_where_it_becomes_a_tag() -> None:
    with pytest.raises(Invalid, match="the identity of 'account' is empty"):
        tagger(Booked)(from_json(b'{"account":"","amount":"1"}', Booked))


def test_text_that_no_encoding_has_cannot_be_written() -> None:
    with pytest.raises(Invalid, match="Booked cannot be written as JSON"):
        to_json(Booked(account="\ud800", amount=Decimal(1)))


class Node(msgspec.Struct, frozen=True):
    name: str
    inside: tuple[Node, ...] = ()


class Open(msgspec.Struct):
    name: str


@pytest.mark.parametrize(
    ("kind", "alike", "copied"),
    [
        (AccountId, True, False),
        (Decimal | date | None, True, False),
        (tuple[int, ...], True, False),
        (Literal["a", "b"], True, False),
        (Node, True, False),
        (datetime, False, False),
        (list[str], False, True),
        (tuple[dict[str, int], int], False, True),
        (Open | None, False, True),
        (Any, False, True),
    ],
)
def test_what_can_be_changed_is_copied_and_what_comes_back_otherwise_is_read_afresh(
    kind: Any, *, alike: bool, copied: bool
) -> None:
    made = msgspec.defstruct("Made", [("field", kind)], frozen=True)
    assert comes_back_alike(made) is alike
    assert (copier(made) is not None) is copied

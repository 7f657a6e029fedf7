"""What a message class says of itself, and JSON from outside that must not be believed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest

from actum.journal.errors import Invalid
from actum.journal.event import Event, Tag
from actum.journal.message import checker, comes_back_alike, copier, from_json, identities, tagger, to_json

AccountId = Annotated[str, Tag("account")]
MaybeId = Annotated[str | None, Tag("account")]


class Line(msgspec.Struct, frozen=True):
    account: AccountId
    amount: Decimal


class Booked(Event):
    account: AccountId
    amount: Decimal
    lines: list[Line] = []
    maybe: MaybeId = None
    again: AccountId | None = None
    count: int = 0


class Three(Event):
    one: AccountId
    two: Annotated[int, Tag("box")]
    three: Annotated[UUID, Tag("owner")]


def test_identities_are_the_fields_that_declare_a_tag() -> None:
    assert identities(Three) == {"one": Tag("account"), "two": Tag("box"), "three": Tag("owner")}
    assert set(identities(Booked)) == {"account", "maybe", "again"}


def test_tags_come_in_the_order_of_the_fields_and_a_missing_identity_gives_none() -> None:
    lines = [Line(account="B", amount=Decimal(1)), Line(account="A", amount=Decimal(2))]
    assert tagger(Booked)(Booked(account="A", amount=Decimal(1), lines=lines)) == ("account:A", "account:B")
    assert tagger(Booked)(Booked(account="A", amount=Decimal(1), maybe="C", again="D")) == (
        *("account:A", "account:C", "account:D"),
    )
    owner = UUID(int=9)
    assert tagger(Three)(Three(one="a", two=0, three=owner)) == ("account:a", "box:0", f"owner:{owner}")


def test_a_message_that_holds_what_it_declares_passes() -> None:
    checker(Booked)(Booked(account="A", amount=Decimal(1), lines=[Line(account="B", amount=Decimal(1))]))
    checker(Three)(Three(one="a", two=1, three=UUID(int=1)))


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
        (b'{"account":"A"}', "Booked: .*missing required field `amount`"),
        (b'{"account":"A","amount":"1","more":1}', "Booked: .*unknown field `more`"),
        (b'{"account":7,"amount":"1"}', "Booked: Expected `str`, got `int`"),
        (b'{"account":"A","amount":"one"}', "Booked: Invalid decimal"),
        (b'{"account":"A","amount":"NaN"}', "amount: expected a finite amount"),
        (b'{"account":"A","amount":"Infinity"}', "amount: expected a finite amount"),
        (
            b'{"account":"A","amount":"1","count":9223372036854775808}',
            "Booked.count: expected a whole number of 64 bits, found one of 65; declare a Decimal",
        ),
        (b'{"account":"A","amount":"1","count":-' + b"9" * 5000 + b"}", "Booked"),
        (b"{", "Booked: Input data was truncated"),
        (b"", "Booked: Input data was truncated"),
        (b"[]", "Booked: Expected `object`, got `array`"),
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


def test_a_moment_is_no_day() -> None:
    made = msgspec.defstruct("Made", [("day", date)], frozen=True)
    checker(made)(made(date(2026, 3, 1)))
    with pytest.raises(Invalid, match=r"Made\.day: expected date, found datetime"):
        checker(made)(made(datetime(2026, 3, 1, tzinfo=UTC)))

"""A message is tagged with its identities, wherever in it they stand."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from actum.journal.event import Event, Tag
from actum.journal.fields import identities
from actum.journal.tagging import tagger
from tests.unit.journal.booked import AccountId, Booked, Line


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

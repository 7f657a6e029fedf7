"""What a context lets others know."""

from __future__ import annotations

from decimal import Decimal

import pytest

from actum import App, Event, Misdeclared
from actum.messaging.published import publications_of
from tests.unit.messaging.neighbours import Deposited, Moved, Opened, PaidIn, a_bank


def test_a_class_is_published_as_it_is():
    (found,) = publications_of(Opened)
    assert found.of(Opened(account="A")) == (Opened(account="A"),)


def test_a_mapping_tells_one_several_or_nothing():
    bank = a_bank()
    told = bank.publications[Deposited]
    assert told.public == (PaidIn,)
    assert told.of(Deposited(account="A", owner="C", amount=Decimal(5))) == (PaidIn(customer="C", amount=Decimal(5)),)
    assert told.of(Deposited(account="A", owner="C", amount=Decimal("0.5"))) == ()
    both = bank.publications[Moved].of(Moved(giver="C", taker="D", amount=Decimal(2)))
    assert [event.amount for event in both if isinstance(event, PaidIn)] == [-2, 2]


def test_a_mapping_that_answers_something_else_than_it_says_is_named():
    def lies(event: Deposited) -> PaidIn:
        return Opened(account=event.account)  # type: ignore[return-value]

    (found,) = publications_of(lies)
    with pytest.raises(Misdeclared, match=r"of Deposited was told Opened.*says that it answers PaidIn"):
        found.of(Deposited(account="A", owner="C", amount=Decimal(5)))


def test_a_signature_that_says_too_little_is_turned_down():
    def of_nothing() -> PaidIn: ...  # type: ignore[empty-body]

    def of_a_text(event: str) -> PaidIn: ...  # type: ignore[empty-body]

    def to_a_text(event: Deposited) -> str: ...  # type: ignore[empty-body]

    for wrong, words in ((of_nothing, "one event"), (of_a_text, "one event"), (to_a_text, "expected public events")):
        with pytest.raises(Misdeclared, match=words):
            publications_of(wrong)
    with pytest.raises(Misdeclared, match="expected an event class or a function, found str"):
        publications_of(str)  # type: ignore[arg-type]


def test_an_event_is_published_once():
    bank = App("bank")
    bank.publishes(Opened)
    with pytest.raises(Misdeclared, match="published of Opened is declared twice"):
        bank.publishes(Opened)


def test_what_is_published_is_known():
    bank = App("bank")

    @bank.publishes
    class Closed(Event):
        account: str

    assert bank.codec.types["Closed"] is Closed

"""What a context does about another's public events."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from actum import App, Command, Misdeclared
from actum.messaging.heard import Hearing, ear_of
from tests.unit.messaging.neighbours import (
    Deposited,
    Move,
    Note,
    Opened,
    PaidIn,
    a_bank,
    an_office,
    deposit,
)


def told(office: App, command: Command) -> list[tuple[Command, str]]:
    """What the office would do about what the bank records of a command, with the ids."""
    (hearing,) = office.hearings
    assert isinstance(hearing, Hearing)
    with a_bank().open("memory:", actor="teller-7") as bank:
        bank.execute(command)
        (stored,) = bank.store.read()
        first, again = ([(one.command, str(one.id)) for one in hearing.told(stored)] for _ in range(2))
        assert first == again
        for one in hearing.told(stored):
            assert (one.acting.actor, one.acting.causation) == ("teller-7", stored.uuid)
            assert one.acting.correlation == stored.metadata.command_id
        return first


def test_an_event_leads_to_a_command_whose_id_follows_from_it():
    ((command, _),) = told(an_office(a_bank()), deposit("C", 5))
    assert command == Note(customer="C", amount=Decimal(5))


def test_an_event_that_tells_two_things_leads_to_two_commands_of_different_ids():
    found = told(an_office(a_bank()), Move(giver="C", taker="D", amount=Decimal(2)))
    assert [command.customer for command, _ in found if isinstance(command, Note)] == ["C", "D"]
    assert len({id for _, id in found}) == 2


def test_what_is_nobodys_business_leads_to_nothing():
    assert told(an_office(a_bank()), deposit("C", "0.5")) == []


def test_only_what_is_published_can_be_heard():
    office = App("office")

    @office.hears(a_bank())
    def peek(event: Deposited) -> Note | None:
        return None

    with pytest.raises(Misdeclared, match=r"office hears Deposited in peek, but bank publishes Opened, PaidIn"):
        assert office.hearings


def test_a_signature_that_says_too_little_is_turned_down():
    def hears_nothing() -> Note: ...  # type: ignore[empty-body]

    def hears_text(event: str) -> Note: ...  # type: ignore[empty-body]

    for wrong in (hears_nothing, hears_text):
        with pytest.raises(Misdeclared, match="expected one public event"):
            ear_of(wrong)


def test_an_answer_that_is_no_command_is_named():
    def wrong(event: PaidIn) -> Iterator[object]:
        yield event

    with pytest.raises(Misdeclared, match=r"wrong answered PaidIn.*expected commands"):
        ear_of(wrong).commands(PaidIn(customer="C", amount=Decimal(1)))


def test_neither_itself_nor_two_of_one_name_nor_one_function_twice_can_be_heard():
    bank = a_bank()
    office = an_office(bank)

    def note_money(event: Opened) -> None: ...

    for context, words in ((office, "cannot hear itself"), (a_bank(), "both called 'bank'"), (bank, "rename one")):
        with pytest.raises(Misdeclared, match=words):
            office.hears(context)(note_money)
    assert office.heard == ("bank",)

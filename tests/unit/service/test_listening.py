"""Listening in threads: the neighbours that are there are heard, those that are not are waited for."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from actum import App, Command, Event, Invalid, Misdeclared, Unavailable, Unknown
from actum.journal.event import Position, SequencedEvent
from actum.messaging.source import Beside, Heard
from tests.unit.messaging.neighbours import Note, PaidIn, Wealth, a_bank, an_office, deposit


class Gift(Event):
    customer: str


class Give(Command):
    customer: str


class Away:
    """A source that is out of reach until it is back."""

    def __init__(self, inner: Beside) -> None:
        self._inner = inner
        self.back = threading.Event()
        self.asked = threading.Event()

    def read(self, types: frozenset[str], *, after: Position) -> Heard:
        self.asked.set()
        if not self.back.is_set():
            raise Unavailable("the line is down")
        return self._inner.read(types, after=after)

    def at(self, position: Position) -> SequencedEvent | None:
        return self._inner.at(position)

    def watch(self, ring: Callable[[Position], None]) -> Callable[[], None]:
        return self._inner.watch(ring)


def test_what_happens_elsewhere_is_done_here_while_one_listens():
    bank_app = a_bank()
    with bank_app.open("memory:", actor="t") as bank, an_office(bank_app).open("memory:", actor="o") as office:
        with office.listen({"bank": bank}) as listening:
            done = bank.execute(deposit("C", 5))
            listening.wait_for("bank", done.position)
            office.wait_for(office.head())
            assert office.view(Wealth).get("C") == Wealth(customer="C", total=Decimal(5), steps=" 5")
            (heard,) = listening.contexts
            assert (heard.context, heard.position, heard.trouble) == ("bank", 1, None)
        bank.execute(deposit("C", 6))
        assert office.head() == 1
        office.listen({"bank": bank}).catch_up()
        assert office.head() == 2


def test_a_neighbour_that_is_down_is_waited_for_and_holds_up_no_other():
    north, south = a_bank(), App("south")

    @south.decides
    def give(command: Give) -> Gift:
        return Gift(customer=command.customer)

    south.publishes(Gift)
    app = an_office(north)

    @app.hears(south)
    def note_gift(event: Gift) -> Note:
        return Note(customer=event.customer, amount=Decimal(1))

    with (
        north.open("memory:", actor="t") as bank,
        south.open("memory:", actor="t") as giver,
        app.open("memory:", actor="o") as office,
    ):
        away = Away(Beside(bank.store))
        with office.listen({"bank": away, "south": giver}) as listening:
            missed = bank.execute(deposit("C", 5)).position
            assert away.asked.wait(30)
            listening.wait_for("south", giver.execute(Give(customer="D")).position, timeout=30)
            assert office.state(Wealth, "D").total == 1
            with pytest.raises(Unavailable, match="the line is down"):
                listening.wait_for("bank", missed, timeout=0.1)
            assert listening.contexts[0].trouble == "the line is down"
            away.back.set()
            listening.wait_for("bank", missed, timeout=30)
            assert office.state(Wealth, "C").total == 5
            assert listening.contexts[0].trouble is None


def test_a_mistake_in_a_handler_stands_still_until_it_is_mended_and_loses_nothing():
    bank_app = a_bank()
    office_app = App("office")
    office_app.view(Wealth)
    mended = threading.Event()

    @office_app.decides
    def note(command: Note) -> None: ...

    @office_app.hears(bank_app)
    def note_money(event: PaidIn) -> Note:
        if event.amount == 5 and not mended.is_set():
            raise ZeroDivisionError("oops")
        return Note(customer=event.customer, amount=event.amount)

    with (
        bank_app.open("memory:", actor="t") as bank,
        office_app.open("memory:", actor="o") as office,
        office.listen({"bank": bank}) as listening,
    ):
        before = bank.execute(deposit("C", 4))
        done = bank.execute(deposit("C", 5))
        with pytest.raises(Unavailable, match="ZeroDivisionError: oops"):
            listening.wait_for("bank", done.position, timeout=30)
        assert (listening.contexts[0].position, office.head()) == (before.position, 1)
        mended.set()
        while office.head() < 2:
            listening.look_again()
        assert [one.type for one in office.events()] == ["actum.unchanged", "actum.unchanged"]


@pytest.mark.parametrize(
    ("context", "position", "timeout", "said"),
    [
        ("bank", 1, "x", "timeout: expected seconds from 0, found 'x'"),
        ("bank", -1, 1, "wait_for: expected a position from 0"),
        ("bench", 1, 1, "context: expected one that is heard (bank), found 'bench'"),
    ],
)
def test_what_cannot_be_waited_for_is_said(context: str, position: Position, timeout: Any, said: str):
    bank_app = a_bank()
    with (
        bank_app.open("memory:", actor="t") as bank,
        an_office(bank_app).open("memory:", actor="o") as office,
        office.listen({"bank": bank}) as listening,
        pytest.raises(Invalid, match=re.escape(said)),
    ):
        listening.wait_for(context, position, timeout=timeout)


def test_who_is_heard_must_be_named_and_who_hears_nobody_has_nothing_to_listen_to():
    bank_app = a_bank()
    with bank_app.open("memory:", actor="t") as bank, an_office(bank_app).open("memory:", actor="o") as office:
        with pytest.raises(Misdeclared, match=r"office hears bank, found sources for none"):
            office.listen({})
        with pytest.raises(Unknown):
            bank.listen({})

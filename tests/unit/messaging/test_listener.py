"""A listener: in order, once, and never past what is not done."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from actum import App, Busy, Running, Unavailable
from actum.decision.acting import Acting
from actum.journal.readmodel import Change, Mark
from actum.messaging.heard import Told
from actum.messaging.listener import Listener, shape_of, waves
from actum.messaging.source import PAGE, Beside
from tests.unit.messaging.neighbours import Move, Note, Noted, Open, Opened, Wealth, a_bank, an_office, deposit


class Two:
    """Both contexts, open; on the same files again after `again`."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.bank_app = a_bank()
        self.office_app = an_office(self.bank_app)
        self._open()

    def _open(self) -> None:
        places = {
            name: "memory:" if self._folder is None else self._folder / f"{name}.db" for name in ("bank", "office")
        }
        self.bank: Running = self.bank_app.open(places["bank"], actor="teller-7", follow=False)
        self.office: Running = self.office_app.open(places["office"], actor="office", follow=False)

    def again(self, office: App | None = None) -> None:
        """New programs on the same files."""
        self.close()
        self.office_app = office or self.office_app
        self._open()

    def listener(self, give: Any = None) -> Listener:
        """One more listener."""
        (hearing,) = self.office_app.hearings
        return Listener(
            hearing,
            source=Beside(self.bank.store),
            database=self.office.views.database,
            give=give or self.office.counter.execute_all,
        )

    def noted(self) -> list[str]:
        """What the office has on record, in order."""
        found = [(one.type, one.event) for one in self.office.events()]
        return [f"{event.customer} {event.amount}" if isinstance(event, Noted) else type for type, event in found]

    def close(self) -> None:
        self.bank.close()
        self.office.close()


@pytest.fixture(params=["memory", "sqlite"])
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Two]:
    found = Two(None if request.param == "memory" else tmp_path)
    yield found
    found.close()


def hear_all(listener: Listener) -> None:
    while listener.step():
        pass


def test_what_happened_there_is_done_here_once_and_in_order(two: Two):
    for number in range(1, 5):
        two.bank.execute(deposit("C", number))
    two.bank.execute(Move(giver="C", taker="D", amount=Decimal(2)))
    hear_all(two.listener())
    hear_all(two.listener())
    assert [one for one in two.noted() if one != "D 2"] == ["C 1", "C 2", "C 3", "C 4", "C -2"]
    assert two.noted().count("D 2") == 1
    two.office.catch_up()
    assert two.office.view(Wealth).get("C") == Wealth(customer="C", total=Decimal(8), steps=" 1 2 3 4 -2")


def test_who_did_it_and_in_which_story_is_carried_along(two: Two):
    two.bank.execute(deposit("C", 5), actor="app-c", on_behalf_of="C", reason="salary")
    hear_all(two.listener())
    (there,), (here,) = two.bank.events(), two.office.events()
    assert (here.metadata.actor, here.metadata.on_behalf_of, here.metadata.reason) == ("app-c", "C", "salary")
    assert here.metadata.correlation_id == there.metadata.correlation_id
    assert here.metadata.causation_id == there.id


def test_a_refusal_is_an_answer_and_what_follows_is_heard(two: Two):
    for number in (12, 13, 14):
        two.bank.execute(deposit("C", number))
    hear_all(two.listener())
    assert two.noted() == ["C 12", "actum.refused", "C 14"]
    hear_all(two.listener())
    assert len(two.noted()) == 3


def test_two_listeners_at_once_do_everything_once(two: Two):
    one, other = two.listener(), two.listener()
    for number in range(1, 30):
        two.bank.execute(deposit(f"C-{number % 4}", number))
        one.step()
        other.step()
    hear_all(one)
    hear_all(other)
    expected = [f"C-{number % 4} {number}" for number in range(1, 30) if number != 13]
    assert sorted(two.noted()) == sorted([*expected, "actum.refused"])


def test_nothing_behind_what_is_not_done_about_the_same_thing_is_given(two: Two):
    for amount, owner in ((1, "C"), (2, "D"), (3, "C"), (4, "D")):
        two.bank.execute(deposit(owner, amount))

    def busy_with_c(commands: Any) -> list[Any]:
        answers = two.office.counter.execute_all([one for one in commands if one[0].customer != "C"])
        return [Busy("not now") if one[0].customer == "C" else answers.pop(0) for one in commands]

    with pytest.raises(Busy, match="not now"):
        two.listener(busy_with_c).step()
    assert two.noted() == ["D 2"]
    hear_all(two.listener())
    assert [one for one in two.noted() if one.startswith("C")] == ["C 1", "C 3"]
    assert [one for one in two.noted() if one.startswith("D")] == ["D 2", "D 4"]


def test_more_than_a_page_is_heard_page_by_page(two: Two):
    for number in range(PAGE + 20):
        two.bank.append(Opened(account=f"A-{number}"))
    for number in range(3):
        two.bank.execute(deposit("C", number + 1))
    listener = two.listener()
    hear_all(listener)
    assert two.noted() == ["C 1", "C 2", "C 3"]
    assert listener.position == two.bank.head()


def test_without_its_read_database_all_is_heard_again_and_found_done(tmp_path: Path):
    two = Two(tmp_path)
    for number in range(1, 8):
        two.bank.execute(deposit("C", number))
    hear_all(two.listener())
    before = two.noted()
    two.close()
    (tmp_path / "office.views.db").unlink()
    two.again()
    listener = two.listener()
    assert listener.position == 0
    hear_all(listener)
    assert (two.noted(), listener.position) == (before, 7)
    two.close()


def test_who_hears_more_than_before_hears_all_from_the_beginning(tmp_path: Path):
    two = Two(tmp_path)
    two.bank.execute(Open(account="A-C"))
    two.bank.execute(deposit("C", 5))
    hear_all(two.listener())
    wider = an_office(two.bank_app)

    @wider.hears(two.bank_app)
    def note_accounts(event: Opened) -> Note:
        return Note(customer=event.account, amount=Decimal(0))

    two.again(wider)
    hear_all(two.listener())
    assert two.noted() == ["C 5", "A-C 0"]
    two.close()


def test_another_journal_in_the_place_of_the_one_that_was_heard_is_noticed(two: Two):
    two.bank.execute(deposit("C", 5))
    listener = two.listener()
    hear_all(listener)
    database = two.office.views.database
    (share,) = database.shares(shape_of(listener.hearing))
    elsewhere = Mark(1, b"another event...")
    assert database.commit([Change(shape_of(listener.hearing), (), share.mark, elsewhere, epoch=share.epoch)])
    with pytest.raises(Unavailable, match="put back"):
        two.listener().step()


def test_commands_about_one_thing_are_in_waves_and_the_others_beside_them():
    def a(customer: str, number: int) -> Told:
        return Told(Note(customer=customer, amount=Decimal(number)), UUID(int=number), Acting("a"))

    found = waves([a("C", 1), a("D", 2), a("C", 3), a("E", 4), a("C", 5), a("D", 6)])
    assert [[one.id.int for one in wave] for wave in found] == [[1, 2, 4], [3, 6], [5]]

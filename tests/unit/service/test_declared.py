"""An application on a journal that another version of it wrote."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from actum.decision.state import State
from actum.journal.errors import Misdeclared
from actum.journal.event import Event
from actum.journal.upcast import add, drop, rename, split
from actum.service.app import App
from tests.unit.decision.bank import Account, AccountId, Deposit, Deposited, Open, Opened, Withdraw, Withdrawn, a_bank


class DepositedToday(Event, name="Deposited", version=2):
    account: AccountId
    value: Decimal
    currency: str


class AccountToday(State):
    id: AccountId
    balance: Decimal = Decimal(0)

    def evolve(self, event: DepositedToday | Withdrawn) -> None:
        match event:
            case DepositedToday():
                self.balance += event.value
            case Withdrawn():
                self.balance -= event.amount


class AddedIn(Event):
    account: AccountId
    amount: Decimal


class TakenOut(Event):
    account: AccountId
    amount: Decimal


class Flow(State):
    id: AccountId
    added: Decimal = Decimal(0)
    taken: Decimal = Decimal(0)

    def evolve(self, event: AddedIn | TakenOut) -> None:
        match event:
            case AddedIn():
                self.added += event.amount
            case TakenOut():
                self.taken += event.amount


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "bank.db"
    with a_bank().open(path, actor="t") as running:
        running.execute(Open(account="A", email="a"))
        running.execute(Deposit(account="A", amount=Decimal(5)))
        running.execute(Withdraw(account="A", amount=Decimal(2)))
    return path


def test_old_events_are_read_in_today_s_words(written: Path) -> None:
    today = App("bank")
    today.folds(AccountToday)
    today.knows(Opened)
    today.upcast("Deposited", 1, rename("amount", to="value"), add("currency", "CZK"))
    with today.open(written) as running:
        assert running.state(AccountToday, "A").balance == 3
        deposited = [one.event for one in running.events() if one.type == "Deposited"]
    assert deposited == [DepositedToday(account="A", value=Decimal(5), currency="CZK")]


def test_types_that_have_other_names_today_are_found_under_the_old_ones(written: Path) -> None:
    today = App("bank")
    today.folds(Flow)
    today.upcast("Deposited", 1, into=AddedIn)
    today.upcast(
        "Withdrawn",
        1,
        split(
            lambda data: [("TakenOut", 1, data), ("AddedIn", 1, data | {"amount": "0.5"})],
            into=[("TakenOut", 1), ("AddedIn", 1)],
        ),
    )
    today.upcast("Opened", 1, drop())
    with today.open(written) as running:
        flow = running.state(Flow, "A")
        assert (flow.added, flow.taken) == (Decimal("5.5"), Decimal(2))
        assert [one.type for one in running.events()] == ["AddedIn", "TakenOut", "AddedIn"]


def test_a_version_without_a_way_from_the_one_before_is_found_at_start_up(tmp_path: Path) -> None:
    today = App("bank")
    today.folds(AccountToday)
    with pytest.raises(Misdeclared, match="Deposited is at version 2, but nothing reads version 1; declare upcast"):
        today.open(tmp_path / "j.db")
    assert not (tmp_path / "j.db").exists()


def test_events_of_a_newer_program_are_found_at_start_up(tmp_path: Path) -> None:
    today = App("bank")
    today.folds(AccountToday)
    today.upcast("Deposited", 1, rename("amount", to="value"), add("currency", "CZK"))
    with today.open(tmp_path / "j.db", actor="t") as running:
        running.append(DepositedToday(account="A", value=Decimal(1), currency="CZK"))
    with pytest.raises(
        Misdeclared, match="the journal holds Deposited@2, this program reads Deposited up to version 1"
    ):
        a_bank().open(tmp_path / "j.db")


def test_snapshots_of_another_fold_are_not_trusted(tmp_path: Path) -> None:
    class Remembered(Account, snapshot_every=2):
        def evolve(self, event: Opened | Deposited | Withdrawn) -> None:
            match event:
                case Opened():
                    self.open = True
                case Deposited():
                    self.balance += event.amount
                case Withdrawn():
                    self.balance -= event.amount

    class Doubling(Account, snapshot_every=2):
        def evolve(self, event: Opened | Deposited | Withdrawn) -> None:
            match event:
                case Opened():
                    self.open = True
                case Deposited():
                    self.balance += event.amount * 2
                case Withdrawn():
                    self.balance -= event.amount

    balances: list[Decimal] = []

    def bank_with(state: type[Account]) -> App:
        def look(command: Deposit, account: Account) -> Deposited:
            balances.append(account.balance)
            return Deposited(account=command.account, amount=command.amount)

        state.__name__ = "Account"
        look.__annotations__["account"] = state
        app = App("bank")
        app.decides(look)
        return app

    for state in (Remembered, Remembered, Doubling):
        with bank_with(state).open(tmp_path / "j.db", actor="t") as running:
            for _ in range(3):
                running.execute(Deposit(account="A", amount=Decimal(1)))
    assert [int(balance) for balance in balances] == [0, 1, 2, 3, 4, 5, 12, 14, 16]
    assert (tmp_path / "j.db").exists()

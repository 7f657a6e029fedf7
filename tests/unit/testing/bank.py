"""A small bank, for the tests of the test kit."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from actum.decision.command import Command
from actum.decision.state import State
from actum.journal.errors import Refused
from actum.journal.event import Event, Tag
from actum.projection.view import View
from actum.service.app import App

AccountId = Annotated[str, Tag("account")]


class Opened(Event):
    account: AccountId
    owner: str


class Deposited(Event):
    account: AccountId
    amount: Decimal


class Withdrawn(Event):
    account: AccountId
    amount: Decimal


class Account(State):
    id: AccountId
    open: bool = False
    balance: Decimal = Decimal(0)
    owners: list[str] = []

    def evolve(self, event: Opened | Deposited | Withdrawn) -> None:
        match event:
            case Opened(owner=owner):
                self.open = True
                self.owners = [*self.owners, owner]
            case Deposited(amount=amount):
                self.balance += amount
            case Withdrawn(amount=amount):
                self.balance -= amount


class Balance(View):
    account: AccountId
    owner: str = ""
    balance: Decimal = Decimal(0)

    def evolve(self, event: Opened | Deposited | Withdrawn) -> None:
        match event:
            case Opened(owner=owner):
                self.owner = owner
            case Deposited(amount=amount):
                self.balance += amount
            case Withdrawn(amount=amount):
                self.balance -= amount


class Open(Command):
    account: AccountId
    owner: str


class Deposit(Command):
    account: AccountId
    amount: Decimal


class Withdraw(Command):
    account: AccountId
    amount: Decimal


bank = App("bank", version="7")
bank.view(Balance)


@bank.decides
def open_account(command: Open, account: Account) -> Opened | None:
    return None if account.open else Opened(account=command.account, owner=command.owner)


@bank.decides
def deposit(command: Deposit, account: Account) -> Deposited:
    return Deposited(account=command.account, amount=command.amount)


@bank.decides
def withdraw(command: Withdraw, account: Account) -> Withdrawn:
    if account.balance < command.amount:
        raise Refused("insufficient funds", balance=account.balance)
    return Withdrawn(account=command.account, amount=command.amount)

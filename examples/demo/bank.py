"""The bank of the demonstration: accounts in two languages, money in, out and across, and no debts."""

from decimal import Decimal
from typing import Annotated

from actum import App, Command, Event, Exists, Page, Query, Refused, State, Table, Tag, View

AccountId = Annotated[str, Tag("account")]

bank = App("demo-bank", version="1")


class Opened(Event):
    account: AccountId
    owner: str
    language: str


class Deposited(Event):
    account: AccountId
    amount: Decimal


class Withdrawn(Event):
    account: AccountId
    amount: Decimal


class Transferred(Event):
    source: AccountId
    target: AccountId
    amount: Decimal


class DayClosed(Event):
    entries: int


class Account(State):
    id: AccountId
    open: bool = False
    balance: Decimal = Decimal("0.00")

    def evolve(self, event: Opened | Deposited | Withdrawn | Transferred) -> None:
        match event:
            case Opened():
                self.open = True
            case Deposited(amount=amount):
                self.balance += amount
            case Withdrawn(amount=amount):
                self.balance -= amount
            case Transferred(source=source, amount=amount):
                self.balance += -amount if source == self.id else amount


class Open(Command):
    account: AccountId
    owner: str
    language: str = "en"


class Deposit(Command):
    account: AccountId
    amount: Decimal


class Withdraw(Command):
    account: AccountId
    amount: Decimal


class Transfer(Command):
    source: AccountId
    target: AccountId
    amount: Decimal


class CloseDay(Command):
    entries: int


def check(account: Account, amount: Decimal) -> None:
    if not account.open:
        raise Refused("there is no such account", account=account.id)
    if amount <= 0:
        raise Refused("an amount is more than nothing", amount=amount)


def check_funds(account: Account, amount: Decimal) -> None:
    check(account, amount)
    if account.balance < amount:
        raise Refused("insufficient funds", balance=account.balance, wanted=amount)


@bank.decides(unless=Exists(Opened, by="account", because="the account is open already"))
def open_account(command: Open) -> Opened:
    return Opened(account=command.account, owner=command.owner, language=command.language)


@bank.decides
def deposit(command: Deposit, account: Account) -> Deposited:
    check(account, command.amount)
    return Deposited(account=account.id, amount=command.amount)


@bank.decides
def withdraw(command: Withdraw, account: Account) -> Withdrawn:
    check_funds(account, command.amount)
    return Withdrawn(account=account.id, amount=command.amount)


@bank.decides
def transfer(command: Transfer, source: Account, target: Account) -> Transferred:
    check(target, command.amount)
    check_funds(source, command.amount)
    return Transferred(source=source.id, target=target.id, amount=command.amount)


@bank.decides
def close_day(command: CloseDay) -> DayClosed:
    return DayClosed(entries=command.entries)


@bank.view
class Balance(View, table="balances"):
    account: AccountId
    owner: str = ""
    balance: Decimal = Decimal("0.00")
    entries: int = 0

    def evolve(self, event: Opened | Deposited | Withdrawn | Transferred) -> None:
        self.entries += 1
        match event:
            case Opened(owner=owner):
                self.owner = owner
            case Deposited(amount=amount):
                self.balance += amount
            case Withdrawn(amount=amount):
                self.balance -= amount
            case Transferred(source=source, amount=amount):
                self.balance += -amount if source == self.account else amount


class Richest(Query[Page[Balance]]):
    count: int = 5


@bank.answers
def richest(query: Richest, balances: Table[Balance]) -> Page[Balance]:
    return balances.order("balance", descending=True).page(limit=query.count)

"""The bank behind the door: rules that refuse, views with all kinds of columns, questions with all kinds of fields."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated

from msgspec import Meta, Struct

from actum import App, Command, Event, Exists, Page, Query, Refused, State, Table, Tag, View

AccountId = Annotated[str, Tag("account")]


class Branch(Enum):
    PRAHA = "praha"
    BRNO = "brno"


class Line(Struct, frozen=True, forbid_unknown_fields=True):
    account: AccountId
    amount: Decimal


class Opened(Event):
    account: AccountId
    owner: str
    branch: Branch = Branch.PRAHA


class Deposited(Event):
    account: AccountId
    amount: Decimal


class Transferred(Event):
    source: AccountId
    target: AccountId
    amount: Decimal


class Noted(Event):
    lines: list[Line]
    when: datetime | None = None
    words: dict[str, str] = {}


class Account(State):
    id: AccountId
    open: bool = False
    balance: Decimal = Decimal(0)

    def evolve(self, event: Opened | Deposited | Transferred) -> None:
        match event:
            case Opened():
                self.open = True
            case Deposited(amount=amount):
                self.balance += amount
            case Transferred(source=source, amount=amount):
                self.balance += -amount if source == self.id else amount


class Open(Command):
    """Open an account."""

    account: AccountId
    owner: Annotated[str, Meta(max_length=100)]
    branch: Branch = Branch.PRAHA


class Deposit(Command):
    account: AccountId
    amount: Decimal


class Transfer(Command):
    source: AccountId
    target: AccountId
    amount: Decimal


class Note(Command):
    lines: list[Line]
    when: datetime | None = None
    words: dict[str, str] = {}


bank = App("bank", version="2")


@bank.decides(unless=Exists(Opened, by="account", because="the account is open already"))
def open_account(command: Open) -> Opened:
    return Opened(account=command.account, owner=command.owner, branch=command.branch)


@bank.decides
def deposit(command: Deposit, account: Account) -> Deposited | None:
    if not account.open:
        raise Refused("there is no such account", account=account.id)
    if command.amount == 0:
        return None
    return Deposited(account=command.account, amount=command.amount)


@bank.decides
def transfer(command: Transfer, source: Account, target: Account) -> Transferred:
    if not source.open or not target.open:
        raise Refused("there is no such account", source=source.id, target=target.id)
    if source.balance < command.amount:
        raise Refused("insufficient funds", balance=source.balance)
    return Transferred(source=command.source, target=command.target, amount=command.amount)


@bank.decides
def note(command: Note) -> Noted:
    return Noted(lines=command.lines, when=command.when, words=command.words)


@bank.view
class Balance(View, table="balances"):
    account: AccountId
    owner: str = ""
    branch: Branch = Branch.PRAHA
    balance: Decimal = Decimal(0)
    movements: int = 0
    words: list[str] = []

    def evolve(self, event: Opened | Deposited | Transferred) -> None:
        self.movements += 1
        match event:
            case Opened(owner=owner, branch=branch):
                self.owner, self.branch = owner, branch
            case Deposited(amount=amount):
                self.balance += amount
            case Transferred(source=source, amount=amount):
                self.balance += -amount if source == self.account else amount


@bank.view
class Total(View):
    """One row for all there is."""

    accounts: int = 0

    def evolve(self, event: Opened) -> None:
        self.accounts += 1


class Richest(Query[Page[Balance]]):
    """Accounts with much on them."""

    at_least: Decimal = Decimal(0)
    branches: list[Branch] = []
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    after: str | None = None


class Owners(Query[Sequence[str]]):
    beginning: str = ""


class OwnerOf(Query[str | None]):
    account: AccountId


@bank.answers
def richest(query: Richest, balances: Table[Balance]) -> Page[Balance]:
    found = balances.where("balance", ">=", query.at_least).order("balance", descending=True)
    if query.branches:
        found = found.where("branch", "in", query.branches)
    return found.page(limit=query.limit, after=query.after)


@bank.answers
def owners(query: Owners, balances: Table[Balance]) -> list[str]:
    return sorted({row.owner for row in balances.where("owner", "starts with", query.beginning)})


@bank.answers
def owner_of(query: OwnerOf, balances: Table[Balance]) -> str | None:
    row = balances.get(query.account)
    return None if row is None else row.owner

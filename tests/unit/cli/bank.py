"""The bank that the command line's tests talk to."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from actum import App, Command, Event, Exists, Page, Query, Refused, State, Table, Tag, View

AccountId = Annotated[str, Tag("account")]


class Opened(Event):
    account: AccountId
    owner: str


class Deposited(Event):
    account: AccountId
    amount: Decimal


class Noted(Event):
    accounts: list[AccountId]
    count: int
    share: float
    urgent: bool
    when: datetime | None = None
    words: dict[str, str] = {}


class Account(State):
    id: AccountId
    open: bool = False
    balance: Decimal = Decimal(0)

    def evolve(self, event: Opened | Deposited) -> None:
        if isinstance(event, Opened):
            self.open = True
        else:
            self.balance += event.amount


class Open(Command):
    account: AccountId
    owner: str


class Deposit(Command):
    account: AccountId
    amount: Decimal


class Note(Command):
    accounts: list[AccountId]
    count: int
    share: float
    urgent: bool
    when: datetime | None = None
    words: dict[str, str] = {}


bank = App("bank")
nothing = "not an application"


@bank.decides(unless=Exists(Opened, by="account", because="the account is open already"))
def open_account(command: Open) -> Opened:
    return Opened(account=command.account, owner=command.owner)


@bank.decides
def deposit(command: Deposit, account: Account) -> Deposited | None:
    if not account.open:
        raise Refused("there is no such account", account=account.id)
    if command.amount == 0:
        return None
    return Deposited(account=command.account, amount=command.amount)


@bank.decides
def note(command: Note) -> Noted:
    return Noted(**{name: getattr(command, name) for name in command.__struct_fields__})


@bank.view
class Balance(View, table="balances"):
    account: AccountId
    owner: str = ""
    balance: Decimal = Decimal(0)

    def evolve(self, event: Opened | Deposited) -> None:
        if isinstance(event, Opened):
            self.owner = event.owner
        else:
            self.balance += event.amount


class Richest(Query[Page[Balance]]):
    at_least: Decimal = Decimal(0)
    at_once: int = 50
    after: str | None = None


class Owners(Query[Sequence[str]]):
    pass


@bank.answers
def richest(query: Richest, balances: Table[Balance]) -> Page[Balance]:
    return (
        balances.where("balance", ">=", query.at_least)
        .order("balance", descending=True)
        .page(limit=query.at_once, after=query.after)
    )


@bank.answers
def owners(query: Owners, balances: Table[Balance]) -> Sequence[str]:
    return sorted(row.owner for row in balances)

"""Current accounts: opened, paid into, drawn on, transfers between them, and an overdraft only where one is authorised."""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from actum import App, Command, Event, Exists, Page, Query, Refused, State, Table, Tag, View

AccountId = Annotated[str, Tag("account")]
CustomerId = Annotated[str, Tag("customer")]

accounts = App("accounts", version="1")


class AccountOpened(Event):
    account: AccountId
    customer: CustomerId
    name: str
    language: str


class OverdraftAuthorised(Event):
    account: AccountId
    limit: Decimal


class Deposited(Event):
    account: AccountId
    customer: CustomerId
    amount: Decimal
    label: str


class Withdrawn(Event):
    account: AccountId
    customer: CustomerId
    amount: Decimal
    label: str


class Transferred(Event):
    source: AccountId
    source_customer: CustomerId
    target: AccountId
    target_customer: CustomerId
    amount: Decimal
    label: str


class CurrentAccount(State):
    id: AccountId
    customer: str = ""
    balance: Decimal = Decimal("0.00")
    limit: Decimal = Decimal("0.00")

    @property
    def is_open(self) -> bool:
        return bool(self.customer)

    def evolve(self, event: AccountOpened | OverdraftAuthorised | Deposited | Withdrawn | Transferred) -> None:
        match event:
            case AccountOpened(customer=customer):
                self.customer = customer
            case OverdraftAuthorised(limit=limit):
                self.limit = limit
            case Deposited(amount=amount):
                self.balance += amount
            case Withdrawn(amount=amount):
                self.balance -= amount
            case Transferred(source=source, amount=amount):
                self.balance += -amount if source == self.id else amount


class OpenAccount(Command):
    account: AccountId
    customer: CustomerId
    name: str
    language: str = "fr"


class AuthoriseOverdraft(Command):
    account: AccountId
    limit: Decimal


class Deposit(Command):
    account: AccountId
    amount: Decimal
    label: str = ""


class Withdraw(Command):
    account: AccountId
    amount: Decimal
    label: str = ""


class Transfer(Command):
    source: AccountId
    target: AccountId
    amount: Decimal
    label: str = ""


def check(account: CurrentAccount, amount: Decimal) -> None:
    if not account.is_open:
        raise Refused("there is no such account", account=account.id)
    if amount <= 0 or amount != round(amount, 2):
        raise Refused("an amount is more than nothing, in whole cents", amount=amount)


def check_funds(account: CurrentAccount, amount: Decimal) -> None:
    check(account, amount)
    if account.balance + account.limit < amount:
        raise Refused("insufficient funds", balance=account.balance, overdraft=account.limit, wanted=amount)


@accounts.decides(unless=Exists(AccountOpened, by="account", because="the account is open already"))
def open_account(command: OpenAccount) -> AccountOpened:
    return AccountOpened(
        account=command.account, customer=command.customer, name=command.name, language=command.language
    )


@accounts.decides
def authorise_overdraft(command: AuthoriseOverdraft, account: CurrentAccount) -> OverdraftAuthorised:
    if not account.is_open:
        raise Refused("there is no such account", account=account.id)
    if command.limit < 0:
        raise Refused("a limit is nothing or more", limit=command.limit)
    return OverdraftAuthorised(account=account.id, limit=command.limit)


@accounts.decides
def deposit(command: Deposit, account: CurrentAccount) -> Deposited:
    check(account, command.amount)
    return Deposited(account=account.id, customer=account.customer, amount=command.amount, label=command.label)


@accounts.decides
def withdraw(command: Withdraw, account: CurrentAccount) -> Withdrawn:
    check_funds(account, command.amount)
    return Withdrawn(account=account.id, customer=account.customer, amount=command.amount, label=command.label)


@accounts.decides
def transfer(command: Transfer, source: CurrentAccount, target: CurrentAccount) -> Transferred:
    check(target, command.amount)
    check_funds(source, command.amount)
    if source.id == target.id:
        raise Refused("a transfer goes to another account", account=source.id)
    return Transferred(
        source=source.id,
        source_customer=source.customer,
        target=target.id,
        target_customer=target.customer,
        amount=command.amount,
        label=command.label,
    )


@accounts.view
class Balance(View, table="balances"):
    account: AccountId
    customer: Annotated[str, Meta(title="customer", extra={"fr": "client"})] = ""
    name: Annotated[str, Meta(title="name", extra={"fr": "nom"})] = ""
    balance: Annotated[Decimal, Meta(title="balance", extra={"fr": "solde"})] = Decimal("0.00")
    overdraft: Annotated[Decimal, Meta(title="authorised overdraft", extra={"fr": "découvert autorisé"})] = Decimal(0)

    def evolve(self, event: AccountOpened | OverdraftAuthorised | Deposited | Withdrawn | Transferred) -> None:
        match event:
            case AccountOpened(customer=customer, name=name):
                self.customer, self.name = customer, name
            case OverdraftAuthorised(limit=limit):
                self.overdraft = limit
            case Deposited(amount=amount):
                self.balance += amount
            case Withdrawn(amount=amount):
                self.balance -= amount
            case Transferred(source=source, amount=amount):
                self.balance += -amount if source == self.account else amount


class Accounts(Query[Page[Balance]]):
    """The accounts, the fullest first."""

    count: int = 20


@accounts.answers
def fullest(query: Accounts, balances: Table[Balance]) -> Page[Balance]:
    return balances.order("balance", descending=True).page(limit=query.count)


# What others are told.


class CustomerWelcomed(Event, version=1):
    customer: CustomerId
    name: str
    language: str


class CurrentAccountMoved(Event, version=1):
    """The customer has so much more on the current account, or so much less."""

    customer: CustomerId
    amount: Decimal
    label: str


@accounts.publishes
def welcomed(event: AccountOpened) -> CustomerWelcomed:
    return CustomerWelcomed(customer=event.customer, name=event.name, language=event.language)


@accounts.publishes
def paid_in(event: Deposited) -> CurrentAccountMoved:
    return CurrentAccountMoved(customer=event.customer, amount=event.amount, label=event.label)


@accounts.publishes
def drawn(event: Withdrawn) -> CurrentAccountMoved:
    return CurrentAccountMoved(customer=event.customer, amount=-event.amount, label=event.label)


@accounts.publishes
def across(event: Transferred) -> tuple[CurrentAccountMoved, ...]:
    return (
        CurrentAccountMoved(customer=event.source_customer, amount=-event.amount, label=event.label),
        CurrentAccountMoved(customer=event.target_customer, amount=event.amount, label=event.label),
    )

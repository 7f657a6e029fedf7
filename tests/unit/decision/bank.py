"""The bank of these tests."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Annotated

from actum.decision.command import Command
from actum.decision.handler import Exists
from actum.decision.state import State
from actum.journal.errors import Refused
from actum.journal.event import Event, Tag
from actum.service.app import App

AccountId = Annotated[str, Tag("account")]
Email = Annotated[str, Tag("email")]


class Opened(Event):
    account: AccountId
    email: Email


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


class Account(State):
    id: AccountId
    open: bool = False
    balance: Decimal = Decimal(0)

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
    email: Email


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


class Sweep(Command):
    accounts: list[AccountId]
    target: AccountId


class Tidy(Command):
    account: AccountId


def a_bank() -> App:
    """A bank of its own for each test: nothing is shared."""
    bank = App("bank", version="1.2", revision="abc")

    @bank.decides(unless=Exists(Opened, by="email", because="the address has an account"))
    def open_account(command: Open, account: Account) -> Opened:
        if account.open:
            raise Refused("the account is open already", account=account.id)
        return Opened(account=command.account, email=command.email)

    @bank.decides(conflicts=[Opened])
    def deposit(command: Deposit, account: Account) -> Deposited:
        if not account.open:
            raise Refused("the account is not open", account=account.id)
        return Deposited(account=command.account, amount=command.amount)

    @bank.decides
    def withdraw(command: Withdraw, account: Account) -> Withdrawn:
        if account.balance < command.amount:
            raise Refused("insufficient funds", balance=account.balance)
        return Withdrawn(account=command.account, amount=command.amount)

    @bank.decides
    def transfer(command: Transfer, source: Account, target: Account) -> Transferred:
        if not target.open:
            raise Refused("the target account is not open", account=target.id)
        if source.balance < command.amount:
            raise Refused("insufficient funds", balance=source.balance)
        return Transferred(source=command.source, target=command.target, amount=command.amount)

    @bank.decides
    def sweep(command: Sweep, accounts: list[Account], target: Account) -> Iterator[Transferred]:
        for account in accounts:
            if account.balance:
                yield Transferred(source=account.id, target=target.id, amount=account.balance)

    @bank.decides(version=2)
    def tidy(command: Tidy, account: Account) -> None:
        return None

    return bank


def narrow_withdrawals(meanwhile: Callable[[], object]) -> App:
    """A bank in which only withdrawals make a withdrawal void; `meanwhile` happens between the look and the append."""
    bank, narrow = a_bank(), App("bank")
    for command in (Open, Deposit):
        narrow.decides(bank.handler(command).decide)

    @narrow.decides(conflicts=[Withdrawn])
    def withdraw(command: Withdraw, account: Account) -> Withdrawn | None:
        meanwhile()
        if account.balance < command.amount:
            raise Refused("insufficient funds", balance=account.balance)
        return Withdrawn(account=command.account, amount=command.amount) if command.amount else None

    return narrow

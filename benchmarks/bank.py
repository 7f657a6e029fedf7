"""The bank that is measured: an account of ten events, deposits of 135 bytes with two tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from actum.decision.command import Command
from actum.decision.state import State
from actum.journal.errors import Refused
from actum.journal.event import Event, Tag
from actum.service.app import App

AccountId = Annotated[str, Tag("account")]
TellerId = Annotated[str, Tag("teller")]

NOTE = "counted twice over the counter, receipt handed over".ljust(73, ".")
"""Makes a deposit 135 bytes."""

TELLERS = 50
EVENTS_EACH = 10


class Opened(Event):
    account: AccountId
    teller: TellerId


class Deposited(Event):
    account: AccountId
    teller: TellerId
    amount: int
    note: str


class Account(State):
    id: AccountId
    opened: bool = False
    balance: int = 0

    def evolve(self, event: Opened | Deposited) -> None:
        match event:
            case Opened():
                self.opened = True
            case Deposited(amount=amount):
                self.balance += amount


class Deposit(Command):
    account: AccountId
    teller: TellerId
    amount: int
    note: str


bank = App("bank")


@bank.decides
def deposit(command: Deposit, account: Account) -> Deposited:
    if not account.opened or account.balance + command.amount < 0:
        raise Refused("not possible", balance=account.balance)
    return Deposited(account=command.account, teller=command.teller, amount=command.amount, note=command.note)


bank.knows(Opened)


def account(number: int) -> str:
    """The name of an account."""
    return f"A{number:08}"


def teller(number: int) -> str:
    """Who was at the counter."""
    return f"T{number % TELLERS:02}"


def history(accounts: int) -> Iterator[tuple[str, str, Event]]:
    """Account, teller and event, ten for each account, mixed as life mixes them."""
    for number in range(accounts):
        yield account(number), teller(number), Opened(account=account(number), teller=teller(number))
    for turn in range(1, EVENTS_EACH):
        for number in range(accounts):
            who = teller(number * 7 + turn)
            yield account(number), who, Deposited(account=account(number), teller=who, amount=1000 + turn, note=NOTE)

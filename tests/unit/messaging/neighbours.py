"""Two contexts: a bank, and a wealth office that hears of what is paid in there."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from actum import App, Command, Event, Refused, Tag, View

AccountId = Annotated[str, Tag("account")]
CustomerId = Annotated[str, Tag("customer")]


class Opened(Event):
    account: AccountId


class Deposited(Event):
    account: AccountId
    owner: str
    amount: Decimal


class Moved(Event):
    giver: str
    taker: str
    amount: Decimal


class PaidIn(Event, version=2):
    customer: CustomerId
    amount: Decimal


class Open(Command):
    account: AccountId


class Deposit(Command):
    account: AccountId
    owner: str
    amount: Decimal


class Move(Command):
    giver: str
    taker: str
    amount: Decimal


def a_bank() -> App:
    """It tells others of money, and of accounts as it speaks of them itself; small amounts are nobody's business."""
    bank = App("bank")

    @bank.decides
    def open_account(command: Open) -> Opened:
        return Opened(account=command.account)

    @bank.decides
    def deposit(command: Deposit) -> Deposited:
        return Deposited(account=command.account, owner=command.owner, amount=command.amount)

    @bank.decides
    def move(command: Move) -> Moved:
        return Moved(giver=command.giver, taker=command.taker, amount=command.amount)

    bank.publishes(Opened)

    @bank.publishes
    def paid_in(event: Deposited) -> PaidIn | None:
        return PaidIn(customer=event.owner, amount=event.amount) if event.amount >= 1 else None

    @bank.publishes
    def both(event: Moved) -> Iterator[PaidIn]:
        yield PaidIn(customer=event.giver, amount=-event.amount)
        yield PaidIn(customer=event.taker, amount=event.amount)

    return bank


class Noted(Event):
    customer: CustomerId
    amount: Decimal


class Note(Command):
    customer: CustomerId
    amount: Decimal


class Wealth(View):
    customer: CustomerId
    total: Decimal = Decimal(0)
    steps: str = ""

    def evolve(self, event: Noted) -> None:
        self.total += event.amount
        self.steps += f" {event.amount}"


def an_office(bank: App) -> App:
    """It notes what is paid in, and has a horror of thirteen."""
    office = App("office")
    office.view(Wealth)

    @office.decides
    def note(command: Note) -> Noted:
        if command.amount == 13:
            raise Refused("not thirteen", amount=command.amount)
        return Noted(customer=command.customer, amount=command.amount)

    @office.hears(bank)
    def note_money(event: PaidIn) -> Note:
        return Note(customer=event.customer, amount=event.amount)

    return office


def deposit(owner: str, amount: str | int) -> Deposit:
    """A command in short."""
    return Deposit(account=f"A-{owner}", owner=owner, amount=Decimal(amount))

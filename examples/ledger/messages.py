"""The bank's words: what can be asked for, and what happens."""

from decimal import Decimal
from typing import Annotated

from actum import Command, Event, Tag

AccountId = Annotated[str, Tag("account")]
TransactionId = Annotated[str, Tag("transaction")]


# What happens.


class Opened(Event):
    account: AccountId
    owner: str
    statement: str


class Entry(Event):
    account: AccountId
    amount: Decimal
    transaction: TransactionId


class Deposited(Entry): ...


class Received(Entry):
    bank: str
    sender: str
    purpose: str = ""


class InterestPaid(Entry): ...


class Withdrawn(Entry):
    purpose: str = ""
    card: bool = False


class Sent(Entry):
    bank: str
    recipient: str
    purpose: str = ""


class InterestCharged(Entry): ...


class FeeCharged(Entry): ...


# What can be asked for.


class Open(Command):
    account: AccountId
    owner: str
    statement: str = "monthly"


class Book(Command):
    account: AccountId
    amount: Decimal
    transaction: TransactionId


class Deposit(Book): ...


class Receive(Book):
    bank: str
    sender: str
    purpose: str = ""


class PayInterest(Book): ...


class Withdraw(Book):
    purpose: str = ""
    card: bool = False


class Send(Book):
    bank: str
    recipient: str
    purpose: str = ""


class ChargeInterest(Book): ...


class ChargeFee(Book): ...

"""What a customer has altogether: heard from the accounts and the placements, and shown on one page.

The view comes in two releases. The first has the mistake of the talk's opening slide; the second is mended. Which of them
runs is what the application is made with: `assets_of(1)`. Nobody writes here: all that happens was heard.
"""

from decimal import Decimal
from importlib import import_module
from types import ModuleType
from typing import Annotated

from actum import App, Command, Event, Tag
from demos.bank.accounts import CurrentAccountMoved, CustomerWelcomed, accounts
from demos.bank.placements import PeaMoved, placements

CustomerId = Annotated[str, Tag("customer")]


class CustomerKnown(Event):
    customer: CustomerId
    name: str
    language: str


class CurrentAccountChanged(Event):
    customer: CustomerId
    amount: Decimal
    label: str


class PeaChanged(Event):
    customer: CustomerId
    amount: Decimal
    label: str


class NoteCustomer(Command):
    customer: CustomerId
    name: str
    language: str


class NoteCurrentAccount(Command):
    customer: CustomerId
    amount: Decimal
    label: str


class NotePea(Command):
    customer: CustomerId
    amount: Decimal
    label: str


def note_customer(command: NoteCustomer) -> CustomerKnown:
    return CustomerKnown(customer=command.customer, name=command.name, language=command.language)


def note_current_account(command: NoteCurrentAccount) -> CurrentAccountChanged:
    return CurrentAccountChanged(customer=command.customer, amount=command.amount, label=command.label)


def note_pea(command: NotePea) -> PeaChanged:
    return PeaChanged(customer=command.customer, amount=command.amount, label=command.label)


def hear_customer(event: CustomerWelcomed) -> NoteCustomer:
    return NoteCustomer(customer=event.customer, name=event.name, language=event.language)


def hear_money(event: CurrentAccountMoved) -> NoteCurrentAccount:
    return NoteCurrentAccount(customer=event.customer, amount=event.amount, label=event.label)


def hear_pea(event: PeaMoved) -> NotePea:
    return NotePea(customer=event.customer, amount=event.amount, label=event.label)


def assets_of(release: int) -> App:
    """The context with that release of its view: the events, the rules and what is heard are the same in both."""
    app = App("assets", version=str(release))
    for rule in (note_customer, note_current_account, note_pea):
        app.decides(rule)
    app.hears(accounts)(hear_customer)
    app.hears(accounts)(hear_money)
    app.hears(placements)(hear_pea)
    app.answers(code_of(release).customers)
    return app


def code_of(release: int) -> ModuleType:
    """The module that was released under that number."""
    return import_module(f"demos.bank.release_{release}")

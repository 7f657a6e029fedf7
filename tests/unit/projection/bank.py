"""The bank of these tests: two views of the same events, a question, and a journal that is quickly filled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from random import Random
from typing import Annotated
from uuid import UUID

from actum import App, Event, Page, Query, Running, Table, Tag, View
from actum.journal.clock import SYSTEM_IDS
from actum.journal.store import Append, EventStore

AccountId = Annotated[str, Tag("account")]
BranchId = Annotated[int, Tag("branch")]


class Opened(Event):
    account: AccountId
    owner: str


class Deposited(Event):
    account: AccountId
    amount: Decimal


class Transferred(Event):
    source: AccountId
    target: AccountId
    amount: Decimal


class Named(Event):
    branch: BranchId
    name: str


bank = App("bank")


@bank.view
class Balance(View, table="balances"):
    account: AccountId
    owner: str | None = None
    balance: Decimal = Decimal(0)
    changes: int = 0

    def evolve(self, event: Opened | Deposited | Transferred) -> None:
        self.changes += 1
        match event:
            case Opened(owner=owner):
                self.owner = owner
            case Deposited(amount=amount):
                self.balance += amount
            case Transferred(source=source, amount=amount):
                self.balance += -amount if source == self.account else amount


@bank.view
class Turnover(View):
    """All accounts together: a view of one row."""

    deposited: Decimal = Decimal(0)
    moved: Decimal = Decimal(0)

    def evolve(self, event: Deposited | Transferred) -> None:
        match event:
            case Deposited(amount=amount):
                self.deposited += amount
            case Transferred(amount=amount):
                self.moved += amount


@bank.view
class Branch(View):
    branch: BranchId
    name: str = ""

    def evolve(self, event: Named) -> None:
        self.name = event.name


class Richest(Query[Page[Balance]]):
    at_least: Decimal


@bank.answers
def richest(query: Richest, balances: Table[Balance]) -> Page[Balance]:
    return balances.where("balance", ">=", query.at_least).order("balance", descending=True).page(limit=3)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Everything(View, table="everything"):
    """Every kind of column."""

    account: AccountId
    text: str = ""
    number: int = 0
    flag: bool = False
    real: float = 0.0
    amount: Decimal = Decimal(0)
    moment: datetime | None = None
    day: date | None = None
    id: UUID | None = None
    colour: Colour = Colour.RED
    maybe: Decimal | None = None
    many: dict[str, list[int]] = {}

    def evolve(self, event: Opened) -> None:
        self.text = event.owner


def opened(
    journal: str | Path = "memory:", *, follow: bool = False, read_database: str | Path | None = None
) -> Running:
    """The bank at work; who asks keeps the views up."""
    return bank.open(journal, actor="tester", follow=follow, read_database=read_database)


def some_events(count: int, seed: int, *, accounts: int = 20) -> list[Event]:
    """That many events at random, the same for the same seed."""
    random = Random(seed)
    names = [f"A-{number}" for number in range(accounts)]
    return [_event(random, names) for _ in range(count)]


def _event(random: Random, names: Sequence[str]) -> Event:
    amount = Decimal(random.randrange(1, 100_000)) / 100
    match random.randrange(4):
        case 0:
            return Opened(account=random.choice(names), owner=f"owner {random.randrange(9)}")
        case 1:
            source, target = random.sample(names, 2)
            return Transferred(source=source, target=target, amount=amount)
        case _:
            return Deposited(account=random.choice(names), amount=amount)


def fill(store: EventStore, events: Sequence[Event]) -> None:
    """Have the events in the journal, many at a time."""
    for start in range(0, len(events), 500):
        data = tuple(bank.codec.encode(event, ids=SYSTEM_IDS) for event in events[start : start + 500])
        store.append(Append(data))


def folded(events: Sequence[Event]) -> dict[str, Balance]:
    """The balances, folded in the plainest way there is."""
    found: dict[str, Balance] = {}
    fold_into(found, events)
    return found


def fold_into(found: dict[str, Balance], events: Sequence[Event]) -> None:
    """More of them, folded into what there is."""
    for event in events:
        for name in concerned(event):
            found.setdefault(name, Balance(account=name)).evolve(event)


def concerned(event: Event) -> list[str]:
    """The accounts that an event is about."""
    match event:
        case Transferred(source=source, target=target):
            return [source, target]
        case Opened(account=account) | Deposited(account=account):
            return [account]
        case _:
            return []


def shown(running: Running) -> dict[str, Balance]:
    """The balances as the view shows them."""
    return {row.account: row for row in running.view(Balance)}

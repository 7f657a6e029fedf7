"""What goes on at the bank all day: salaries, bills, transfers, orders, and a market that moves. The same for the same seed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID, uuid4

from actum import Busy, Conflict, OutcomeUnknown, Refused, Unavailable
from demos.bank.accounts import Deposit, Transfer, Withdraw
from demos.bank.people import SHARES, Customer, Wish, customers, opening
from demos.bank.placements import CENT, Buy, PayIn, Sell, ValuePlan

if TYPE_CHECKING:
    from actum import Command

BILLS = {
    "fr": ("loyer", "courses", "électricité", "restaurant", "train", "librairie", "pharmacie", "cinéma"),
    "en": ("rent", "groceries", "electricity", "restaurant", "train", "bookshop", "chemist", "cinema"),
}
WAGES = {"fr": "salaire", "en": "wages"}
THANKS = {"fr": "cadeau", "en": "a present"}


def amount(chance: Random, least: int, most: int) -> Decimal:
    """So many euros, and cents."""
    return (Decimal(chance.randint(least * 100, most * 100)) / 100).quantize(CENT)


def first_day(people: Sequence[Customer], *, chance: Random) -> Iterator[Wish]:
    """Everybody opens an account and a plan, and has something on them."""
    for one in people:
        yield from opening(one)
        wages = Deposit(account=one.account, amount=amount(chance, 1500, 4200), label=WAGES[one.language])
        yield Wish("accounts", wages, "payroll")
        yield Wish("placements", PayIn(plan=one.plan, amount=amount(chance, 500, 6000)), one.app)


def at_the_counter(people: Sequence[Customer], *, chance: Random) -> Iterator[Wish]:
    """What customers do with their current accounts, for ever. Some of it is more than they have."""
    while True:
        one, other = chance.sample(list(people), 2)
        match chance.choices(("bill", "wages", "transfer", "yacht"), (60, 22, 17, 1))[0]:
            case "bill":
                label = chance.choice(BILLS[one.language])
                yield Wish(
                    "accounts", Withdraw(account=one.account, amount=amount(chance, 5, 120), label=label), one.app
                )
            case "wages":
                label = WAGES[one.language]
                yield Wish(
                    "accounts", Deposit(account=one.account, amount=amount(chance, 150, 400), label=label), "payroll"
                )
            case "transfer":
                label = THANKS[one.language]
                given = Transfer(source=one.account, target=other.account, amount=amount(chance, 5, 90), label=label)
                yield Wish("accounts", given, one.app)
            case _:
                yacht = Withdraw(account=one.account, amount=Decimal(250_000), label="yacht · voilier")
                yield Wish("accounts", yacht, one.app, "a yacht · un voilier")


class Market:
    """A few shares whose prices walk about."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.prices = dict(SHARES)

    def move(self) -> dict[str, Decimal]:
        """A moment later."""
        for share, price in self.prices.items():
            self.prices[share] = max(CENT, (price * Decimal(1 + self._chance.gauss(0.0004, 0.012))).quantize(CENT))
        return dict(self.prices)


def at_the_exchange(people: Sequence[Customer], *, chance: Random) -> Iterator[Wish]:
    """Orders, and what the plans are worth, for ever. Some orders are for more than there is."""
    market = Market(chance)
    while True:
        prices = market.move()
        one = chance.choice(list(people))
        share = chance.choice(list(prices))
        command: Command
        match chance.choices(("value", "buy", "sell", "pay in"), (55, 22, 13, 10))[0]:
            case "value":
                command = ValuePlan(plan=one.plan, prices=prices)
                yield Wish("placements", command, "market")
                continue
            case "buy":
                command = Buy(plan=one.plan, share=share, quantity=chance.randint(1, 6), price=prices[share])
            case "sell":
                command = Sell(plan=one.plan, share=share, quantity=chance.randint(1, 3), price=prices[share])
            case _:
                command = PayIn(plan=one.plan, amount=amount(chance, 20, 150))
        yield Wish("placements", command, one.app)


def everything(chance: Random) -> Iterator[Wish]:
    """A day and all that follow, at the counter and at the exchange in turn: what a drill gives the bank to do."""
    people = customers(12, chance=chance)
    yield from first_day(people, chance=chance)
    for pair in zip(at_the_counter(people, chance=chance), at_the_exchange(people, chance=chance), strict=True):
        yield from pair


Give: TypeAlias = Callable[[Wish, UUID], object]
"""Gives a command to its context under an id, once."""

PAUSE = 0.5
"""Seconds after which a bank that did not answer is asked again."""


class Activity:
    """Threads in which wishes become commands, so many a second. Where a bank is closed people wait, and ask again the same."""

    def __init__(self, give: Give, *streams: Iterator[Wish], rate: float) -> None:
        self._give = give
        self._pause = len(streams) / rate
        self._stopping = threading.Event()
        self.given = 0
        self.refused = 0
        self.waiting = 0
        self._threads = [threading.Thread(target=self._live, args=(one,), daemon=True) for one in streams]

    def start(self) -> None:
        """The bank opens."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Everybody goes home, after what they are at."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def _live(self, wishes: Iterator[Wish]) -> None:
        for wish in wishes:
            if self._stopping.wait(self._pause):
                return
            self._have_done(wish)

    def _have_done(self, wish: Wish) -> None:
        id = uuid4()
        while not self._stopping.is_set():
            try:
                self._give(wish, id)
            except Refused:
                self.refused += 1
            except (Busy, Conflict, OutcomeUnknown, Unavailable):
                self.waiting += 1
                self._stopping.wait(PAUSE)
                continue
            self.given += 1
            return

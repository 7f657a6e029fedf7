"""Who banks here and what they do all day: drawn from short lists with a seed, so that each day is the same day again."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from actum import Command
from examples.demo.bank import Deposit, Open, Transfer, Withdraw

NAMES = {
    "fr": (
        ("Amélie", "Chloé", "Élodie", "Inès", "Léa", "Zoé", "Bastien", "Gaël", "Loïc", "Noël", "Rémi", "Théo"),
        (
            "Béranger",
            "Côté",
            "Dubois",
            "Fabre",
            "Garçon",
            "Hébert",
            "Lefèvre",
            "Mercier",
            "Noiret",
            "Perrault",
            "Roux",
            "Sénéchal",
        ),
    ),
    "en": (
        ("Alice", "Beth", "Clara", "Edith", "Grace", "Ivy", "Arthur", "Edwin", "Hugh", "Oliver", "Ralph", "Toby"),
        (
            "Ashdown",
            "Baker",
            "Carter",
            "Fletcher",
            "Hayward",
            "Kendall",
            "Marsh",
            "Osborne",
            "Penrose",
            "Thatcher",
            "Underhill",
            "Wright",
        ),
    ),
}
REASONS = {
    "fr": {
        "in": ("salaire", "remboursement", "vente"),
        "out": ("marché", "café", "livres"),
        "across": ("loyer", "cadeau"),
    },
    "en": {"in": ("salary", "refund", "sale"), "out": ("groceries", "coffee", "books"), "across": ("rent", "present")},
}


@dataclass(frozen=True)
class Customer:
    """Somebody with an account."""

    account: str
    owner: str
    language: str


@dataclass(frozen=True)
class Wish:
    """Something that somebody wants of the bank, and why."""

    command: Command
    actor: str
    reason: str


def customers(count: int, *, chance: Random) -> list[Customer]:
    """That many people, French and English by turns, no two of one name."""
    names = {language: _names(language, chance) for language in NAMES}
    made: list[Customer] = []
    for number in range(count):
        language = ("fr", "en")[number % 2]
        account = f"{language.upper()}-{chance.randrange(10**4):04}-{number:02}"
        made.append(Customer(account, next(names[language]), language))
    return made


def _names(language: str, chance: Random) -> Iterator[str]:
    first, last = NAMES[language]
    return map(" ".join, zip(chance.sample(first, len(first)), chance.sample(last, len(last)), strict=True))


def openings(people: list[Customer]) -> Iterator[Wish]:
    """Everybody opens an account and pays something in."""
    for one in people:
        command = Open(account=one.account, owner=one.owner, language=one.language)
        yield Wish(command, "counter-1", {"fr": "nouveau client", "en": "new customer"}[one.language])


def wishes(people: list[Customer], count: int, *, chance: Random) -> Iterator[Wish]:
    """That many deposits, withdrawals and transfers; some of them of more than there is."""
    for one in people:
        yield _deposit(one, people, chance)
    for _ in range(count - len(people)):
        wish = chance.choice((_deposit, _withdrawal, _transfer, _transfer))
        yield wish(chance.choice(people), people, chance)


def _amount(chance: Random, most: int) -> Decimal:
    """Between five and `most`, to the next five cents."""
    return Decimal(5 * chance.randrange(5 * 20, most * 20)).scaleb(-2)


def _reason(one: Customer, which: str, chance: Random) -> str:
    return chance.choice(REASONS[one.language][which])


def _deposit(one: Customer, _: list[Customer], chance: Random) -> Wish:
    command = Deposit(account=one.account, amount=_amount(chance, 900))
    return Wish(command, "counter-2", _reason(one, "in", chance))


def _withdrawal(one: Customer, _: list[Customer], chance: Random) -> Wish:
    command = Withdraw(account=one.account, amount=_amount(chance, 200))
    return Wish(command, "cash-machine-7", _reason(one, "out", chance))


def _transfer(one: Customer, people: list[Customer], chance: Random) -> Wish:
    other = chance.choice([each for each in people if each is not one])
    command = Transfer(source=one.account, target=other.account, amount=_amount(chance, 400))
    return Wish(command, f"app-{one.account.lower()}", _reason(one, "across", chance))

"""Who banks here: one customer whose figures are known to the cent, and others drawn from short lists with a seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from actum import Command
from demos.bank.accounts import AuthoriseOverdraft, Deposit, OpenAccount, Withdraw
from demos.bank.placements import Buy, OpenPlan, PayDividend, PayIn, ValuePlan

SHARES = {
    "AERO": Decimal("61.27"),
    "CAFE": Decimal("18.40"),
    "LUMI": Decimal("58.42"),
    "RAIL": Decimal("33.05"),
    "VENT": Decimal("104.80"),
}
"""What is traded, and what it costs at first."""

NAMES = {
    "fr": (
        ("Amélie", "Chloé", "Élodie", "Inès", "Léa", "Zoé", "Bastien", "Gaël", "Loïc", "Noël", "Rémi", "Théo"),
        ("Béranger", "Côté", "Dubois", "Fabre", "Garçon", "Hébert", "Lefèvre", "Mercier", "Noiret", "Perrault", "Roux"),
    ),
    "en": (
        ("Alice", "Beth", "Clara", "Edith", "Grace", "Ivy", "Arthur", "Edgar", "Harold", "Miles", "Oscar", "Walter"),
        ("Abbott", "Barnes", "Carter", "Doyle", "Ellis", "Fletcher", "Hughes", "Keating", "Marsh", "Osborne", "Wells"),
    ),
}


@dataclass(frozen=True)
class Customer:
    """Somebody with a current account and a plan."""

    customer: str
    name: str
    language: str

    @property
    def account(self) -> str:
        return self.customer.replace("C-", "CC-")

    @property
    def plan(self) -> str:
        return self.customer.replace("C-", "PEA-")

    @property
    def app(self) -> str:
        """As whom they act: their telephone."""
        return f"app-{self.customer.lower()}"


@dataclass(frozen=True)
class Wish:
    """A command that somebody gives to a context, as whom and why."""

    context: str
    command: Command
    actor: str
    reason: str | None = None


CAMILLE = Customer("C-0001", "Camille Verdier", "fr")
"""The customer of the opening slide: nobody but the visitor touches her accounts."""


def customers(count: int, *, chance: Random) -> list[Customer]:
    """So many others, each with a name of their own."""
    found: dict[str, Customer] = {}
    while len(found) < count:
        language = chance.choice(("fr", "fr", "en"))
        given, family = NAMES[language]
        name = f"{chance.choice(given)} {chance.choice(family)}"
        found.setdefault(name, Customer(f"C-{len(found) + 2:04}", name, language))
    return list(found.values())


def opening(customer: Customer) -> Iterator[Wish]:
    """Somebody becomes a customer."""
    yield Wish(
        "accounts",
        OpenAccount(
            account=customer.account, customer=customer.customer, name=customer.name, language=customer.language
        ),
        "counter-1",
    )
    yield Wish("placements", OpenPlan(plan=customer.plan, customer=customer.customer), "counter-2")


def euros(text: str) -> Decimal:
    return Decimal(text)


def camille() -> Iterator[Wish]:
    """A year that ends at -51 567,98 € on the current account and 6 909,91 € in the plan."""
    yield from opening(CAMILLE)
    limit = AuthoriseOverdraft(account=CAMILLE.account, limit=euros("60000.00"))
    yield Wish("accounts", limit, "adviser-3", "bridging loan until the flat is sold")
    for amount, label in _YEAR:
        command: Command = (
            Deposit(account=CAMILLE.account, amount=euros(amount), label=label)
            if not amount.startswith("-")
            else Withdraw(account=CAMILLE.account, amount=euros(amount[1:]), label=label)
        )
        yield Wish("accounts", command, CAMILLE.app)
    for command in _PLAN:
        yield Wish("placements", command, "market" if isinstance(command, ValuePlan | PayDividend) else CAMILLE.app)


_YEAR = (
    ("2870.00", "salaire"),
    ("-1150.00", "loyer"),
    ("-64.90", "électricité"),
    ("-238.17", "courses"),
    ("2870.00", "salaire"),
    ("-1150.00", "loyer"),
    ("-55000.00", "notaire, achat de l'appartement"),
    ("-1486.35", "déménagement"),
    ("2870.00", "salaire"),
    ("-312.48", "peinture et papier peint"),
    ("-89.00", "plombier"),
    ("-687.08", "cuisine"),
)
"""Adds up to -51 567,98."""

_PLAN = (
    PayIn(plan=CAMILLE.plan, amount=euros("5000.00")),
    Buy(plan=CAMILLE.plan, share="AERO", quantity=40, price=euros("61.27")),
    PayIn(plan=CAMILLE.plan, amount=euros("1200.00")),
    Buy(plan=CAMILLE.plan, share="LUMI", quantity=30, price=euros("58.42")),
    ValuePlan(plan=CAMILLE.plan, prices={"AERO": euros("66.05"), "LUMI": euros("57.10")}),
    PayDividend(plan=CAMILLE.plan, share="AERO", amount=euros("18.49")),
    ValuePlan(plan=CAMILLE.plan, prices={"AERO": euros("71.17"), "LUMI": euros("68.40")}),
)
"""Comes to 6 909,91."""

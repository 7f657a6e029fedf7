"""Somebody's assets, as one view sees them: some cells are made of events, others of cells."""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from actum import App, Event, Tag, View

CustomerId = Annotated[str, Tag("customer")]


class Moved(Event):
    customer: CustomerId
    amount: Decimal


class Valued(Event):
    customer: CustomerId
    value: Decimal


class Doubled(Event):
    customer: CustomerId


class Frozen(Event):
    customer: CustomerId


wealth = App("wealth")


@wealth.view
class Assets(View):
    customer: CustomerId
    current: Annotated[Decimal, Meta(title="current account", extra={"fr": "compte courant"})] = Decimal(0)
    pea: Annotated[Decimal, Meta(title="PEA")] = Decimal(0)
    total: Decimal = Decimal(0)
    highest: Decimal = Decimal(0)
    stale: Decimal = Decimal(0)
    frozen: bool = False
    seen: list[Decimal] = []

    @property
    def debt(self) -> Decimal:
        """What is owed."""
        return -self.total

    def evolve(self, event: Moved | Valued | Doubled | Frozen) -> None:
        match event:
            case Moved(amount=amount):
                if not self.frozen:
                    self.current += amount
                self.stale = self.current + self.pea
            case Valued(value=value):
                self.pea = value
                self.seen.append(value)
            case Doubled():
                self.current *= 2
            case Frozen():
                self.frozen = True
        self.total = self.current - self.pea
        self.highest = max(self.current, self.pea)


class Rated(Event):
    thing: Annotated[str, Tag("thing")]
    rate: int


class Applied(Event):
    thing: Annotated[str, Tag("thing")]


rates = App("rates")


@rates.view
class Priced(View):
    """Its price changes by what an event that did not change the price said before."""

    thing: Annotated[str, Tag("thing")]
    rate: int = 0
    price: int = 100

    def evolve(self, event: Rated | Applied) -> None:
        match event:
            case Rated(rate=rate):
                self.rate = rate
            case Applied():
                self.price += self.rate

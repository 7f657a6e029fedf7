"""The assets mended: the PEA is added."""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from actum import App, View
from tests.unit.history.wealth import CustomerId, Doubled, Frozen, Moved, Valued

wealth = App("wealth", version="2")
wealth.knows(Doubled, Frozen)


@wealth.view
class Assets(View, version=2):
    customer: CustomerId
    current: Annotated[Decimal, Meta(title="current account", extra={"fr": "compte courant"})] = Decimal(0)
    pea: Annotated[Decimal, Meta(title="PEA")] = Decimal(0)
    total: Decimal = Decimal(0)
    highest: Decimal = Decimal(0)
    stale: Decimal = Decimal(0)
    frozen: bool = False
    seen: list[Decimal] = []

    def evolve(self, event: Moved | Valued) -> None:
        match event:
            case Moved(amount=amount):
                self.current += amount
            case Valued(value=value):
                self.pea = value
        self.total = self.current + self.pea

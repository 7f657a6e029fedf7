"""Release 1 of the customer's page: with the mistake, for the tour to find."""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from actum import Page, Query, Table, View
from demos.bank.assets import CurrentAccountChanged, CustomerId, CustomerKnown, PeaChanged


class Assets(View, version=1, table="assets", indexed=("name",)):
    customer: CustomerId
    name: Annotated[str, Meta(title="name", extra={"fr": "nom"})] = ""
    language: Annotated[str, Meta(title="language", extra={"fr": "langue"})] = "fr"
    current_account: Annotated[Decimal, Meta(title="current account", extra={"fr": "compte courant"})] = Decimal("0.00")
    pea: Annotated[Decimal, Meta(title="share savings plan", extra={"fr": "PEA"})] = Decimal("0.00")
    total: Annotated[Decimal, Meta(title="total", extra={"fr": "total"})] = Decimal("0.00")

    def evolve(self, event: CustomerKnown | CurrentAccountChanged | PeaChanged) -> None:
        match event:
            case CustomerKnown(name=name, language=language):
                self.name, self.language = name, language
            case CurrentAccountChanged(amount=amount):
                self.current_account += amount
            case PeaChanged(amount=amount):
                self.pea += amount
        self.total = self.current_account - self.pea


class Customers(Query[Page[Assets]]):
    """The customers by name, from `after` on."""

    count: int = 50


def customers(query: Customers, assets: Table[Assets]) -> Page[Assets]:
    return assets.order("name").page(limit=query.count)

"""A shop whose code cannot take an amount that brings bad luck, until it is mended."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from actum import App, Event, Tag, View
from actum.subscription.policy import park

CustomerId = Annotated[str, Tag("customer")]


class Paid(Event):
    customer: CustomerId
    amount: Decimal


shop = App("shop")
bad_luck: set[Decimal] = set()
"""Amounts that the code cannot take."""


@shop.view
class Sales(View, on_failure=park(attempts=1)):
    customer: CustomerId
    total: Decimal = Decimal(0)

    def evolve(self, event: Paid) -> None:
        if event.amount in bad_luck:
            raise ValueError(f"{event.amount} brings bad luck")
        self.total += event.amount

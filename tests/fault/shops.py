"""Shops that are besieged: one that is sound, and two that are not."""

from __future__ import annotations

import os
from typing import Annotated, Any

from actum import App, Event, Tag, View

CustomerId = Annotated[str, Tag("customer")]


class Paid(Event):
    customer: CustomerId
    cents: int


sound, unsteady = App("shop"), App("shop")


@sound.view
class Sales(View):
    customer: CustomerId
    cents: int = 0
    last: int = 0

    def evolve(self, event: Paid) -> None:
        self.cents += event.cents
        self.last = event.cents


def make_till(db: Any) -> None:
    db.execute("DROP TABLE IF EXISTS till")
    db.execute("CREATE TABLE till (cents INTEGER)")


@sound.projection(begin=make_till)
def till(event: Paid, db: Any) -> None:
    db.execute(f"INSERT INTO till VALUES ({event.cents})")


@unsteady.view
class Unsteady(View):
    customer: CustomerId
    worker: int = 0

    def evolve(self, event: Paid) -> None:
        self.worker = os.getpid()

"""What is kept of the states is what the journal says, whatever becomes of the objects that it was made from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from actum import App, Command, Event, State, Tag

OrderId = Annotated[str, Tag("order")]
ShopId = Annotated[str, Tag("shop")]


class Ordered(Event):
    order: OrderId
    shop: ShopId
    lines: list[str]
    due: datetime


class Added(Event):
    order: OrderId
    line: str


class Told(Event):
    order: OrderId
    lines: list[str]
    due: datetime | None
    shop: list[str]


class Order(State):
    order: OrderId
    lines: list[str] = []
    due: datetime | None = None

    def evolve(self, event: Ordered | Added) -> None:
        match event:
            case Ordered(lines=lines, due=due):
                self.lines, self.due = lines, due + timedelta(days=1)
            case Added(line=line):
                self.lines.append(line)


class Shop(State):
    shop: ShopId
    lines: list[str] = []

    def evolve(self, event: Ordered) -> None:
        self.lines = event.lines


class Place(Command):
    order: OrderId
    lines: list[str]
    due: datetime


class Add(Command):
    order: OrderId
    line: str


class Tell(Command):
    order: OrderId
    shop: ShopId


shop = App("shop")


@shop.decides
def place(command: Place) -> Ordered:
    return Ordered(order=command.order, shop="S", lines=command.lines, due=command.due)


@shop.decides
def add(command: Add, order: Order) -> Added:
    return Added(order=command.order, line=command.line)


@shop.decides
def tell(command: Tell, order: Order, shop: Shop) -> Told:
    return Told(order=command.order, lines=order.lines, due=order.due, shop=shop.lines)


def test_a_kept_state_shares_nothing_with_callers_events_and_other_states_and_is_as_it_would_be_read(tmp_path: Path):
    ask, mine = Tell(order="1", shop="S"), ["a"]
    due = datetime(2026, 3, 28, 12, tzinfo=ZoneInfo("Europe/Berlin"))  # The day after, an hour is left out there.
    with shop.open(tmp_path / "j.db", actor="t") as running:
        running.execute(ask)
        placed = running.execute(Place(order="1", lines=mine, due=due))
        mine.append("the caller's own")
        placed.events[0].lines.append("whoever shows it")  # type: ignore[union-attr, attr-defined]
        running.execute(Add(order="1", line="b"))
        (kept,) = running.execute(ask).events
        kept.lines.append("another caller's")  # type: ignore[attr-defined]
        (still,) = running.execute(ask).events
    with shop.open(tmp_path / "j.db", actor="t") as running:
        (read,) = running.execute(ask).events
    assert still == read == Told(order="1", lines=["a", "b"], due=datetime(2026, 3, 29, 11, tzinfo=UTC), shop=["a"])

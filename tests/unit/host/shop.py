"""Two contexts that belong together: a shop that sells and ships by itself, and a ledger that hears of it."""

from collections.abc import Iterator
from typing import Annotated

from actum import App, Command, Event, Page, Process, Query, Refused, State, System, Table, Tag, View

OrderId = Annotated[str, Tag("order")]
ItemId = Annotated[str, Tag("item")]
AccountId = Annotated[str, Tag("account")]


class Stocked(Event):
    item: ItemId
    count: int


class Ordered(Event):
    order: OrderId
    item: ItemId
    count: int


class Shipped(Event):
    order: OrderId


class Stock(Command):
    """Put something on the shelf."""

    item: ItemId
    count: int


class Order(Command):
    order: OrderId
    item: ItemId
    count: int


class Ship(Command):
    order: OrderId


class Shelf(State):
    item: ItemId
    left: int = 0

    def evolve(self, event: Stocked | Ordered) -> None:
        self.left += event.count if isinstance(event, Stocked) else -event.count


shop = App("shop")


@shop.decides
def stock(command: Stock) -> Stocked:
    return Stocked(item=command.item, count=command.count)


@shop.decides
def order(command: Order, item: Shelf) -> Ordered:
    if item.left < command.count:
        raise Refused("not so many left", left=item.left)
    return Ordered(order=command.order, item=command.item, count=command.count)


@shop.decides
def ship(command: Ship) -> Shipped:
    return Shipped(order=command.order)


@shop.process
class Delivery(Process, starts=Ordered):
    order: OrderId

    def evolve(self, event: Ordered | Shipped) -> None:
        self.ended = isinstance(event, Shipped)

    def react(self, event: Ordered) -> Iterator[Command]:
        yield Ship(order=self.order)


@shop.view
class Item(View):
    item: ItemId
    left: int = 0
    orders: int = 0

    def evolve(self, event: Stocked | Ordered) -> None:
        match event:
            case Stocked(count=count):
                self.left += count
            case Ordered(count=count):
                self.left -= count
                self.orders += 1


class Items(Query[Page[Item]]):
    at_least: int = 0


@shop.answers
def items(query: Items, items: Table[Item]) -> Page[Item]:
    return items.where("left", ">=", query.at_least).page()


shop.publishes(Ordered)


class Sold(Event):
    account: AccountId
    count: int


class Book(Command):
    account: AccountId
    count: int


ledger = App("ledger")


@ledger.decides
def book(command: Book) -> Sold:
    return Sold(account=command.account, count=command.count)


@ledger.hears(shop)
def sale(event: Ordered) -> Book:
    return Book(account=event.item, count=event.count)


@ledger.view
class Account(View):
    account: AccountId
    sold: int = 0

    def evolve(self, event: Sold) -> None:
        self.sold += event.count


system = System("market", shop, ledger)

"""What must never be wrong, and must be explained: how many of each article there are. The rest of the shop is ordinary tables."""

from __future__ import annotations

from typing import Annotated

from actum import App, Command, Event, Refused, Tag, View

Article = Annotated[str, Tag("article")]
Order = Annotated[str, Tag("order")]


class Received(Event):
    article: Article
    count: int


class Reserved(Event):
    article: Article
    order: Order
    count: int


class Receive(Command):
    article: Article
    count: int


class Reserve(Command):
    article: Article
    order: Order
    count: int


stock = App("stock")


@stock.view
class OnHand(View):
    article: Article
    count: int = 0

    def evolve(self, event: Received | Reserved) -> None:
        match event:
            case Received(count=count):
                self.count += count
            case Reserved(count=count):
                self.count -= count


@stock.decides
def receive(command: Receive) -> Received:
    return Received(article=command.article, count=command.count)


@stock.decides
def reserve(command: Reserve, article: OnHand) -> Reserved:
    if article.count < command.count:
        raise Refused("not enough on hand", article=command.article, left=article.count)
    return Reserved(article=command.article, order=command.order, count=command.count)

"""Payouts that the command line's tests look at: some come to nothing."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated

from actum import App, Command, Effect, Event, Process, Tag, Timer
from actum.process.effect import Unknown
from actum.process.schedule import Daily

PayoutId = Annotated[str, Tag("payout")]


class Asked(Event):
    payout: PayoutId


class SendMoney(Effect):
    payout: PayoutId


class Sent(Event):
    payout: PayoutId
    receipt: str


class Overdue(Event):
    payout: PayoutId


class Ask(Command):
    payout: PayoutId


class Close(Command):
    day: str


class Closed(Event):
    day: str


payouts = App("payouts")


@payouts.decides
def ask(command: Ask) -> Asked:
    return Asked(payout=command.payout)


@payouts.decides
def close(command: Close) -> Closed:
    return Closed(day=command.day)


@payouts.process
class Payout(Process, starts=Asked):
    payout: PayoutId

    def evolve(self, event: Asked | Sent) -> None:
        self.ended = isinstance(event, Sent)

    def react(self, event: Asked) -> Iterator[Effect | Timer]:
        if self.payout == "bad":
            raise ZeroDivisionError("bad payout")
        yield SendMoney(payout=self.payout)
        yield Timer("overdue", after=timedelta(days=2), then=Overdue(payout=self.payout))


@payouts.effect(unknown=Unknown.PERSON)
def send(request: SendMoney) -> Sent:
    if request.payout != "good":
        raise TimeoutError("no answer")
    return Sent(payout=request.payout, receipt="r-1")


@payouts.schedule(Daily("02:30", zone="Europe/Paris"))
def close_the_day(due: datetime) -> Close:
    return Close(day=f"{due:%Y-%m-%d}")


impure = App("impure")


@impure.process
class Nervous(Process, starts=Asked):
    payout: PayoutId

    def evolve(self, event: Asked) -> None: ...

    def react(self, event: Asked) -> Timer:
        return Timer("now", at=datetime.now().astimezone(), then=Overdue(payout=self.payout))

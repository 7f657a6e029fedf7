"""A small application whose rules keep a sum above zero: whoever violates a condition, shows."""

from __future__ import annotations

from typing import Annotated

from actum.decision.command import Command
from actum.decision.state import State
from actum.journal.errors import Refused
from actum.journal.event import Event, Tag
from actum.service.app import App

PotId = Annotated[str, Tag("pot")]


class Filled(Event):
    pot: PotId
    drops: int


class Poured(Event):
    source: PotId
    target: PotId
    drops: int


class Noted(Event):
    """A fact from elsewhere that no rule decides."""

    pot: PotId
    note: str


class Pot(State):
    id: PotId
    drops: int = 0

    def evolve(self, event: Filled | Poured) -> None:
        match event:
            case Filled(drops=drops):
                self.drops += drops
            case Poured(source=source, target=target, drops=drops):
                self.drops += drops * ((target == self.id) - (source == self.id))


class Fill(Command):
    pot: PotId
    drops: int


class Pour(Command):
    source: PotId
    target: PotId
    drops: int


pots = App("pots")
pots.knows(Noted)


@pots.decides
def fill(command: Fill, pot: Pot) -> Filled:
    if pot.drops + command.drops > 1000:
        raise Refused("the pot would run over", drops=pot.drops)
    return Filled(pot=command.pot, drops=command.drops)


@pots.decides
def pour(command: Pour, source: Pot, target: Pot) -> Poured:
    if source.drops < command.drops:
        raise Refused("there is not so much in it", drops=source.drops)
    return Poured(source=command.source, target=command.target, drops=command.drops)

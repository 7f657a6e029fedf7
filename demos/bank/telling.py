"""What the terminal tells while the bank is open: events as they happen, in the language of whoever they are about."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from actum.decision.outcome import CommandRefused, NothingChanged
from demos.bank.accounts import AccountOpened, Deposited, OverdraftAuthorised, Transferred, Withdrawn
from demos.bank.placements import DividendPaid, PaidIn, PlanOpened, PlanValued, SharesBought, SharesSold
from demos.bank.words import label, money
from examples.demo.terminal import BLUE, CYAN, FAINT, GREEN, RED, YELLOW, Terminal

if TYPE_CHECKING:
    from actum import Event, Recorded
    from demos.bank.people import Customer

COLOURS: dict[type[Event], str] = {
    AccountOpened: CYAN,
    PlanOpened: CYAN,
    Deposited: GREEN,
    PaidIn: GREEN,
    DividendPaid: GREEN,
    Withdrawn: YELLOW,
    Transferred: BLUE,
    SharesBought: BLUE,
    SharesSold: BLUE,
    CommandRefused: RED,
    NothingChanged: FAINT,
}

REFUSALS = {
    "insufficient funds": "provision insuffisante",
    "not enough cash in the plan": "pas assez d'espèces dans le PEA",
    "fewer shares in the plan": "moins de titres dans le PEA",
}


WIDE = 130
"""How many columns a terminal has that shows everything; a narrower one shows what happened, and when."""


class Tail:
    """One line for each event, in French or English."""

    def __init__(self, terminal: Terminal, people: Sequence[Customer]) -> None:
        self._terminal = terminal
        self._people = {key: one for one in people for key in (one.account, one.plan)}
        self._wide = not sys.stdout.isatty() or shutil.get_terminal_size().columns >= WIDE

    def show(self, context: str, recorded: Recorded) -> None:
        """Time, context, position, type, whom it is about, who did it, and what happened."""
        event = recorded.event
        cells = (
            (f"{recorded.recorded_at:%H:%M:%S.%f}"[:-3], 12, FAINT),
            (context, 10, FAINT),
            (f"{recorded.position:>5}", 5, FAINT),
            (recorded.type, 15, COLOURS.get(type(event), "")),
            (recorded.tags[0] if recorded.tags else "", 17, ""),
            (recorded.metadata.actor, 11, FAINT),
            (self._sentence(recorded), 0, RED if isinstance(event, CommandRefused) else ""),
        )
        self._terminal.cells(*(cells if self._wide else (cells[0], cells[3], cells[6])))

    def _sentence(self, recorded: Recorded) -> str:
        event, key = recorded.event, recorded.tags[0].partition(":")[2] if recorded.tags else ""
        one = self._people.get(key)
        name, language = (one.name, one.language) if one else (key, "en")
        said = _french(event, name) if language == "fr" else _english(event, name)
        return said + (f" ({recorded.metadata.reason})" if recorded.metadata.reason else "")


def _french(event: Event, name: str) -> str:
    match event:
        case AccountOpened() | PlanOpened():
            return f"{name} ouvre un {'compte' if isinstance(event, AccountOpened) else 'PEA'}"
        case OverdraftAuthorised(limit=limit):
            return f"{name} peut être à découvert de {money(limit, 'fr')}"
        case Deposited(amount=amount, label=what):
            return f"{name} reçoit {money(amount, 'fr')} : {label(what, 'fr')}"
        case Withdrawn(amount=amount, label=what):
            return f"{name} paie {money(amount, 'fr')} : {label(what, 'fr')}"
        case Transferred(amount=amount, target=target):
            return f"{name} vire {money(amount, 'fr')} à {target}"
        case PaidIn(amount=amount) | DividendPaid(amount=amount):
            return f"{name} : {money(amount, 'fr')} de plus dans le PEA"
        case SharesBought(share=share, quantity=quantity, price=price):
            return f"{name} achète {quantity} {share} à {money(price, 'fr')}"
        case SharesSold(share=share, quantity=quantity, price=price):
            return f"{name} vend {quantity} {share} à {money(price, 'fr')}"
        case PlanValued(value=value):
            return f"{name} : le PEA vaut {money(value, 'fr')}"
        case CommandRefused(reason=why):
            return f"{name} : refusé, {REFUSALS.get(why, why)}"
        case NothingChanged():
            return f"{name} : rien de nouveau"
        case _:
            return name


def _english(event: Event, name: str) -> str:
    match event:
        case AccountOpened() | PlanOpened():
            return f"{name} opens {'an account' if isinstance(event, AccountOpened) else 'a savings plan'}"
        case OverdraftAuthorised(limit=limit):
            return f"{name} may be overdrawn by {money(limit, 'en')}"
        case Deposited(amount=amount, label=what):
            return f"{name} is paid {money(amount, 'en')}: {label(what, 'en')}"
        case Withdrawn(amount=amount, label=what):
            return f"{name} pays {money(amount, 'en')}: {label(what, 'en')}"
        case Transferred(amount=amount, target=target):
            return f"{name} sends {money(amount, 'en')} to {target}"
        case PaidIn(amount=amount) | DividendPaid(amount=amount):
            return f"{name}: {money(amount, 'en')} more in the plan"
        case SharesBought(share=share, quantity=quantity, price=price):
            return f"{name} buys {quantity} {share} at {money(price, 'en')}"
        case SharesSold(share=share, quantity=quantity, price=price):
            return f"{name} sells {quantity} {share} at {money(price, 'en')}"
        case PlanValued(value=value):
            return f"{name}: the plan is worth {money(value, 'en')}"
        case CommandRefused(reason=why):
            return f"{name}: refused, {why}"
        case NothingChanged():
            return f"{name}: nothing new"
        case _:
            return name

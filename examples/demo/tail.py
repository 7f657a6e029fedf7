"""The live tail: one line for each event, in the language of whoever it is about."""

from actum import Event, Recorded
from actum.decision.outcome import CommandRefused
from examples.demo.bank import DayClosed, Deposited, Opened, Transferred, Withdrawn
from examples.demo.people import Customer
from examples.demo.terminal import BLUE, CYAN, FAINT, GREEN, RED, YELLOW, Terminal, money

COLOURS: dict[type[Event], str] = {
    Opened: CYAN,
    Deposited: GREEN,
    Withdrawn: YELLOW,
    Transferred: BLUE,
    DayClosed: FAINT,
    CommandRefused: RED,
}
REFUSALS = {"insufficient funds": "provision insuffisante"}


class Tail:
    """Shows events; knows the customers by their accounts."""

    def __init__(self, terminal: Terminal, people: list[Customer]) -> None:
        self._terminal = terminal
        self._people = {one.account: one for one in people}

    def show(self, recorded: Recorded) -> None:
        """Time, position, type, entity, actor, and what happened."""
        event = recorded.event
        self._terminal.cells(
            (f"{recorded.recorded_at:%H:%M:%S.%f}"[:-3], 12, FAINT),
            (f"{recorded.position:>4}", 4, FAINT),
            (recorded.type, 13, COLOURS[type(event)]),
            (recorded.tags[0] if recorded.tags else "", 18, ""),
            (recorded.metadata.actor, 14, FAINT),
            (self._summary(recorded), 0, COLOURS[type(event)] if isinstance(event, CommandRefused) else ""),
        )

    def _summary(self, recorded: Recorded) -> str:
        reason = f" ({recorded.metadata.reason})" if recorded.metadata.reason else ""
        return self._sentence(recorded) + reason

    def _sentence(self, recorded: Recorded) -> str:
        event = recorded.event
        account = recorded.tags[0].partition(":")[2] if recorded.tags else ""
        owner, language = self._who(account)
        french = language == "fr"
        match event:
            case Opened():
                return f"{owner} ouvre un compte" if french else f"{owner} opens an account"
            case Deposited(amount=amount):
                return f"{owner} {'verse' if french else 'pays in'} {money(amount, language)}"
            case Withdrawn(amount=amount):
                return f"{owner} {'retire' if french else 'takes out'} {money(amount, language)}"
            case Transferred(target=target, amount=amount):
                verb, to = ("vire", "à") if french else ("sends", "to")
                return f"{owner} {verb} {money(amount, language)} {to} {self._who(target)[0]}"
            case CommandRefused(reason=why):
                return f"{owner} : refusé, {REFUSALS.get(why, why)}" if french else f"{owner}: refused, {why}"
            case _:
                return "the day is closed · la journée est close"

    def _who(self, account: str) -> tuple[str, str]:
        one = self._people.get(account)
        return (one.owner, one.language) if one else (account, "en")

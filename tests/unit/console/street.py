"""Three contexts with something in them, for a console to look at: a bank, somebody's assets, and payouts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest

from actum.http.identities import Identities
from actum.http.policy import Policy
from actum.http.security import Security
from actum.journal.errors import Refused
from actum.projection.changed import Rebuilds
from actum.service.running import Running
from tests.unit.cli.bank import Deposit, Open, bank
from tests.unit.cli.payouts import Ask, payouts
from tests.unit.console import wealth_v2
from tests.unit.history.wealth import Moved, Valued, wealth

STORY = UUID("01a21d22-58eb-720d-900c-d10df3bfb057")
PASSWORD = "correct horse battery"
ROGUE = '<script>alert("1")</script>'


class Street(NamedTuple):
    """Where they run."""

    bank: Running
    wealth: Running
    payouts: Running

    @property
    def contexts(self) -> dict[str, Running]:
        """By their names."""
        return {"bank": self.bank, "wealth": self.wealth, "payouts": self.payouts}


def build(folder: Path) -> None:
    """What happened there: in the bank, a story over four events with a refusal; assets, with a wrong total; three payouts."""
    with bank.open(folder / "bank.db", actor="teller-7", follow=False) as running:
        running.execute(Open(account="A-1", owner="Léa Dupré"))
        running.execute(Open(account="A/2 é", owner=ROGUE), reason=ROGUE)
        done = running.execute(Deposit(account="A-1", amount=Decimal("1234.50")), correlation=STORY, reason="le loyer")
        cause = next(running.events(after=done.position - 1)).id
        with pytest.raises(Refused):
            running.execute(
                Deposit(account="A-9", amount=Decimal(1)), correlation=STORY, causation=cause, actor="robot"
            )
        running.catch_up()
    with wealth.open(folder / "wealth.db", actor="market", follow=False) as running:
        running.append(Moved(customer="C-1", amount=Decimal("-51567.98")), reason="a house")
        running.append(Valued(customer="C-1", value=Decimal("6909.91")))
        running.catch_up()
    with payouts.open(folder / "payouts.db", actor="web", follow=False) as running:
        for name in ("good", "bad", "doubtful"):
            running.execute(Ask(payout=name))
        running.processes.catch_up()


@contextmanager
def open_street(folder: Path, *, mended: bool = False) -> Iterator[Street]:
    """The three at work, as a console is given them; `mended` is with the second version of the assets."""
    assets = wealth_v2.wealth if mended else wealth
    with (
        bank.open(folder / "bank.db", actor="teller-7", follow=False, rebuilds=Rebuilds.BY_HAND) as one,
        assets.open(folder / "wealth.db", actor="market", follow=False, rebuilds=Rebuilds.BY_HAND) as two,
        payouts.open(folder / "payouts.db", actor="web", follow=False, rebuilds=Rebuilds.BY_HAND) as three,
    ):
        yield Street(one, two, three)


def owned(folder: Path) -> Security:
    """The security of a console that zoe owns: she may do everything."""
    known, came = str(folder / "identities.db"), str(folder / "access.db")
    with Identities(known) as identities:
        identities.add_user("zoe", PASSWORD, roles=["owner"], actor="boss")
    return Security(Policy(roles={"owner": ("*",)}), known, came)

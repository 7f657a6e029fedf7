"""Two versions of one view, as two versions of a program have them, and what each of them makes of the same events."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from actum import App, Event, Running, View
from actum.projection.changed import Rebuilds
from tests.unit.projection.bank import AccountId, Deposited, Opened, Transferred, concerned

BIG = Decimal(500)


def first(version: int = 1) -> App:
    """The older program: every deposit counts."""
    app = App("bank", version="1")

    class Balance(View, table="balances", version=version):
        account: AccountId
        owner: str | None = None
        balance: Decimal = Decimal(0)
        changes: int = 0

        def evolve(self, event: Opened | Deposited | Transferred) -> None:
            self.changes += 1
            match event:
                case Opened(owner=owner):
                    self.owner = owner
                case Deposited(amount=amount):
                    self.balance += amount
                case Transferred(source=source, amount=amount):
                    self.balance += -amount if source == self.account else amount

    app.view(Balance)
    return app


def second(version: int = 2) -> App:
    """The newer one: of big deposits the bank keeps one, transfers are no changes any more, and who was only opened has no row."""
    app = App("bank", version="2")

    class Balance(View, table="balances", version=version):
        account: AccountId
        owner: str | None = None
        balance: Decimal = Decimal(0)
        changes: int = 0

        def evolve(self, event: Deposited | Transferred) -> None:
            match event:
                case Deposited(amount=amount):
                    self.changes += 1
                    self.balance += amount - 1 if amount >= BIG else amount
                case Transferred(source=source, amount=amount):
                    self.balance += -amount if source == self.account else amount

    app.view(Balance)
    app.knows(Opened)
    return app


def wider(version: int = 3) -> App:
    """A program whose rows have a column that no other has."""
    app = App("bank", version="3")

    class Balance(View, table="balances", version=version):
        account: AccountId
        last: Decimal | None = None
        opened: int = 0

        def evolve(self, event: Opened | Deposited) -> None:
            match event:
                case Opened():
                    self.opened += 1
                case Deposited(amount=amount):
                    self.last = amount

    app.view(Balance)
    app.knows(Transferred)
    return app


def at_work(
    app: App,
    journal: Path | str,
    *,
    rebuilds: Rebuilds = Rebuilds.BY_HAND,
    follow: bool = False,
    views: Path | str | None = None,
) -> Running:
    """The program on its journal; what has changed is rebuilt by hand."""
    return app.open(journal, actor="tester", follow=follow, rebuilds=rebuilds, read_database=views)


def view_of(app: App) -> Any:
    """Its view of balances."""
    return app.view_type("balances")


def rows_of(running: Running) -> dict[str, Any]:
    """The rows that readers see, by account."""
    return {row.account: fields(row) for row in running.view(view_of(running.app))}  # type: ignore[arg-type]


def fields(row: Any) -> dict[str, Any]:
    """A row's fields."""
    return {name: getattr(row, name) for name in row.__struct_fields__}


def made_of(app: App, events: Sequence[Event]) -> dict[str, Any]:
    """What a program makes of the events, folded in the plainest way there is."""
    cls = view_of(app)
    found: dict[str, Any] = {}
    wanted = cls.evolve.__annotations__["event"]
    for event in events:
        if type(event).__name__ in wanted:
            for account in concerned(event):
                found.setdefault(account, cls(account=account)).evolve(event)
    return {account: fields(row) for account, row in found.items()}

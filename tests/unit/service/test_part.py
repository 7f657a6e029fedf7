"""The parts of a context run apart on one journal: each does its own, and none does another's."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest

from actum import App, Busy, Invalid, Unavailable, View
from actum.journal.errors import ReadOnly
from actum.service.part import Part, parts_of
from actum.subscription.policy import park, skip
from tests.unit.process.payouts import Deposit, Request, a_bank
from tests.unit.projection.bank import AccountId, Balance, Deposited, bank

LONG = 60


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    bank.open(tmp_path / "bank.actum", follow=False).close()
    return tmp_path / "bank.actum"


def test_the_queries_wait_for_what_the_projections_keep_up(journal: Path):
    with ExitStack() as stack:
        commands, queries, projections = (
            stack.enter_context(bank.open(journal, part=part, actor="t"))
            for part in (Part.COMMANDS, Part.QUERIES, Part.PROJECTIONS)
        )
        position = commands.append(Deposited(account="A-1", amount=Decimal(5))).position
        with pytest.raises(Busy, match="wait longer"):
            queries.wait_for(position, timeout=0.3)
        assert queries.view(Balance).get("A-1") is None
        with projections.work():
            queries.wait_for(position, timeout=LONG)
            row = queries.view(Balance).get("A-1")
            assert row is not None
            assert row.balance == 5
            later = commands.append(Deposited(account="A-1", amount=Decimal(6))).position
            queries.wait_for(later, timeout=LONG)
            assert queries.catch_up() == later
        assert projections.views.workers is not None
        assert projections.views.workers.trouble is None


def test_listeners_of_the_queries_hear_of_rows_that_others_wrote(journal: Path):
    with bank.open(journal, part=Part.QUERIES) as queries, bank.open(journal, actor="t") as whole:
        heard = threading.Event()
        queries.views.progress.listen(heard.set)
        whole.append(Deposited(account="A-1", amount=Decimal(5)))
        assert heard.wait(LONG)


def test_the_queries_write_nothing_into_the_journal(journal: Path):
    with bank.open(journal, part=Part.QUERIES, actor="t") as queries, pytest.raises(ReadOnly):
        queries.append(Deposited(account="A-1", amount=Decimal(5)))


careful = App("careful")


@careful.view
class Parking(View, on_failure=park(attempts=1)):
    account: AccountId
    seen: int = 0

    def evolve(self, event: Deposited) -> None:
        if event.amount == 13:
            raise ValueError("unlucky")
        self.seen += 1


@careful.view
class Skipping(View, on_failure=skip(reason="of no importance", attempts=1)):
    account: AccountId
    seen: int = 0

    def evolve(self, event: Deposited) -> None:
        if event.amount == 13:
            raise ValueError("unlucky")
        self.seen += 1


def test_a_look_at_the_past_puts_nothing_on_record_whatever_it_meets(tmp_path: Path):
    with careful.open(tmp_path / "careful.actum", actor="t") as running:
        running.append(*[Deposited(account="A-1", amount=Decimal(amount)) for amount in (1, 13, 2)])
        running.catch_up()
        head, noted = running.head(), [event.type for event in running.events()][3:]
        assert sorted(noted) == ["actum.view-parked", "actum.view-skipped"]
        for part in (Part.QUERIES, None):
            with careful.open(tmp_path / "careful.actum", part=part) as looking:
                assert [row.seen for row in looking.view(Parking, at=3)] == [1]
                assert [row.seen for row in looking.view(Skipping, at=3)] == [2]
        assert running.head() == head


def test_the_commands_have_no_view_in_their_way(journal: Path):
    journal.with_suffix(".views.db").unlink()
    with bank.open(journal, part=Part.COMMANDS, actor="t") as commands:
        commands.append(Deposited(account="A-1", amount=Decimal(5)))
        with pytest.raises(Unavailable, match="ask the one for its queries"):
            commands.view(Balance).get("A-1")
        with pytest.raises(Unavailable, match="ask the one for its queries"):
            commands.parked()
    assert not journal.with_suffix(".views.db").exists()


def test_only_the_processes_react(tmp_path: Path):
    app = a_bank()
    app.open(tmp_path / "a.actum", follow=False).close()
    with (
        app.open(tmp_path / "a.actum", part=Part.PROCESSES) as processes,
        app.open(tmp_path / "a.actum", part=Part.COMMANDS, actor="t") as commands,
    ):
        with pytest.raises(Unavailable, match="ask its processes"):
            _ = commands.processes
        commands.execute(Deposit(account="A-1", amount=Decimal(9)))
        position = commands.execute(Request(payout="P-1", account="A-1", amount=Decimal(5))).position
        with pytest.raises(Invalid, match="timeout: expected seconds from 0, found 'x'"):
            processes.processes.wait_for(position, timeout="x")  # type: ignore[arg-type]
        with pytest.raises(Invalid, match="wait_for: position 999 is from the future"):
            processes.processes.wait_for(999, timeout=LONG)
        processes.processes.wait_for(position, timeout=LONG)
        assert "Reserved" in {event.type for event in commands.events()}


def test_a_context_has_the_parts_that_it_needs():
    assert Part.PROCESSES in parts_of(a_bank())
    assert Part.PROCESSES not in parts_of(bank)
    assert Part.PROJECTIONS in parts_of(bank)

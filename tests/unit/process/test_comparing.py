"""What the code of today would ask for, held against what is on record."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from actum import Command, Effect, Process, Timer
from actum.decision.outcome import CommandRefused
from tests.unit.process.payouts import (
    Bench,
    Bounced,
    Deposit,
    Open,
    OtherBank,
    Overdue,
    Payout,
    PayoutId,
    Release,
    Released,
    Remind,
    Request,
    Requested,
    Reserve,
    Reserved,
    SendMoney,
    Sent,
    a_bank,
)

MONEY = Deposit(account="A", amount=Decimal(100))


def pay(name: str) -> Request:
    return Request(payout=name, account="A", amount=Decimal(1))


def changed(*, days: int = 2, fee: Decimal = Decimal(0), count: Iterator[int] | None = None) -> type[Process]:
    """The process as it may be in another version of the program."""

    class Payout(Process, starts=Requested):
        payout: PayoutId
        undo: list[Command] = []

        def evolve(self, event: Requested | Reserved | Released | Sent | CommandRefused) -> None:
            if isinstance(event, Reserved):
                self.undo.append(Release(payout=self.payout, account=event.account, amount=event.amount))
            self.ended = isinstance(event, Released | Sent | CommandRefused)

        def react(self, event: Requested | Reserved | Bounced | Overdue) -> Iterator[Command | Effect | Timer]:
            match event:
                case Requested():
                    yield Reserve(payout=self.payout, account=event.account, amount=event.amount)
                    yield Timer("overdue", after=timedelta(days=days), then=Overdue(payout=self.payout))
                    yield Timer("reminder", after=timedelta(days=1), then=Remind(payout=self.payout))
                case Reserved(amount=amount):
                    yield SendMoney(payout=self.payout, amount=amount + fee + (next(count) if count else 0))
                case Bounced() | Overdue():
                    yield from reversed(self.undo)

    return Payout


def test_where_the_code_is_what_it_was_nothing_differs(at_work: Open):
    bank = OtherBank()
    bank.troubles = ["bounce"]
    bench = at_work(a_bank(bank))
    bench.do(MONEY, pay("one"), pay("two"), Request(payout="poor", account="B", amount=Decimal(1)))
    bench.pass_time(days=3)
    assert bench.running.processes.compare() == []
    before = bench.running.head()
    assert bench.running.processes.compare(Payout) == []
    assert bench.running.head() == before, "nothing was written"


def test_what_another_version_would_have_asked_for_is_told_event_by_event(tmp_path: Path):
    bench = Bench(tmp_path / "bank.db", a_bank())
    bench.do(MONEY, pay("one"), pay("two"))
    bench = bench.again(a_bank(payout=changed(days=3, fee=Decimal(1))))
    found = bench.running.processes.compare()
    assert [(one.instance, one.type) for one in found] == [
        ("Payout/one", "Requested"),
        ("Payout/two", "Requested"),
        ("Payout/one", "Reserved"),
        ("Payout/two", "Reserved"),
    ]
    requested, reserved = found[0], found[2]
    assert requested.recorded[0] == requested.today[0] == 'command Reserve {"account":"A","amount":"1","payout":"one"}'
    (before,) = (line for line in requested.recorded if "overdue" in line)
    (after,) = (line for line in requested.today if "overdue" in line)
    assert (before[:27], after[:27]) == ("timer overdue at 2026-03-03", "timer overdue at 2026-03-04")
    assert reserved.recorded == ('effect SendMoney {"amount":"1","payout":"one"}',)
    assert reserved.today == ('effect SendMoney {"amount":"2","payout":"one"}',)
    assert all(one.steady for one in found)
    assert not any(one.type == "SendMoney" and one.position > 20 for one in bench.running.events()), "nothing is given"
    bench.running.close()


def test_a_reaction_that_answers_otherwise_each_time_is_named(at_work: Open):
    count = itertools.count()
    bench = at_work(a_bank(payout=changed(count=count)))
    bench.do(MONEY, pay("one"))
    (one,) = bench.running.processes.compare()
    assert (one.type, one.steady) == ("Reserved", False)


def test_what_has_not_been_reacted_to_yet_and_what_was_discarded_is_not_compared(tmp_path: Path):
    def broken() -> Any:
        raise ZeroDivisionError("no")
        yield  # a generator, whose first value is an error

    bench = Bench(tmp_path / "bank.db", a_bank(payout=changed(count=broken())))
    bench.do(MONEY, pay("one"), pay("two"))
    assert {row.status for row in bench.running.processes.instances()} == {"parked"}
    processes = bench.running.processes
    assert processes.compare() == []
    processes.discard_instance("Payout/one", reason="paid by hand")
    processes.catch_up()
    assert processes.compare() == []
    bench = bench.again(a_bank())
    bench.running.processes.retry_instance("Payout/two", reason="mended")
    bench.running.processes.catch_up()
    assert bench.running.processes.compare() == []
    bench.running.close()

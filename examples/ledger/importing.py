"""Bringing the records in: as many commands at once as the order of each account allows, and the audit beside it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from actum import Decided, Refused, Running
from actum.service.running_async import AsyncRunning
from examples.ledger.auditor import Auditor
from examples.ledger.domain import Account, Credit, Debit
from examples.ledger.messages import Book
from examples.ledger.records import Line, waves
from examples.ledger.views import Balance

Progressed = Callable[[int], None]


@dataclass
class Imported:
    """What became of the commands: how many, how many the bank said no to, how many had been decided before."""

    commands: int = 0
    refused: int = 0
    repeated: int = 0

    def count(self, answer: Decided | Refused) -> None:
        self.commands += 1
        self.refused += isinstance(answer, Refused)
        self.repeated += isinstance(answer, Decided) and answer.repeated


async def bring_in(
    running: AsyncRunning, lines: Sequence[Line], *, auditor: Auditor | None = None, progressed: Progressed
) -> Imported:
    """Ask for everything the lines say. The auditor compares the view with each line as soon as the line is booked."""
    imported = Imported()
    for wave in waves(lines):
        answers = await asyncio.gather(*(_ask(running, line) for line in wave))
        for answer in answers:
            imported.count(answer)
        if auditor is not None:
            await _audit(running, wave, until=max(answer.position for answer in answers), auditor=auditor)
        progressed(imported.commands)
    return imported


async def _ask(running: AsyncRunning, line: Line) -> Decided | Refused:
    try:
        return await running.execute(
            line.command, id=line.id, actor=line.actor, reason=line.reason, effective_at=line.day
        )
    except Refused as refused:
        return refused


async def _audit(running: AsyncRunning, wave: Sequence[Line], *, until: int, auditor: Auditor) -> None:
    """Wait until the view shows the wave, and compare the balances of its accounts."""
    await running.wait_for(until)
    rows = running.view(Balance).where("account", "in", [line.account for line in wave])
    found = {row.account: row.balance for row in rows}
    for line in wave:
        auditor.check(line, found.get(line.account, Decimal(0)))


def audit_states(running: Running, lines: Sequence[Line], *, auditor: Auditor) -> None:
    """Read the journal from the beginning, fold every account anew, and compare after each transaction."""
    awaited = {line.command.transaction: line for line in lines if isinstance(line.command, Book)}
    accounts: dict[str, Account] = {}
    for recorded in running.events():
        event = recorded.event
        if isinstance(event, Credit | Debit):
            account = accounts.setdefault(event.account, Account(id=event.account))
            account.evolve(event)
            line = awaited.pop(event.transaction, None)
            if line is not None:
                auditor.check(line, account.balance)
    for line in awaited.values():
        auditor.mismatches.append(f"{line.id}: never booked")
    for account in accounts.values():
        if running.state(Account, account.id).balance != account.balance:
            auditor.mismatches.append(f"account {account.id}: its state is not the fold of its events")

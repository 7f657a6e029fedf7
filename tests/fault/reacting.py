"""A bank that pays out, in a process that works until it is killed: `python -m tests.fault.reacting JOURNAL OUTSIDE [SEED]`.

With a seed it is a worker that holds its share of the instances by a lease, in hostile surroundings. The outside is a file to which each call adds its key in one write: it survives every kill, and forgets no call.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Annotated

from actum import App, Command, Effect, Event, Process, Running, Tag, Timer
from actum.journal.clock import SYSTEM_IDS
from actum.process.effect import Attempt
from actum.service.opening import in_postgres, open_read_database, open_store
from actum.testing.followers import hostile

PayoutId = Annotated[str, Tag("payout")]


class Asked(Event):
    payout: PayoutId


class Reserved(Event):
    payout: PayoutId


class SendMoney(Effect):
    payout: PayoutId


class Sent(Event):
    payout: PayoutId


class Rang(Event):
    payout: PayoutId


class Closed(Event):
    payout: PayoutId


class Ask(Command):
    payout: PayoutId


class Reserve(Command):
    payout: PayoutId


class Close(Command):
    payout: PayoutId


def a_bank(outside: Path) -> App:
    """The bank, paying into that file."""
    bank = App("bank")

    @bank.decides
    def ask(command: Ask) -> Asked:
        return Asked(payout=command.payout)

    @bank.decides
    def reserve(command: Reserve) -> Reserved:
        return Reserved(payout=command.payout)

    @bank.decides
    def close(command: Close) -> Closed:
        return Closed(payout=command.payout)

    @bank.process
    class Payout(Process, starts=Asked):
        payout: PayoutId

        def evolve(self, event: Asked | Closed) -> None:
            self.ended = isinstance(event, Closed)

        def react(self, event: Asked | Reserved | Sent | Rang) -> Iterator[Command | Effect | Timer]:
            match event:
                case Asked():
                    yield Reserve(payout=self.payout)
                case Reserved():
                    yield SendMoney(payout=self.payout)
                case Sent():
                    yield Timer("ring", after=timedelta(milliseconds=50), then=Rang(payout=self.payout))
                case Rang():
                    yield Close(payout=self.payout)

    @bank.effect(lease=timedelta(seconds=1))
    def send(request: SendMoney, attempt: Attempt) -> Sent:
        file = os.open(outside, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(file, f"{request.payout} {attempt.key} {attempt.number}\n".encode())
        finally:
            os.close(file)
        return Sent(payout=request.payout)

    return bank


LEASE = 1.0


def surrounded(app: App, journal: str, seed: int) -> Running:
    """The bank over a read database that keeps the history of every checkpoint, and holds some of them up."""
    store = open_store(journal)
    database = open_read_database(None, journal=journal, origin=store.origin)
    mark = "%s" if in_postgres(journal) else "?"
    return Running(
        app,
        store,
        ids=SYSTEM_IDS,
        actor="worker",
        states_kept=1000,
        database=hostile(database, Random(seed), mark=mark, delay=LEASE / 10),
        follow=False,
    )


def main(journal: str, outside: str, seed: str | None = None) -> None:
    """Work until killed."""
    bank = a_bank(Path(outside))
    with ExitStack() as stack:
        if seed is None:
            stack.enter_context(bank.open(journal, actor="worker"))
        else:
            running = stack.enter_context(surrounded(bank, journal, int(seed)))
            stack.enter_context(running.work(lease=LEASE))
        sys.stdout.write("at work\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
